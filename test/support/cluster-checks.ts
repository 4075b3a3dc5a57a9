/** What tests of a cluster of processes ask of it again and again. */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import type { Status } from '../../src/cli/output/status-report.js';
import type { ClientError } from '../../src/client/client-error.js';
import { computeQuorumSizes } from '../../src/protocol/quorum.js';
import { defined } from '../../src/util/assert.js';
import type { TestCluster } from './cluster.js';
import { eventually } from './cluster-deadline.js';

const AGREE_WITHIN_MS = 20_000;
const SETTLE_WITHIN_MS = 60_000;

/** Waits until the replicas, all by default, show the same last sequence and header digest; resolves with the rows. */
export async function awaitAgreement(
  cluster: TestCluster,
  replicas: readonly number[] = cluster.replicas.map(({ id }) => id),
  withinMs = AGREE_WITHIN_MS,
): Promise<readonly Status[]> {
  let rows: readonly Status[] = [];
  let silent = '';
  const placeOf = ({ lastExecutedSequence, headerDigest }: Status): string =>
    `${lastExecutedSequence} ${headerDigest.toString('hex')}`;
  const isEqual = async (): Promise<boolean> => {
    try {
      rows = await Promise.all(replicas.map((replica) => cluster.status(replica)));
      return new Set(rows.map(placeOf)).size === 1;
    } catch (error) {
      // A connection may still be waiting for its next attempt.
      silent = String(error);
      return false;
    }
  };
  const describe = (): string => `replicas are at ${rows.map(placeOf).join('; ')} ${silent}`;
  await eventually(isEqual, { withinMs, describe });
  return rows;
}

/** Waits until these replicas are in one view, not below `least`, and active there; resolves with what one shows. */
export async function awaitView(cluster: TestCluster, replicas: readonly number[], least = 0): Promise<Status> {
  let rows: readonly Status[] = [];
  const isSame = async (): Promise<boolean> => {
    rows = await Promise.all(replicas.map((replica) => cluster.status(replica)));
    return rows.every(({ active, view }) => active && view === rows[0]?.view && view >= least);
  };
  const describe = (): string => rows.map(({ replica, view, active }) => `${replica}: ${view} ${active}`).join('; ');
  await eventually(isSame, { withinMs: SETTLE_WITHIN_MS, describe });
  const [first] = rows;
  assert.ok(first !== undefined);
  return first;
}

/**
 * Waits until a quorum is active in one view; resolves with what one of it shows. A replica that left that view alone
 * waits for the next one, and there is none while this one serves.
 */
export async function awaitServingView(cluster: TestCluster): Promise<Status> {
  const { quorum } = computeQuorumSizes(cluster.replicas.length);
  let rows: readonly Status[] = [];
  const findServing = (): Status | undefined =>
    rows.find((row) => rows.filter(({ active, view }) => active && view === row.view).length >= quorum);
  const isServing = async (): Promise<boolean> => {
    rows = await Promise.all(cluster.replicas.map(({ id }) => cluster.status(id)));
    return findServing() !== undefined;
  };
  const describe = (): string => rows.map(({ replica, view, active }) => `${replica}: ${view} ${active}`).join('; ');
  await eventually(isServing, { withinMs: SETTLE_WITHIN_MS, describe });
  return defined(findServing(), 'a quorum is in one view');
}

/** Where the replica has stopped executing. */
export async function settledSequence(cluster: TestCluster, replica: number): Promise<number> {
  let last = -1;
  const isStill = async (): Promise<boolean> => {
    const { lastExecutedSequence } = await cluster.status(replica);
    const isSame = lastExecutedSequence === last;
    last = lastExecutedSequence;
    return isSame;
  };
  await eventually(isStill, { withinMs: SETTLE_WITHIN_MS, describe: () => `replica ${replica} goes on at ${last}` });
  return last;
}

/** The primary of the view that this replica is in. */
export async function primaryOf(cluster: TestCluster, asked = 0): Promise<number> {
  return (await cluster.status(asked)).primary;
}

/** Fails unless the caller learned in plain words what became of the operation. */
export function assertClear({ code, reason, message, outcomeKnown }: ClientError): void {
  const text = `${code} ${reason}: ${message}`;
  // CANCELLED: the test closes its client of a replica that it starts again. Hung up: it was killed while they connected.
  const explained: readonly string[] = ['DEADLINE_EXCEEDED', 'UNAVAILABLE', 'CANCELLED'];
  assert.ok(explained.includes(code), `no failure that an outage explains: ${text}`);
  // Of a read the outcome doesn't matter, so a client may know it where the replica doesn't.
  const words = outcomeKnown
    ? /nothing was taken|nobody answers at|hung up on|given up|was lost|did not finish|did not answer|the outcome is not known/
    : /the outcome is not known/;
  assert.match(message, words, text);
}

/** One page of a replica's HTTP port. */
export function fetchHttp(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    }).on('error', reject);
  });
}

/** The sum of a metric's series that have all of these labels. */
export async function readMetric(
  cluster: TestCluster,
  replica: number,
  { name, labels = {} }: { readonly name: string; readonly labels?: Readonly<Record<string, string>> },
): Promise<number> {
  const port = cluster.httpPorts[replica];
  assert.ok(port !== undefined);
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let sum = 0;
  for (const line of (await fetchHttp(port, '/metrics')).split('\n')) {
    const [series = '', value = ''] = line.split(/ (?=[^ ]*$)/);
    if ((series === name || series.startsWith(`${name}{`)) && wanted.every((one) => series.includes(one))) {
      sum += Number(value);
    }
  }
  return sum;
}
