/** The core's timers on the clock of the machine: one of each name runs at a time. */
import type { TimerHandle, TimerService } from '../../ports/timer-service.js';
import type { Effect } from '../../protocol/effects.js';
import type { Event } from '../../protocol/events.js';
import type { TimerName } from '../../protocol/timers.js';

/** Starts and stops timers, and tells of their expiry with the generation that was started. */
export class CoreTimers {
  private readonly running = new Map<TimerName, TimerHandle>();

  constructor(
    private readonly timers: TimerService,
    private readonly onExpired: (event: Event) => void,
  ) {}

  /** Starts a timer, in place of the one of its name that runs. */
  start({ timer, generation, delayMs }: Extract<Effect, { kind: 'startTimer' }>): void {
    this.stop(timer);
    const handle = this.timers.startTimer(delayMs, () => {
      this.running.delete(timer);
      this.onExpired({ kind: 'timerExpired', timer, generation });
    });
    this.running.set(timer, handle);
  }

  /** Stops a timer where it runs. */
  stop(timer: TimerName): void {
    this.running.get(timer)?.cancel();
    this.running.delete(timer);
  }

  /** Stops all. */
  stopAll(): void {
    for (const timer of [...this.running.keys()]) {
      this.stop(timer);
    }
  }
}
