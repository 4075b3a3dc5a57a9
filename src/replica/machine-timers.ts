/** The machine's clocks and timers. */
import { performance } from 'node:perf_hooks';
import type { TimerService } from '../ports/timer-service.js';

/** Timers on the monotonic clock, turns by setImmediate. */
export const machineTimers: TimerService = {
  elapsedMs: () => performance.now(),
  wallMs: () => Date.now(),
  startTimer: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  defer: (run) => {
    setImmediate(run);
  },
  random: () => Math.random(),
};
