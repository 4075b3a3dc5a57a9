/**
 * Callers at work for a given time, as a closed or as an open loop.
 *
 * - Closed: each caller begins a call when its last one is answered. The cluster sets the pace, so a stall delays what
 *   would have been sent meanwhile, and the latencies don't show it: read them with the throughput.
 * - Open: calls are due at a fixed rate, whatever the cluster does, and a latency counts from when the call was due. A
 *   call that had to wait for a free caller counts in full (corrected for coordinated omission), and one that was never
 *   sent because time was over counts with what it had waited by then.
 *
 * A window is measured after a warm-up under the same load. Throughput counts the calls that were answered within it,
 * latency those that began within it, those answered later too. A failed call is counted, and has no latency.
 */
import { LatencyHistogram } from './latency.js';

/** The time that the load lives by. */
export interface LoadClock {
  nowMs(): number;
  /** Resolves at that time or a little later. */
  sleepUntil(timeMs: number): Promise<void>;
}

/** One call to make. */
export interface Operation {
  readonly caller: number;
  /** Counts this caller's calls from 0. */
  readonly index: number;
  readonly replica: number;
}

/** What the load is. */
export interface LoadOptions {
  readonly callers: number;
  /** The replicas that are called: each caller has one of them, in turn. */
  readonly replicas: readonly number[];
  /** Each caller goes from replica to replica instead, call by call. */
  readonly isRotating?: boolean;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** All callers together; absent for a closed loop. */
  readonly ratePerSecond?: number;
  /** Whether it was acknowledged. A rejection ends the load: it is a defect of the benchmark. */
  readonly call: (operation: Operation) => Promise<boolean>;
  readonly clock: LoadClock;
  /** Begins no call any more when it is aborted. */
  readonly signal?: AbortSignal;
}

/** What was measured. */
export interface LoadResult {
  readonly windowMs: number;
  /** Calls acknowledged within the window. */
  readonly acknowledged: number;
  /** The same by second of the window; the last second may be a part of one. */
  readonly acknowledgedBySecond: readonly number[];
  /** Calls that failed, within the window or not. */
  readonly failed: number;
  /** Of an open loop: calls due within the window that were never sent. */
  readonly unsent: number;
  /** By the replica that was called; with unsent ones under that of the caller that should have sent it. */
  readonly latencies: ReadonlyMap<number, LatencyHistogram>;
  /** Of an open loop: how much later than due calls were sent. Part of the latencies. */
  readonly lateness: LatencyHistogram;
}

/** After a failure, so that a replica that is down isn't asked thousands of times a second. */
const FAILURE_PAUSE_MS = 20;

/** Runs a load to its end; resolves when the last call is answered. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const load = new Load(options);
  await Promise.all(Array.from({ length: options.callers }, (_, caller) => load.work(caller)));
  return load.result();
}

class Load {
  readonly #options: LoadOptions;
  readonly #startMs: number;
  readonly #windowStartMs: number;
  readonly #endMs: number;
  readonly #latencies = new Map<number, LatencyHistogram>();
  readonly #lateness = new LatencyHistogram();
  readonly #bySecond: number[];
  #acknowledged = 0;
  #failed = 0;
  #unsent = 0;
  #nextTurn = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#startMs = options.clock.nowMs();
    this.#windowStartMs = this.#startMs + options.warmUpMs;
    this.#endMs = this.#windowStartMs + options.windowMs;
    this.#bySecond = Array.from({ length: Math.ceil(options.windowMs / 1_000) }, () => 0);
    for (const replica of options.replicas) {
      this.#latencies.set(replica, new LatencyHistogram());
    }
  }

  work(caller: number): Promise<void> {
    const { ratePerSecond } = this.#options;
    return ratePerSecond === undefined ? this.#workClosed(caller) : this.#workOpen(caller, 1_000 / ratePerSecond);
  }

  result(): LoadResult {
    return {
      windowMs: this.#options.windowMs,
      acknowledged: this.#acknowledged,
      acknowledgedBySecond: this.#bySecond,
      failed: this.#failed,
      unsent: this.#unsent,
      latencies: this.#latencies,
      lateness: this.#lateness,
    };
  }

  async #workClosed(caller: number): Promise<void> {
    const { clock } = this.#options;
    for (let index = 0; !this.#isAborted(); index++) {
      const nowMs = clock.nowMs();
      if (nowMs >= this.#endMs) {
        return;
      }
      await this.#call(this.#operation(caller, index), nowMs);
    }
  }

  async #workOpen(caller: number, intervalMs: number): Promise<void> {
    const { clock } = this.#options;
    for (let index = 0; !this.#isAborted(); index++) {
      const dueMs = this.#startMs + this.#nextTurn * intervalMs;
      if (dueMs >= this.#endMs) {
        return;
      }
      this.#nextTurn += 1;
      if (clock.nowMs() < dueMs) {
        await clock.sleepUntil(dueMs);
      }
      const operation = this.#operation(caller, index);
      const nowMs = clock.nowMs();
      if (nowMs < this.#endMs) {
        this.#recordLateness(dueMs, nowMs);
        await this.#call(operation, dueMs);
      } else if (dueMs >= this.#windowStartMs) {
        this.#unsent += 1;
        this.#recordLateness(dueMs, this.#endMs);
        this.#latencies.get(operation.replica)?.record(this.#endMs - dueMs);
      }
    }
  }

  async #call(operation: Operation, fromMs: number): Promise<void> {
    const { call, clock } = this.#options;
    const isAcknowledged = await call(operation);
    const nowMs = clock.nowMs();
    if (!isAcknowledged) {
      this.#failed += 1;
      await clock.sleepUntil(nowMs + FAILURE_PAUSE_MS);
      return;
    }
    if (this.#isWithin(fromMs)) {
      this.#latencies.get(operation.replica)?.record(nowMs - fromMs);
    }
    if (this.#isWithin(nowMs)) {
      this.#acknowledged += 1;
      const second = Math.floor((nowMs - this.#windowStartMs) / 1_000);
      this.#bySecond[second] = (this.#bySecond[second] ?? 0) + 1;
    }
  }

  #recordLateness(dueMs: number, sentMs: number): void {
    if (this.#isWithin(dueMs)) {
      this.#lateness.record(sentMs - dueMs);
    }
  }

  #operation(caller: number, index: number): Operation {
    const { replicas, isRotating = false } = this.#options;
    const replica = replicas[(isRotating ? caller + index : caller) % replicas.length] ?? 0;
    return { caller, index, replica };
  }

  #isWithin(timeMs: number): boolean {
    return timeMs >= this.#windowStartMs && timeMs < this.#endMs;
  }

  #isAborted(): boolean {
    return this.#options.signal?.aborted ?? false;
  }
}
