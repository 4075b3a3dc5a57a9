/**
 * The core's table of timers. Each row has a generation; an expiry of an older one is ignored by the core, whatever
 * the shell does.
 */
/** Every timer of the core. */
export const TIMER_NAMES = ['batchDelay', 'delayedProposal', 'newView', 'request', 'status'] as const;

/** A row of the table. */
export type TimerName = (typeof TIMER_NAMES)[number];

/** What the table wants done with the machine's timers. */
export type TimerEffect =
  | { readonly kind: 'startTimer'; readonly timer: TimerName; readonly generation: number; readonly delayMs: number }
  | { readonly kind: 'stopTimer'; readonly timer: TimerName };

/** Timers with their generations. */
export class TimerTable {
  private readonly generations = new Map<TimerName, number>();
  /** When each that runs will expire, monotonic. */
  private readonly running = new Map<TimerName, number>();

  /** Starts or restarts a timer. */
  start(timer: TimerName, delayMs: number, nowMs: number): TimerEffect {
    const generation = (this.generations.get(timer) ?? 0) + 1;
    this.generations.set(timer, generation);
    this.running.set(timer, nowMs + delayMs);
    return { kind: 'startTimer', timer, generation, delayMs };
  }

  /** Stops a timer; nothing where it isn't running. */
  stop(timer: TimerName): TimerEffect | undefined {
    return this.running.delete(timer) ? { kind: 'stopTimer', timer } : undefined;
  }

  /** Whether it runs. */
  isRunning(timer: TimerName): boolean {
    return this.running.has(timer);
  }

  /** When it will expire, undefined where it isn't running. */
  runningUntilMs(timer: TimerName): number | undefined {
    return this.running.get(timer);
  }

  /** Takes an expiry; returns whether it is of the running generation. */
  expire(timer: TimerName, generation: number): boolean {
    if (!this.running.has(timer) || this.generations.get(timer) !== generation) {
      return false;
    }
    this.running.delete(timer);
    return true;
  }
}
