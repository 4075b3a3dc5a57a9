/**
 * How late the event loop is: a repeating timer compares when it runs with when it should have. A busy or blocked loop
 * delays it just as it delays votes and timeouts. (perf_hooks measures the same and tells quantiles since the start, which
 * prom-client exports beside; an alert on the last minutes needs counted buckets.)
 */
import { performance } from 'node:perf_hooks';

/** The time between two samples. */
const INTERVAL_MS = 100;

/** The clock and timer that are sampled; tests bring their own. */
export interface LagClock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls `fire` once after `delayMs`; returns what cancels it. */
  startTimer(delayMs: number, fire: () => void): () => void;
}

/** Gives `observe` a lag in seconds, about ten times a second, until the returned function is called. */
export function startEventLoopLagSampler(
  observe: (lagSeconds: number) => void,
  clock: LagClock = processClock,
): () => void {
  let cancel = schedule(clock.nowMs());

  function schedule(startedMs: number): () => void {
    return clock.startTimer(INTERVAL_MS, () => {
      const nowMs = clock.nowMs();
      // Timers count whole milliseconds and may come a fraction early.
      observe(Math.max(0, nowMs - startedMs - INTERVAL_MS) / 1000);
      cancel = schedule(nowMs);
    });
  }

  return () => cancel();
}

const processClock: LagClock = {
  nowMs: () => performance.now(),
  startTimer: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
