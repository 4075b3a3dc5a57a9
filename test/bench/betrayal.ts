/**
 * What a primary that betrays costs its callers: throughput with everybody correct, from when the primary of view 0 is a
 * traitor until another view serves, and after that.
 *
 * 1. Before: all replicas are correct. Then all are stopped and start again with their data, the primary as a traitor.
 * 2. During: from the first call to the first answer of a later view, or, where the traitor is not left, for the time of a
 *    window.
 * 3. After: with the traitor still there as a backup; where it was not left, from when it is killed.
 * 4. Callers call the correct replicas, and each caller always the same one. Every load ends with the proof of
 *    cluster-load.ts: nothing that was acknowledged is lost or was done twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { TraitorKind } from '../../src/cli/cluster/byzantine.js';
import type { TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { ClusterLoad } from '../support/cluster-load.js';

/** What is measured. */
export interface BetrayalOptions {
  readonly kind: TraitorKind;
  readonly callers: number;
  readonly windowMs: number;
}

/** Puts acknowledged a second, and what else callers noticed. */
export interface BetrayalFigures {
  readonly before: number;
  readonly during: number;
  readonly after: number;
  /** From the first call to the first answer of a later view; undefined where the traitor stayed primary. */
  readonly leftAfterMs: number | undefined;
  readonly failedCalls: number;
  /** The replicas that some correct one holds proof against. */
  readonly accused: readonly number[];
}

const TRAITOR = 0;
const WITHIN_MS = 120_000;
const CALL_TIMEOUT_MS = 60_000;

/** Measures one kind on a cluster that runs whole and is in view 0. */
export async function measureBetrayal(cluster: TestCluster, options: BetrayalOptions): Promise<BetrayalFigures> {
  return new Betrayal(cluster, options).measure();
}

class Betrayal {
  private readonly correct: readonly number[];
  private failedCalls = 0;

  constructor(
    private readonly cluster: TestCluster,
    private readonly options: BetrayalOptions,
  ) {
    this.correct = cluster.replicas.map(({ id }) => id).filter((id) => id !== TRAITOR);
  }

  async measure(): Promise<BetrayalFigures> {
    // Caches and JIT are warm in all three.
    await this.measureLoad('warm', (load) => this.watch(load));
    const before = await this.measureLoad('before', (load) => this.watch(load));
    await this.restartBetrayed();
    const during = await this.measureLoad('during', (load) => this.watchUntilLeft(load));
    if (during.leftAfterMs === undefined) {
      await this.cluster.kill(TRAITOR);
    }
    const after = await this.measureLoad('after', (load) => this.watch(load));
    const rows = await awaitAgreement(this.cluster, this.correct, WITHIN_MS);
    return {
      before: before.rate,
      during: during.rate,
      after: after.rate,
      leftAfterMs: during.leftAfterMs,
      failedCalls: this.failedCalls,
      accused: [...new Set(rows.flatMap(({ evidence }) => evidence.map(({ replica }) => replica)))],
    };
  }

  /** All at once, so that nobody leaves view 0 because its primary is away. */
  private async restartBetrayed(): Promise<void> {
    const { cluster, correct } = this;
    await Promise.all([TRAITOR, ...correct].map((replica) => cluster.kill(replica, 'SIGTERM')));
    cluster.start(TRAITOR, {}, this.options.kind);
    for (const replica of correct) {
      cluster.start(replica);
    }
    await cluster.waitReady(correct, WITHIN_MS);
    const { view } = await cluster.status(correct[0] ?? 0);
    if (view !== 0) {
      throw new Error(`the traitor is not primary: view ${view} began before a caller asked for anything`);
    }
  }

  private async measureLoad<T extends { readonly rate: number }>(
    prefix: string,
    watch: (load: ClusterLoad) => Promise<T>,
  ): Promise<T> {
    const { cluster, correct, options } = this;
    const { callers } = options;
    const load = new ClusterLoad(cluster, { prefix, through: correct, callers, timeoutMs: CALL_TIMEOUT_MS });
    const result = await watch(load);
    await load.stop();
    this.failedCalls += load.failures.length;
    await awaitAgreement(cluster, correct, WITHIN_MS);
    await load.verify(correct[0] ?? 0);
    return result;
  }

  /** For a window, once a first answer came: a killed primary's successor is there by then. */
  private async watch(load: ClusterLoad): Promise<{ readonly rate: number }> {
    await load.progress(this.options.callers, WITHIN_MS);
    const [count, sinceMs] = [load.acknowledged.size, performance.now()];
    await delay(this.options.windowMs);
    return { rate: rateOf(load.acknowledged.size - count, performance.now() - sinceMs) };
  }

  private async watchUntilLeft(
    load: ClusterLoad,
  ): Promise<{ readonly rate: number; readonly leftAfterMs: number | undefined }> {
    const { windowMs } = this.options;
    let count = 0;
    const isOver = (): boolean => {
      count = load.acknowledged.size;
      return Math.max(0, ...load.firstAnswerMs.keys()) > 0 || performance.now() - load.startMs >= windowMs;
    };
    await eventually(isOver, { withinMs: WITHIN_MS, describe: () => 'neither is the time over nor is it left' });
    const later = [...load.firstAnswerMs].filter(([view]) => view > 0).map(([, atMs]) => atMs - load.startMs);
    const leftAfterMs = later.length === 0 ? undefined : Math.min(...later);
    return { rate: rateOf(count, leftAfterMs ?? windowMs), leftAfterMs };
  }
}

function rateOf(count: number, tookMs: number): number {
  return (1_000 * count) / tookMs;
}
