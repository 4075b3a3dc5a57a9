/**
 * How long callers wait when primaries die: a fresh cluster under load of many callers, whose primary, with its
 * successors where more are to die, is killed by SIGKILL.
 *
 * 1. The time of a round is from just before the kill to the first answer that a caller got from a later view: commit,
 *    execution and reply are in it.
 * 2. Callers call the replicas that live. Between two rounds everybody is level again, and load goes on for a
 *    checkpoint interval for each primary that died and one more, so that timeouts are where they began: the first counts
 *    the waits for the view, and each of the others halves the timeout once (protocol.md 6).
 * 3. A view that ends by itself before the kill is not measured: the round begins again.
 * 4. Every round ends with the proof of cluster-load.ts: nothing that was acknowledged is lost or was done twice.
 */
import type { TestCluster } from '../support/cluster.js';
import { awaitAgreement, awaitServingView } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { ClusterLoad } from '../support/cluster-load.js';

/** What is measured. */
export interface FailoverOptions {
  readonly callers: number;
  /** Killed together: the primary and so many less one after it. */
  readonly dead: number;
  readonly checkpointInterval: number;
}

/** One round's figures. */
export interface FailoverRound {
  readonly from: number;
  /** The view of the first answer. */
  readonly to: number;
  readonly firstCommitMs: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** What callers were told, each text once. */
  readonly reasons: readonly string[];
}

const WITHIN_MS = 120_000;
const CALL_TIMEOUT_MS = 60_000;

/**
 * One round, whose keys bear its number. The cluster runs whole before and after. Undefined where the view ended before
 * the kill.
 */
export async function measureFailover(
  cluster: TestCluster,
  round: number,
  { callers, dead, checkpointInterval }: FailoverOptions,
): Promise<FailoverRound | undefined> {
  const all = cluster.replicas.map(({ id }) => id);
  const { view: from, primary } = await awaitServingView(cluster);
  const victims = Array.from({ length: dead }, (_, index) => (primary + index) % all.length);
  const through = all.filter((replica) => !victims.includes(replica));
  const load = new ClusterLoad(cluster, { prefix: `failover-${round}`, through, callers, timeoutMs: CALL_TIMEOUT_MS });
  const { stableCheckpoint: calmFrom } = await cluster.status(primary);
  const isCalm = async (): Promise<boolean> =>
    (await cluster.status(primary)).stableCheckpoint >= calmFrom + (dead + 1) * checkpointInterval;
  await eventually(isCalm, { withinMs: WITHIN_MS, describe: () => 'the stable checkpoint does not move' });
  const before = await awaitServingView(cluster);
  if (before.view !== from) {
    await load.stop();
    await load.verify(primary);
    return undefined;
  }
  const killedMs = performance.now();
  await Promise.all(victims.map((victim) => cluster.kill(victim)));
  const isAnswered = (): boolean => Math.max(...load.firstAnswerMs.keys()) > from;
  await eventually(isAnswered, { withinMs: WITHIN_MS, describe: () => 'no answer from a later view' });
  const to = Math.min(...[...load.firstAnswerMs.keys()].filter((view) => view > from));
  await load.stop();
  for (const victim of victims) {
    cluster.start(victim);
  }
  await cluster.waitReady(victims, WITHIN_MS);
  await awaitAgreement(cluster, all, WITHIN_MS);
  await load.verify(primary);
  if (victims.includes(to % all.length)) {
    return undefined;
  }
  return {
    from,
    to,
    firstCommitMs: (load.firstAnswerMs.get(to) ?? Number.NaN) - killedMs,
    acknowledged: load.acknowledged.size,
    failed: load.failures.length,
    reasons: [...new Set(load.failures.map(({ error }) => error.message))],
  };
}
