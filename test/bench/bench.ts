/**
 * A run: a fresh cluster of real processes, a warm-up, the measurements, and the proof that nothing was lost.
 *
 * 1. One caller alone, through every replica in turn: the latency of an idle cluster.
 * 2. Many callers through all replicas, and the same with one backup killed, in turn for some rounds: absolute figures
 *    drift on shared machines, so ratios are of medians of neighbours.
 *
 * Every put has a key of its own, so the state grows as that of a user would.
 */
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientError } from '../../src/client/client-error.js';
import type { TestCluster } from '../support/cluster.js';
import { awaitAgreement, primaryOf } from '../support/cluster-checks.js';
import { type LatencySummary, mergeLatencies } from './latency.js';
import { type LoadClock, type LoadResult, type Operation, runLoad } from './load.js';
import { computeUse, type Observation, observe, type ReplicaUse, sumOf } from './observe.js';
import type { BenchOptions } from './options.js';
import { judgeExecuted, PutContent, readBack, WrittenPuts } from './written.js';

/** What is measured. */
export type MeasurementKind = 'one caller' | 'all replicas' | 'one backup dead';

/** A measurement with its figures. */
export interface Measurement {
  readonly kind: MeasurementKind;
  /** Counts from 1. */
  readonly round: number;
  readonly callers: number;
  readonly loop: 'closed' | 'open';
  /** The replicas that were called. */
  readonly replicas: readonly number[];
  readonly primary: number;
  readonly operationsPerSecond: number;
  readonly acknowledged: number;
  readonly acknowledgedBySecond: readonly number[];
  readonly failed: number;
  readonly unsent: number;
  readonly latency: LatencySummary;
  readonly latencyByReplica: Readonly<Record<string, LatencySummary>>;
  /** Of an open loop: how much later than due calls were sent. */
  readonly lateness: LatencySummary | null;
  readonly uses: readonly ReplicaUse[];
  /** What the load generator used itself, of one core. */
  readonly generatorCores: number;
  /** Of the machine in the minute before. */
  readonly loadAverage: number;
}

/** Failures of one kind. */
export interface Failure {
  readonly kind: string;
  count: number;
  readonly example: string;
}

/** The proof. */
export interface Verification {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly readBack: number;
  /** Where all replicas ended; null where they did not agree. */
  readonly sequence: number | null;
  readonly headerDigest: string | null;
  /** What is wrong, in words. */
  readonly faults: readonly string[];
}

const SAMPLE = 500;
const AGREE_WITHIN_MS = 60_000;
/** Of a replica that ended by itself. */
const LOG_LINES = 10;

const clock: LoadClock = {
  nowMs: () => performance.now(),
  async sleepUntil(timeMs) {
    await delay(Math.max(0, timeMs - performance.now()));
  },
};

/** The measurements of a cluster that was just started. */
export class Bench {
  readonly written = new WrittenPuts();
  readonly failures = new Map<string, Failure>();
  readonly content: PutContent;
  readonly #cluster: TestCluster;
  readonly #options: BenchOptions;
  readonly #signal: AbortSignal;
  readonly #restarted = new Set<number>();
  #measurements = 0;

  constructor(cluster: TestCluster, options: BenchOptions, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#options = options;
    this.#signal = signal;
    const { valueBytes } = options;
    this.content = new PutContent(valueBytes, randomBytes(PutContent.randomBytesNeeded(valueBytes)));
  }

  /** Makes all measurements, one by one. */
  async *measure(): AsyncGenerator<Measurement> {
    const { callers, rounds, warmUpMs } = this.#options;
    const all = this.#cluster.replicas.map(({ id }) => id);
    await this.#load({ callers, replicas: all, warmUpMs: 0, windowMs: warmUpMs });
    yield await this.#measureOne('one caller', { round: 1, replicas: all });
    for (let round = 1; round <= rounds; round++) {
      yield await this.#measureOne('all replicas', { round, replicas: all });
      if (all.length > 1) {
        const backup = await this.#backup();
        await this.#cluster.kill(backup);
        const replicas = all.filter((id) => id !== backup);
        yield await this.#measureOne('one backup dead', { round, replicas });
        await this.#bringBack(backup);
      }
    }
  }

  /** Proves that the cluster has what it acknowledged. */
  async verify(): Promise<Verification> {
    const { acknowledged, unknown } = this.written;
    const faults: string[] = [];
    const repeated = this.written.countRepeatedVersions();
    if (repeated > 0) {
      faults.push(`${repeated} of ${acknowledged} puts were acknowledged with the version of another`);
    }
    const place = await this.#agree(faults);
    const sample = this.written.sample(SAMPLE);
    const readers = new Map(this.#cluster.replicas.map(({ id }) => [id, this.#cluster.client(id)]));
    faults.push(...(await readBack(sample, readers, this.content)));
    // A process that was started again counts from 0.
    const steady = this.#cluster.replicas.map(({ id }) => id).filter((id) => !this.#restarted.has(id));
    const executed = (await this.#observe(steady)).map((one) => sumOf(one, 'pbft_committed_operations_total'));
    faults.push(...judgeExecuted(Math.max(...executed), this.written));
    return { acknowledged, unknown, readBack: sample.length, ...place, faults };
  }

  async #measureOne(
    kind: MeasurementKind,
    { round, replicas }: { readonly round: number; readonly replicas: readonly number[] },
  ): Promise<Measurement> {
    const { windowMs, settleMs: warmUpMs, ratePerSecond } = this.#options;
    const isAlone = kind === 'one caller';
    const callers = isAlone ? 1 : this.#options.callers;
    const isOpen = !isAlone && ratePerSecond !== undefined;
    const [loadAverage = Number.NaN] = loadavg();
    const primary = await primaryOf(this.#cluster, replicas[0]);
    const before = await this.#observe(replicas);
    const usageBefore = process.cpuUsage();
    const startMs = performance.now();
    const load = { callers, replicas, warmUpMs, windowMs, isRotating: isAlone };
    const result = await this.#load(isOpen ? { ...load, ratePerSecond } : load);
    const usage = process.cpuUsage(usageBefore);
    const generatorCores = (usage.user + usage.system) / 1_000 / (performance.now() - startMs);
    const after = await this.#observe(replicas);
    const uses = before.flatMap((one, index) => {
      const later = after[index];
      return later === undefined ? [] : [computeUse(one, later)];
    });
    const loop = isOpen ? 'open' : 'closed';
    return {
      kind,
      round,
      callers,
      loop,
      replicas,
      primary,
      ...figuresOf(result, isOpen),
      uses,
      generatorCores,
      loadAverage,
    };
  }

  /** Loads the cluster with puts whose answers are kept. */
  async #load(load: {
    readonly callers: number;
    readonly replicas: readonly number[];
    readonly warmUpMs: number;
    readonly windowMs: number;
    readonly isRotating?: boolean;
    readonly ratePerSecond?: number;
  }): Promise<LoadResult> {
    this.#signal.throwIfAborted();
    const measurement = this.#measurements++;
    const clients = new Map(load.replicas.map((replica) => [replica, this.#cluster.client(replica)]));
    const call = async ({ caller, index, replica }: Operation): Promise<boolean> => {
      const name = { measurement, caller, index };
      const client = clients.get(replica) ?? this.#cluster.client(replica);
      try {
        const { version } = await client.put(this.content.key(name), this.content.value(name));
        this.written.acknowledge(name, version);
        return true;
      } catch (error) {
        this.#onFailure(error);
        return false;
      }
    };
    const result = await runLoad({ ...load, call, clock, signal: this.#signal });
    this.#signal.throwIfAborted();
    this.#checkRunning(load.replicas);
    return result;
  }

  /** A measurement of replicas that ended by themselves is none. */
  #checkRunning(replicas: readonly number[]): void {
    for (const replica of replicas.filter((id) => !this.#cluster.isRunning(id))) {
      const log = this.#cluster.logs(replica).split('\n').slice(-LOG_LINES).join('\n');
      throw new Error(`replica ${replica} ended during a measurement; the end of its log:\n${log}`);
    }
  }

  #onFailure(error: unknown): void {
    if (!(error instanceof ClientError)) {
      throw error;
    }
    if (!error.outcomeKnown) {
      this.written.addUnknown();
    }
    const kind = `${error.code} ${error.reason}`;
    const failure = this.failures.get(kind) ?? { kind, count: 0, example: error.message };
    failure.count += 1;
    this.failures.set(kind, failure);
  }

  async #observe(replicas: readonly number[]): Promise<readonly Observation[]> {
    const { httpPorts } = this.#cluster;
    return Promise.all(replicas.map((replica) => observe(replica, httpPorts[replica] ?? 0, performance.now())));
  }

  /** The backup with the highest id. */
  async #backup(): Promise<number> {
    const last = this.#cluster.replicas.length - 1;
    return (await primaryOf(this.#cluster)) === last ? last - 1 : last;
  }

  async #bringBack(replica: number): Promise<void> {
    this.#signal.throwIfAborted();
    this.#restarted.add(replica);
    this.#cluster.start(replica);
    await this.#cluster.waitReady([replica]);
    await awaitAgreement(this.#cluster, undefined, AGREE_WITHIN_MS);
  }

  async #agree(faults: string[]): Promise<Pick<Verification, 'sequence' | 'headerDigest'>> {
    try {
      const [row] = await awaitAgreement(this.#cluster, undefined, AGREE_WITHIN_MS);
      return { sequence: row?.lastExecutedSequence ?? null, headerDigest: row?.headerDigest.toString('hex') ?? null };
    } catch (error) {
      faults.push(`the replicas don't agree: ${error instanceof Error ? error.message : String(error)}`);
      return { sequence: null, headerDigest: null };
    }
  }
}

function figuresOf(result: LoadResult, isOpen: boolean) {
  const { acknowledged, acknowledgedBySecond, failed, unsent, latencies, lateness, windowMs } = result;
  return {
    operationsPerSecond: acknowledged / (windowMs / 1_000),
    acknowledged,
    acknowledgedBySecond,
    failed,
    unsent,
    latency: mergeLatencies(latencies.values()).summary(),
    latencyByReplica: Object.fromEntries([...latencies].map(([replica, one]) => [replica, one.summary()])),
    lateness: isOpen ? lateness.summary() : null,
  };
}
