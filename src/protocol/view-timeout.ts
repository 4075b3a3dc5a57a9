/**
 * T, the one timeout that serves the request timer and the new-view timer [OSDI §4.5.2].
 *
 * 1. It doubles with every move to another view without a stable checkpoint in between, up to a bound, so that correct
 *    replicas come to wait long enough.
 * 2. A checkpoint interval was executed in one view, or the view has served for many timeouts: it is halved, not below
 *    what is configured nor below twice the longest wait, so that one bad time doesn't make every later fault slow to
 *    pass.
 *
 * Deviation: time counts too, for a cluster with little to do would keep a long T for hours. T shrinks only while the
 * view serves and never below twice what requests waited in it, so it can't shrink below what the network needs.
 */
import { assert } from '../util/assert.js';

/** What T follows from. */
export interface ViewTimeoutOptions {
  /** Where it begins, and what it never goes below. */
  readonly minMs: number;
  readonly maxMs: number;
  /** K, in sequences. */
  readonly checkpointInterval: number;
}

/** How many timeouts a view serves before time alone says that T is long enough. */
const SERVED_TIMEOUTS = 16;

/** T with what it follows from. */
export class ViewTimeout {
  private delayMs: number;
  /** A checkpoint became stable, or the view served for long, or the replica started, since it last left a view. */
  private isEarned = true;
  /** Sequences executed in this view since T was last looked at, since when, and the longest wait of a request meanwhile. */
  private executed = 0;
  private lookedAtMs = 0;
  private longestWaitMs = 0;

  constructor(private readonly options: ViewTimeoutOptions) {
    this.delayMs = options.minMs;
  }

  /** T, in milliseconds. */
  get ms(): number {
    return this.delayMs;
  }

  /** The replica left its view. */
  onViewLeft(): void {
    if (!this.isEarned) {
      this.set(Math.min(2 * this.delayMs, this.options.maxMs));
    }
    this.isEarned = false;
    this.executed = 0;
  }

  /** The replica began to serve in a view, or started. */
  onViewEntered(nowMs: number): void {
    this.lookedAtMs = nowMs;
  }

  /** A checkpoint became stable. */
  onStable(): void {
    this.isEarned = true;
  }

  /** A request is done that waited for so long. */
  onWaited(waitedMs: number): void {
    this.longestWaitMs = Math.max(this.longestWaitMs, waitedMs);
  }

  /** A sequence was executed. */
  onExecuted(nowMs: number): void {
    this.executed++;
    const isLongServed = nowMs - this.lookedAtMs >= SERVED_TIMEOUTS * this.delayMs;
    if (isLongServed) {
      this.isEarned = true;
    }
    if (this.executed >= this.options.checkpointInterval || isLongServed) {
      this.lookedAtMs = nowMs;
      const floorMs = Math.max(this.options.minMs, 2 * this.longestWaitMs);
      this.set(Math.min(this.delayMs, Math.max(floorMs, this.delayMs / 2)));
      this.executed = 0;
      this.longestWaitMs = 0;
    }
  }

  private set(delayMs: number): void {
    const { minMs, maxMs } = this.options;
    assert(delayMs >= Math.min(minMs, maxMs) && delayMs <= Math.max(minMs, maxMs), 'T stays in its bounds');
    this.delayMs = delayMs;
  }
}
