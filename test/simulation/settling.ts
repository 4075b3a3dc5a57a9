/**
 * Invariant 15 in figures: the bound within which a healed quorum must serve, and what comes after: views stop changing,
 * and traffic falls to the heartbeat. Byzantine replicas go on all the while.
 */
import type { IdleTraffic } from './checks/idle-traffic.js';
import type { ByzantineKind } from './cluster/byzantine.js';
import type { Cluster } from './cluster/cluster.js';
import type { Scenario } from './scenario.js';

/** What a healed quorum needs beside view changes: links come up, replicas catch up, open calls run into timeouts. */
const SERVING_MS = 60_000;
/** How long views must stand still, at least, and how many times the longest timeout where that is not too long. */
const STEADY_MS_MIN = 8_000;
const STEADY_MS_MAX = 20_000;
const STEADY_TIMEOUTS = 1.5;
/** What was under way when views came to stand still may still be on its way for so long. */
const GRACE_MS = 2_500;
/** The heartbeat of protocol.md 8, and its pace while anything seems to be missing. */
const HEARTBEAT_MS = 5_000;
const BUSY_MS = 1_000;
/** A status costs something; it need not be asked for at each step. */
const LOOK_STEPS = 64;

/** All others may show a sequence, by a vote or a Status, that is never executed: whoever hears of it goes on asking. */
const NEVER_PRETENDING: readonly ByzantineKind[] = ['silent', 'neverCommitting'];

/** What settling looks at. */
export interface SettlingOptions {
  readonly cluster: Cluster;
  readonly scenario: Scenario;
  readonly traffic: IdleTraffic;
}

/**
 * How long f + 1 view changes may take, from the longest timeout that any correct replica has now and doubling, and what
 * else it takes. A primary can use up the timeout twice: before its NewView, and after it.
 */
export function computeServingBoundMs({ cluster, scenario }: Pick<SettlingOptions, 'cluster' | 'scenario'>): number {
  const { local, sizes } = scenario.parameters;
  const timeoutMs = longestTimeoutMs(cluster, local.requestTimeoutMs);
  let boundMs = SERVING_MS;
  for (let change = 0; change <= sizes.faultsMax; change++) {
    boundMs += 2 * Math.min(local.requestTimeoutMaxMs, timeoutMs * 2 ** change);
  }
  return boundMs;
}

function longestTimeoutMs(cluster: Cluster, least: number): number {
  return Math.max(least, ...cluster.correct.map((replica) => replica.timeoutMs ?? 0));
}

/** Waits until views stand still, then judges what the healed replicas sent each other meanwhile. */
export function judgeSettled({ cluster, scenario, traffic }: SettlingOptions): void {
  const { loop, violations } = cluster.world;
  const healed = cluster.correct.filter(({ id }) => scenario.healed.has(id));
  const longestMs = STEADY_TIMEOUTS * longestTimeoutMs(cluster, scenario.parameters.local.requestTimeoutMs);
  const steadyMs = Math.min(STEADY_MS_MAX, Math.max(STEADY_MS_MIN, longestMs));
  const boundMs = computeServingBoundMs({ cluster, scenario }) + steadyMs;
  const look = (): string =>
    healed.map((replica) => `${replica.status()?.view} ${replica.status()?.active}`).join(', ');
  let seen = '';
  let sinceMs = loop.nowMs;
  let height = 0;
  let watchedSinceMs: number | undefined;
  const isSteady = (): boolean => {
    if (loop.steps % LOOK_STEPS !== 0) {
      return false;
    }
    const now = look();
    if (now !== seen) {
      seen = now;
      sinceMs = loop.nowMs;
      watchedSinceMs = undefined;
    }
    if (watchedSinceMs === undefined && loop.nowMs - sinceMs >= GRACE_MS) {
      watchedSinceMs = loop.nowMs;
      height = cluster.agreement.height;
      traffic.restart();
    }
    return loop.nowMs - sinceMs >= steadyMs;
  };
  if (!cluster.runUntil(loop.nowMs + boundMs, isSteady)) {
    violations.report(15, `views go on changing for ${boundMs} ms: the healed replicas are in ${look()}`);
    return;
  }
  const isIdle =
    watchedSinceMs !== undefined &&
    cluster.agreement.height === height &&
    healed.every((replica) => replica.status()?.active === true && replica.status()?.waitingRequests === 0);
  if (isIdle) {
    const isDeceived = [...scenario.byzantine.values()].flat().some((kind) => !NEVER_PRETENDING.includes(kind));
    const objection = traffic.objection({
      replicas: scenario.healed,
      statusEveryMs: isDeceived ? BUSY_MS : HEARTBEAT_MS,
      watchedMs: loop.nowMs - (watchedSinceMs ?? sinceMs),
    });
    if (objection !== undefined) {
      violations.report(15, `an idle cluster is not quiet: ${objection}`);
    }
  }
}
