/**
 * A token bucket: what one peer may cost this replica, or how often it may make it do something. Tokens come with time and
 * are saved up to a bound. The time is given, so that a bucket knows no clock.
 */

/** How much a bucket gives. Tokens are whatever its owner counts: times, bytes, microseconds of work. */
export interface BucketLimits {
  /** The most that is saved up. */
  readonly max: number;
  readonly perSecond: number;
}

/** One bucket, full at first. */
export class TokenBucket {
  private tokens: number;

  /** `filledAtMs` is on a clock that never goes back; undefined where the time begins with the first look at it. */
  constructor(
    private readonly limits: BucketLimits,
    private filledAtMs?: number,
  ) {
    this.tokens = limits.max;
  }

  /** Adds what came with the time. */
  fill(nowMs: number): void {
    const earned = ((nowMs - (this.filledAtMs ?? nowMs)) / 1_000) * this.limits.perSecond;
    this.tokens = Math.min(this.limits.max, this.tokens + earned);
    this.filledAtMs = nowMs;
  }

  /** Takes one token, or returns false where there is none. */
  take(nowMs: number): boolean {
    this.fill(nowMs);
    if (this.tokens < 1) {
      return false;
    }
    this.tokens -= 1;
    return true;
  }

  /** Takes what something cost that was done, also where less is left: nothing more is given before that is paid. */
  charge(tokens: number): void {
    this.tokens -= tokens;
  }

  /** Whether nothing is left, or less. */
  get isEmpty(): boolean {
    return this.tokens <= 0;
  }

  /** Milliseconds from the last `fill` until something is left; 0 where something is. */
  get waitMs(): number {
    return this.isEmpty ? Math.ceil((-this.tokens / this.limits.perSecond) * 1_000) + 1 : 0;
  }
}
