/** Time that goes on when the test says so. */
import type { TimerService } from '../../../src/ports/timer-service.js';

/** Timers of a test; `wallMs` is `elapsedMs` and some. */
export class ManualTimers implements TimerService {
  #nowMs = 0;
  #timers: { readonly dueMs: number; readonly fire: () => void }[] = [];
  readonly deferred: (() => void)[] = [];

  /** How many run. */
  get running(): number {
    return this.#timers.length;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  startTimer(delayMs: number, fire: () => void) {
    const timer = { dueMs: this.#nowMs + delayMs, fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  defer(run: () => void): void {
    this.deferred.push(run);
  }

  random(): number {
    return 0.5;
  }

  /** Lets time pass; what is due fires in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ dueMs }) => dueMs <= untilMs).sort((one, other) => one.dueMs - other.dueMs);
      if (next === undefined) {
        break;
      }
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.dueMs;
      next.fire();
    }
    this.#nowMs = untilMs;
  }
}
