/**
 * Hostile traffic for a long virtual time: f replicas flood the others with everything that these keep for them, while
 * callers work and primaries are cut off again and again. All invariants are checked as in every run; what is asked here
 * is what the correct replicas hold at most.
 */
import { replicaId } from '../../src/protocol/identifiers.js';
import { computeQuorumSizes } from '../../src/protocol/quorum.js';
import { refuseAgainstLedger } from '../support/linearizability/ledger-order.js';
import type { HeldName } from './checks/bounds.js';
import type { Violation } from './checks/observer.js';
import type { ByzantineKind } from './cluster/byzantine.js';
import { Cluster } from './cluster/cluster.js';
import { drawParameters } from './cluster/parameters.js';
import type { FaultEffect } from './faults/fault.js';
import { FaultRunner } from './faults/fault-runner.js';
import { Random } from './kernel/random.js';
import { SimulatedClient } from './work/client.js';
import { HistoryRecorder } from './work/history-recorder.js';
import { LedgerRecorder } from './work/ledger-recorder.js';

/** What is asked of a hostile run. */
export interface HostileOptions {
  readonly replicaCount: number;
  readonly virtualMs: number;
  /** Told after each share of the time. */
  readonly onProgress: (virtualMs: number) => void;
}

/** What it showed. */
export interface HostileOutcome {
  readonly violation: Violation | undefined;
  readonly virtualMs: number;
  readonly steps: number;
  readonly messages: number;
  readonly rejections: number;
  readonly operations: number;
  readonly sequences: number;
  readonly views: number;
  /** The most that any correct replica held, beside the bound. */
  readonly held: readonly { readonly name: HeldName; readonly most: number; readonly bound: number }[];
}

/** Each liar floods, and does one thing more. */
const SECOND_KINDS: readonly ByzantineKind[] = ['lyingClient', 'stormingViews', 'replaying'];
const TOPPLING: FaultEffect = { kind: 'toppling', everyMs: 20_000, cutMs: 8_000 };
const CLIENTS = 2;
const THINK_MS = 1_000;
const PROGRESS_SHARES = 20;

/** Runs it. */
export function runHostile({ replicaCount, virtualMs, onProgress }: HostileOptions): HostileOutcome {
  const name = `hostile ${replicaCount}`;
  const random = new Random(name);
  const drawn = drawParameters(random.fork('parameters'));
  const sizes = computeQuorumSizes(replicaCount);
  const parameters = { ...drawn, sizes, limits: { ...drawn.limits, replicaCount } };
  const liars = Array.from({ length: sizes.faultsMax }, (_, id) => replicaId(id));
  const history = new HistoryRecorder();
  const ledger = new LedgerRecorder({
    limits: parameters.limits,
    clientWindow: parameters.consensus.clientWindow,
    isCorrectClient: (clientId) => cluster.correct.some(({ id }) => cluster.world.signatures.clientOf(id) === clientId),
  });
  const cluster: Cluster = new Cluster({
    seed: name,
    parameters,
    byzantine: new Map(
      liars.map((id, index) => [id, ['flooding', SECOND_KINDS[index % SECOND_KINDS.length] ?? 'lyingClient']]),
    ),
    keepsTrace: false,
    observers: [ledger],
  });
  const clients = Array.from({ length: CLIENTS }, (_, id) => {
    const gateways = () => cluster.correct.filter((replica) => replica.isRunning);
    const options = { id, world: cluster.world, random: random.fork(`client ${id}`), history, gateways };
    return new SimulatedClient({ ...options, keys: ['a', 'b', 'c'], thinkMsMean: THINK_MS });
  });
  const faults = new FaultRunner(cluster.world, cluster.replicas, random.fork('faults'));
  faults.schedule([{ atMs: 0, durationMs: virtualMs, effect: TOPPLING }]);
  cluster.start();
  for (const client of clients) {
    client.allow(Number.MAX_SAFE_INTEGER);
    client.start();
  }
  for (let share = 1; share <= PROGRESS_SHARES && cluster.world.violations.first === undefined; share++) {
    cluster.runUntil((virtualMs * share) / PROGRESS_SHARES);
    onProgress(cluster.world.loop.nowMs);
  }
  const refusal = refuseAgainstLedger(history.entries, ledger.operations());
  if (refusal !== undefined) {
    cluster.world.violations.report(14, refusal);
  }
  return outcomeOf(cluster, clients);
}

/** The figures in some lines. */
export function describeHostile(replicaCount: number, { held, violation, ...figures }: HostileOutcome): string {
  const { virtualMs, steps, messages, rejections, operations, sequences, views } = figures;
  return [
    `replicas         ${replicaCount}, ${(virtualMs / 3_600_000).toFixed(2)} virtual hours`,
    `events           ${steps}, of them ${messages} messages, ${rejections} not taken`,
    `operations       ${operations} answered in ${sequences} batches, ${views} view changes`,
    'held at most, and the bound',
    ...held.map(
      ({ name, most, bound }) => `  ${name.padEnd(26)} ${String(most).padStart(8)} ${String(bound).padStart(10)}`,
    ),
    violation === undefined ? 'every bound held' : `invariant ${violation.invariant}: ${violation.text}`,
  ].join('\n');
}

function outcomeOf(cluster: Cluster, clients: readonly SimulatedClient[]): HostileOutcome {
  const { world, bounds, agreement } = cluster;
  const rejections = [...world.counters].filter(([series]) => series.startsWith('pbft_rejected_total'));
  return {
    violation: world.violations.first,
    virtualMs: world.loop.nowMs,
    steps: world.loop.steps,
    messages: world.network.deliveredMessages,
    rejections: rejections.reduce((sum, [, count]) => sum + count, 0),
    operations: clients.reduce((sum, client) => sum + client.answered, 0),
    sequences: agreement.height,
    views: Math.max(0, ...cluster.correct.map((replica) => replica.status()?.view ?? 0)),
    held: [...bounds.most].map(([name, most]) => ({ name, most, bound: bounds.bounds[name] })),
  };
}
