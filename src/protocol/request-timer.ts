/**
 * How long the primary has for a request [OSDI §4.5.2].
 *
 * The timer is that of the oldest waiting request, from when it was first known in this view: executing others doesn't
 * touch it, or a primary could censor one client for ever.
 */
import { type CoreState, ensureTimer, stopTimer } from './state.js';

/** How long the oldest waiting request has left in this view; undefined where none waits, and between views. */
export function computeRemainingMs(state: CoreState, nowMs: number): number | undefined {
  const { view } = state;
  const oldest = state.pool.oldest();
  if (oldest === undefined || view.kind === 'changing') {
    return undefined;
  }
  const sinceMs = Math.max(oldest.knownSinceMs, view.patientSinceMs);
  // Own execution that lags behind what is committed is not the primary's fault.
  const isLagging = state.lastDispatched - state.lastExecuted >= state.configuration.local.pipeline;
  return sinceMs + state.timeout.ms * (isLagging ? 2 : 1) - nowMs;
}

/** The request timer runs while anything waits: to the next relay or, in a view, to when its primary is left. */
export function updateRequestTimer(state: CoreState): void {
  if (state.pool.size === 0 || state.diverged) {
    stopTimer(state, 'request');
    return;
  }
  const remainingMs = computeRemainingMs(state, state.now.elapsedMs) ?? state.timeout.ms;
  ensureTimer(state, 'request', remainingMs > 0 ? Math.min(remainingMs, state.timeout.ms / 2) : state.timeout.ms / 2);
}
