/**
 * One rendering for many readers: whoever asks while one is made, or shortly after, gets that one. So scraping costs
 * at most four renderings a second, however many scrape and how often (OP-08).
 */
import { failed, ok, type Result } from '../util/result.js';

/** What is rendered, and with which clock its age is told. */
export interface RenderingSource {
  render(): Promise<string>;
  /** Monotonic milliseconds. */
  nowMs(): number;
}

/** Called once with the text, or why there is none. */
export type RenderingDone = (result: Result<string, unknown>) => void;

/** How long a rendering is good for. */
export const RENDERING_AGE_MAX_MS = 250;

/** Shares the renderings of one source. */
export class SharedRendering {
  private text: string | undefined;
  /** When the text was begun: what it says is as old as that. */
  private startedMs = 0;
  private waiting: RenderingDone[] | undefined;

  constructor(private readonly source: RenderingSource) {}

  /** Calls `done` with a text that is at most 250 ms old, or was begun before this call and isn't finished yet. */
  get(done: RenderingDone): void {
    if (this.waiting !== undefined) {
      this.waiting.push(done);
      return;
    }
    const nowMs = this.source.nowMs();
    if (this.text !== undefined && nowMs - this.startedMs < RENDERING_AGE_MAX_MS) {
      done(ok(this.text));
      return;
    }
    this.waiting = [done];
    this.startedMs = nowMs;
    this.source.render().then(
      (text) => this.settle(ok(text)),
      (error: unknown) => this.settle(failed(error)),
    );
  }

  private settle(result: Result<string, unknown>): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    this.text = result.ok ? result.value : undefined;
    for (const done of waiting) {
      done(result);
    }
  }
}
