/** A token bucket: how often one peer may make this replica do something costly, or write a line of log. */

/** How much a bucket allows. */
export interface RateLimitOptions {
  /** How many at once, after a pause. */
  readonly burst: number;
  readonly perSecond: number;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsedMs: () => number;
}

/** One bucket, full at first. */
export class RateLimit {
  private readonly options: RateLimitOptions;
  private tokens: number;
  private refilledAtMs: number;

  constructor(options: RateLimitOptions) {
    this.options = options;
    this.tokens = options.burst;
    this.refilledAtMs = options.elapsedMs();
  }

  /** Takes a token, or returns false where there is none. */
  take(): boolean {
    const nowMs = this.options.elapsedMs();
    const refill = ((nowMs - this.refilledAtMs) / 1000) * this.options.perSecond;
    this.tokens = Math.min(this.options.burst, this.tokens + refill);
    this.refilledAtMs = nowMs;
    if (this.tokens < 1) {
      return false;
    }
    this.tokens -= 1;
    return true;
  }
}
