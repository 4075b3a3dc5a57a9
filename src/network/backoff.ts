/** How long to wait before dialling a peer again: doubling, with jitter, capped; short again after a link that held. */

/** The bounds of the delays. */
export interface BackoffOptions {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** A link that held this long was a good one: the next delay is the shortest again. */
  readonly stableMs: number;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/** The delays towards one peer. */
export class Backoff {
  private readonly options: BackoffOptions;
  private ceilingMs: number;

  constructor(options: BackoffOptions) {
    this.options = options;
    this.ceilingMs = options.delayMinMs;
  }

  /** The delay after an attempt whose link held for `linkMs`, 0 for none: half to all of a ceiling that doubles. */
  nextDelayMs(linkMs: number): number {
    if (linkMs >= this.options.stableMs) {
      this.ceilingMs = this.options.delayMinMs;
    }
    const delayMs = this.ceilingMs * (0.5 + this.options.random() / 2);
    this.ceilingMs = Math.min(this.options.delayMaxMs, this.ceilingMs * 2);
    return delayMs;
  }
}
