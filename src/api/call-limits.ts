/**
 * What one call may take: time, and a place among those that are served at one time.
 *
 * 1. A caller with a deadline is answered a little before it, so that it sees why there is no result and what became of
 *    the operation, and not its own library's timeout.
 * 2. An operation whose caller is gone counts until it is done: it holds memory and a place in the replica's queues all
 *    the same.
 */
import type { Deadline } from '@grpc/grpc-js';

/** Times of calls, in milliseconds. */
export interface CallTimes {
  /** For a caller without a deadline. */
  readonly defaultMs: number;
  /** The longest that a call waits here, whatever its deadline. */
  readonly maxMs: number;
}

/** How much earlier than its deadline a caller is answered: a tenth of what is left, at most this. */
const MARGIN_MAX_MS = 250;
const MARGIN_SHARE = 0.1;

/** Milliseconds that a call may take from now; 0 or less where its deadline leaves none. */
export function computeCallBudgetMs(deadline: Deadline, nowWallMs: number, times: CallTimes): number {
  const leftMs = (deadline instanceof Date ? deadline.getTime() : deadline) - nowWallMs;
  if (leftMs === Number.POSITIVE_INFINITY || Number.isNaN(leftMs)) {
    return times.defaultMs;
  }
  return Math.min(times.maxMs, Math.floor(leftMs - Math.min(leftMs * MARGIN_SHARE, MARGIN_MAX_MS)));
}

/** Counts what is under way against a bound. */
export class CallLimit {
  private readonly callsMax: number;
  private underWay = 0;

  constructor(callsMax: number) {
    this.callsMax = callsMax;
  }

  /** Serves a call where there is a place for it; undefined where there is none. */
  async run<T>(serve: () => Promise<T>): Promise<T | undefined> {
    if (this.underWay >= this.callsMax) {
      return undefined;
    }
    this.underWay++;
    try {
      return await serve();
    } finally {
      this.underWay--;
    }
  }
}
