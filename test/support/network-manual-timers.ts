/** A clock that stands until a test moves it. What is deferred runs in the next turn of the loop all the same. */
import type { TimerHandle, TimerService } from '../../src/ports/timer-service.js';

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** Timers for tests of deadlines and delays. */
export class ManualTimers implements TimerService {
  private nowMs = 1_000;
  private timers: Timer[] = [];

  elapsedMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  startTimer(delayMs: number, fire: () => void): TimerHandle {
    const timer = { dueMs: this.nowMs + delayMs, fire };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((one) => one !== timer);
      },
    };
  }

  defer(run: () => void): void {
    setImmediate(run);
  }

  random(): number {
    return 1;
  }

  /** The delays that run, shortest first. */
  delaysMs(): number[] {
    return this.timers.map((timer) => timer.dueMs - this.nowMs).sort((left, right) => left - right);
  }

  /** Moves the clock, firing what gets due on the way in its order. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const [next] = this.timers
        .filter((timer) => timer.dueMs <= untilMs)
        .sort((left, right) => left.dueMs - right.dueMs);
      if (next === undefined) {
        break;
      }
      this.timers = this.timers.filter((timer) => timer !== next);
      this.nowMs = next.dueMs;
      next.fire();
    }
    this.nowMs = untilMs;
  }
}
