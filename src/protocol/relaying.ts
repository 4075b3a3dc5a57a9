/**
 * Requests that wait [OSDI §4.5.2; protocol.md 3 and 6]. A backup passes on at once what its own callers asked, and what
 * still waits after half the request timeout to all, again and again: no single send matters. When the oldest has
 * waited for the whole timeout, it leaves the primary.
 */
import { computeExplanation } from './explaining.js';
import type { ReplicaId } from './identifiers.js';
import { nextView, startViewChange } from './leaving-view.js';
import type { SignedRequest, Verified } from './messages.js';
import { type Rejection, reject } from './rejection.js';
import type { WaitingRequest } from './request-pool.js';
import { computeRemainingMs } from './request-timer.js';
import {
  type CoreState,
  currentPrimary,
  emit,
  isPrimary,
  lowWatermark,
  mayVote,
  note,
  noteRejection,
} from './state.js';
import { beginPatience, isActive } from './view-state.js';

/** The most that one expiry passes on: what is left goes with the next. */
const RELAY_REQUESTS_MAX = 256;
const RELAY_BYTES_MAX = 4 * 1024 * 1024;

/** A client's request came, from a caller of this replica or passed on by a peer. */
export function onRequest(state: CoreState, request: Verified<SignedRequest>, from: ReplicaId | 'local'): void {
  const sender = from === 'local' ? undefined : from;
  if (state.diverged) {
    noteRejection(state, 'request', reject('diverged'), sender);
    return;
  }
  const waiting = state.pool.add(request, from === 'local', state.now.elapsedMs);
  if (waiting === 'duplicate' || waiting === 'quota') {
    const rejection: Rejection = reject(waiting);
    noteRejection(state, 'request', rejection, sender);
    return;
  }
  if (waiting.isLocal && !(isPrimary(state) && isActive(state))) {
    // Where the primary is out of reach, the others' timers begin at once and not with the relay at half time.
    // Where this replica left the view alone, the others still serve it.
    const isPrimaryConnected = state.peers.get(currentPrimary(state))?.connected ?? false;
    relay(state, waiting, isPrimaryConnected && isActive(state) ? currentPrimary(state) : 'all');
  }
}

/** What waits for half the timeout is passed on again, to all; for what waits longer than it the primary is left. */
export function onRequestTimerExpired(state: CoreState): void {
  const now = state.now.elapsedMs;
  const due = state.pool.select(
    ({ knownSinceMs, relayedAtMs }) => now - (relayedAtMs ?? knownSinceMs) >= state.timeout.ms / 2,
  );
  // What was passed on longest ago comes first: else what one expiry has no room for would never have its turn.
  due.sort((left, right) => (left.relayedAtMs ?? -1) - (right.relayedAtMs ?? -1));
  relayUpToBounds(state, due, 'all');
  if (!isActive(state) || !mayVote(state)) {
    return;
  }
  const remainingMs = computeRemainingMs(state, state.now.elapsedMs);
  if (remainingMs === undefined || remainingMs > 0) {
    return;
  }
  note(state, { kind: 'requestOverdue', explanation: computeExplanation(state, now) });
  if (isPrimary(state) || state.lastExecuted < lowWatermark(state)) {
    return;
  }
  if (hasHeardFromQuorum(state)) {
    startViewChange(state, nextView(state), 'requestTimeout');
  } else {
    // This replica is the one that is cut off: nobody is to blame, and everyone's time begins anew.
    beginPatience(state, now);
  }
}

/** Whether a quorum, this replica included, was heard of lately. */
function hasHeardFromQuorum(state: CoreState): boolean {
  const sinceMs = state.now.elapsedMs - Math.max(state.timeout.ms, HEARD_MS);
  const heard = [...state.peers.values()].filter(({ heardAtMs }) => heardAtMs >= sinceMs).length;
  return heard + 1 >= state.configuration.sizes.quorum;
}

const HEARD_MS = 10_000;

/** The primary's link is up again, or it is another now: it may not have what callers of this replica asked. */
export function relayToPrimary(state: CoreState): void {
  if (!isPrimary(state) && isActive(state) && !state.diverged) {
    relayUpToBounds(
      state,
      state.pool.select(({ isLocal }) => isLocal),
      currentPrimary(state),
    );
  }
}

/** The link to the primary broke: the others learn at once what callers of this replica wait for. */
export function relayToAll(state: CoreState): void {
  if (isActive(state) && !state.diverged) {
    relayUpToBounds(
      state,
      state.pool.select(({ isLocal }) => isLocal),
      'all',
    );
  }
}

function relayUpToBounds(state: CoreState, requests: readonly WaitingRequest[], to: ReplicaId | 'all'): void {
  let sizeBytes = 0;
  for (const waiting of requests.slice(0, RELAY_REQUESTS_MAX)) {
    const isFirst = sizeBytes === 0;
    sizeBytes += waiting.request.bytes.length;
    // The genesis may allow requests longer than the bound: one goes in any case, or it and all after it would never go.
    if (sizeBytes > RELAY_BYTES_MAX && !isFirst) {
      return;
    }
    relay(state, waiting, to);
  }
}

function relay(state: CoreState, waiting: WaitingRequest, to: ReplicaId | 'all'): void {
  state.pool.markRelayed(waiting, state.now.elapsedMs);
  emit(state, { kind: 'forward', to, item: { kind: 'request', request: waiting.request } });
}
