/** One log line in an interval for each name, however often something happens: what was left out is counted. */
import type { TimerService } from '../../ports/timer-service.js';

const LINE_INTERVAL_MS = 1_000;

/** The names must be bounded by the caller: they are remembered. */
export class LineLimit {
  private readonly lines = new Map<string, { lastMs: number; omitted: number }>();

  constructor(
    private readonly timers: Pick<TimerService, 'elapsedMs'>,
    private readonly intervalMs = LINE_INTERVAL_MS,
  ) {}

  /** How many lines were omitted since the last one, or undefined where this one is to be omitted too. */
  take(name: string): number | undefined {
    const nowMs = this.timers.elapsedMs();
    const line = this.lines.get(name);
    if (line === undefined) {
      this.lines.set(name, { lastMs: nowMs, omitted: 0 });
      return 0;
    }
    if (nowMs - line.lastMs < this.intervalMs) {
      line.omitted++;
      return undefined;
    }
    const { omitted } = line;
    line.lastMs = nowMs;
    line.omitted = 0;
    return omitted;
  }
}
