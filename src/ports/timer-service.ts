/** Clocks and delays. */

/** A running timer. */
export interface TimerHandle {
  /** Nothing happens any more; harmless afterwards. */
  cancel(): void;
}

/** The time as the runtime sees it. */
export interface TimerService {
  /** Milliseconds since any fixed point; never goes back. */
  elapsedMs(): number;
  /** Milliseconds since 1970, from a clock that may jump. */
  wallMs(): number;
  /** Calls `fire` once, after at least `delayMs`. */
  startTimer(delayMs: number, fire: () => void): TimerHandle;
  /** Calls `run` soon, after what is already due: the next turn of the loop. */
  defer(run: () => void): void;
  /** A random number from 0 to 1, for jitter and nonces of nothing secret. */
  random(): number;
}
