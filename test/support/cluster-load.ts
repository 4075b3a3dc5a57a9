/**
 * Concurrent callers of a cluster of processes, and the proof that what they were told is so.
 *
 * 1. Each put has a key of its own. Read back, it must have the very version that its answer told: a put that was
 *    executed twice has a later one, a put that was lost has none.
 * 2. Each caller now and then increments a counter that it shares with others, by compare-and-swap: the counter must be
 *    at the number of the swaps that succeeded, plus at most those of unknown outcome.
 * 3. All calls stand in a history, in which the search for a linearization must find one.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientError } from '../../src/client/client-error.js';
import { HistoryRecorder } from '../simulation/work/history-recorder.js';
import type { TestCluster } from './cluster.js';
import { eventually } from './cluster-deadline.js';
import { searchLinearization } from './linearizability/search.js';
import { RecordedCaller } from './recorded-caller.js';

/** What is called, by whom, how often. */
export interface LoadOptions {
  /** Begins the keys: another one for each load of a cluster. */
  readonly prefix: string;
  /** The replicas that are called, in turn. */
  readonly through: readonly number[];
  readonly callers: number;
  /** Puts in all; without it the load goes on until it is stopped. */
  readonly puts?: number;
  /** 10 s by default. */
  readonly timeoutMs?: number;
}

const COUNTERS = 8;
/** One call in so many is an increment. */
const INCREMENT_EACH = 10;
/** After a failure, so that a replica that is down isn't asked thousands of times. */
const PAUSE_MS = 20;
const RANGE_LIMIT = 1_000;
const LATE_READ_MS = 20_000;
const PROGRESS_WITHIN_MS = 20_000;

/** A failed call with how long its caller waited. */
export interface FailedCall {
  readonly error: ClientError;
  readonly tookMs: number;
  readonly replica: number;
}

/** Callers at work. */
export class ClusterLoad {
  /** Version by key, as the answers told. */
  readonly acknowledged = new Map<string, number>();
  /** Keys that may be there or not. */
  readonly unknown = new Set<string>();
  readonly failures: FailedCall[] = [];
  readonly history = new HistoryRecorder();
  /** When the first put was answered that was executed in this view, by view, in the time of `performance.now()`. */
  readonly firstAnswerMs = new Map<number, number>();
  /** Settled when all callers have ended. */
  readonly done: Promise<void>;
  readonly startMs = performance.now();
  /** How long it took, once it is done. */
  tookMs = 0;
  readonly #options: LoadOptions;
  readonly #cluster: TestCluster;
  readonly #swapped = new Map<string, number>();
  readonly #maybeSwapped = new Map<string, number>();
  /** Rejected when a caller ends in a way that no test expects; never resolved. */
  readonly #broken: Promise<never>;
  #nextPut = 0;
  #isStopping = false;

  constructor(cluster: TestCluster, options: LoadOptions) {
    this.#cluster = cluster;
    this.#options = options;
    const callers = Array.from({ length: options.callers }, (_, id) => this.#work(id));
    this.done = Promise.all(callers).then(() => {
      this.tookMs = performance.now() - this.startMs;
    });
    this.#broken = new Promise((_, reject) => {
      this.done.catch(reject);
    });
    this.#broken.catch(() => undefined);
  }

  /** Waits until so many more puts are acknowledged. */
  progress(puts: number, withinMs = PROGRESS_WITHIN_MS): Promise<void> {
    const target = this.acknowledged.size + puts;
    const describe = (): string => `${this.acknowledged.size} of ${target} puts; ${this.failures.length} calls failed`;
    const isReached = (): boolean => this.acknowledged.size >= target;
    return Promise.race([eventually(isReached, { withinMs, describe }), this.#broken]);
  }

  /** Lets the calls under way end, and begins no other. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.done;
  }

  /** Proves 1 to 3 by reading at this replica. The load must be done. */
  async verify(replica: number): Promise<void> {
    const found = await this.#readBack(replica);
    for (const [key, version] of this.acknowledged) {
      assert.equal(found.get(key)?.version, version, `the version of ${key}, acknowledged as ${version}`);
      assert.equal(found.get(key)?.value, textOf(key));
    }
    for (const key of found.keys()) {
      assert.ok(this.acknowledged.has(key) || this.unknown.has(key) || isCounter(key), `nobody put ${key}`);
    }
    for (const counter of this.#counters()) {
      const value = Number(found.get(counter)?.value ?? 0);
      const least = this.#swapped.get(counter) ?? 0;
      const most = least + (this.#maybeSwapped.get(counter) ?? 0);
      assert.ok(value >= least && value <= most, `${counter} is at ${value}, incremented ${least} to ${most} times`);
    }
    const searched = searchLinearization(this.history.entries);
    assert.equal(searched.kind, 'linearizable', searched.kind === 'refused' ? searched.reason : searched.kind);
  }

  async #work(id: number): Promise<void> {
    const { through, puts = Number.POSITIVE_INFINITY, timeoutMs = 10_000 } = this.#options;
    const replica = through[id % through.length] ?? 0;
    const client = () => this.#cluster.client(replica);
    const caller = new RecordedCaller({ id, client, history: this.history, timeoutMs });
    for (let call = id; !this.#isStopping && this.#nextPut < puts; call++) {
      const sentMs = performance.now();
      try {
        await (call % INCREMENT_EACH === 0 ? this.#increment(caller, call) : this.#put(caller));
      } catch (error) {
        assert.ok(error instanceof ClientError, String(error));
        this.failures.push({ error, tookMs: performance.now() - sentMs, replica });
        await delay(PAUSE_MS);
      }
    }
  }

  async #put(caller: RecordedCaller): Promise<void> {
    const key = `${this.#options.prefix}/put/${this.#nextPut++}`;
    try {
      const { version, view } = await caller.put(key, textOf(key));
      this.acknowledged.set(key, version);
      this.firstAnswerMs.set(view, this.firstAnswerMs.get(view) ?? performance.now());
    } catch (error) {
      if (!(error instanceof ClientError && error.outcomeKnown)) {
        this.unknown.add(key);
      }
      throw error;
    }
  }

  async #increment(caller: RecordedCaller, call: number): Promise<void> {
    const key = `${this.#options.prefix}/counter/${call % COUNTERS}`;
    const { version, value = '0' } = await caller.get(key);
    try {
      const { swapped } = await caller.swap(key, { version, value: String(Number(value) + 1) });
      if (swapped) {
        this.#swapped.set(key, (this.#swapped.get(key) ?? 0) + 1);
      }
    } catch (error) {
      if (!(error instanceof ClientError && error.outcomeKnown)) {
        this.#maybeSwapped.set(key, (this.#maybeSwapped.get(key) ?? 0) + 1);
      }
      throw error;
    }
  }

  #counters(): readonly string[] {
    return Array.from({ length: COUNTERS }, (_, index) => `${this.#options.prefix}/counter/${index}`);
  }

  async #readBack(replica: number): Promise<Map<string, { readonly value: string; readonly version: number }>> {
    const found = new Map<string, { readonly value: string; readonly version: number }>();
    let continuation: Uint8Array | undefined;
    do {
      const request = { prefix: `${this.#options.prefix}/`, limit: RANGE_LIMIT };
      const page = await this.#cluster
        .client(replica)
        .range(continuation === undefined ? request : { ...request, continuation }, { timeoutMs: LATE_READ_MS });
      for (const { key, value, version } of page.entries) {
        found.set(key, { value: String(value), version });
      }
      continuation = page.continuation;
    } while (continuation.length > 0);
    return found;
  }
}

function textOf(key: string): string {
  return `value of ${key}`;
}

function isCounter(key: string): boolean {
  return key.includes('/counter/');
}
