/**
 * Leaving a view [OSDI §4.4, §4.5.2]: why, and what is said.
 *
 * 1. From the moment a replica moves to view w it signs no PrePrepare, Prepare or Commit of a lower one; it goes on
 *    learning what is decided there.
 * 2. Its ViewChange holds, for each sequence in (h, H] that prepared, the certificate of the highest view. It is
 *    durable before it leaves, and the very bytes are resent: it is never rebuilt.
 * 3. T (view-timeout.ts) serves the request timer and the new-view timer, and doubles with every fruitless move.
 */
import { assert } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { takeProvenFault } from './evidence.js';
import { computeExplanation } from './explaining.js';
import type { ViewChangeCause } from './explanation.js';
import { dropDelayed, dropOlderMessages } from './future-messages.js';
import { view as toView, type View } from './identifiers.js';
import type { Signed, Verified, ViewChange } from './messages.js';
import { forgetCosts } from './proposing.js';
import { leaveView } from './slot.js';
import { type CoreState, emit, mayVote, note, stopTimer } from './state.js';
import { sendStatusToAll } from './status.js';
import { computeViewChangeDigest } from './view-change-log.js';
import { isActive, moveTo } from './view-state.js';

/** Moves to a later view. */
export function startViewChange(state: CoreState, target: View, cause: ViewChangeCause): void {
  assert(mayVote(state), 'a replica moves when it may say so');
  assert(!state.diverged, 'a diverged replica leaves no view');
  const explanation = computeExplanation(state, state.now.elapsedMs);
  state.timeout.onViewLeft();
  note(state, {
    kind: 'viewLeft',
    from: state.view.number,
    to: target,
    cause,
    timeoutMs: state.timeout.ms,
    explanation,
  });
  moveTo(state, target, { cause, nowMs: state.now.elapsedMs });
  for (const timer of ['request', 'newView', 'batchDelay', 'delayedProposal'] as const) {
    stopTimer(state, timer);
  }
  // order: none, each slot is looked at alone.
  for (const slot of state.slots.values()) {
    leaveView(slot);
  }
  dropDelayed(state);
  dropOlderMessages(state);
  state.pool.forgetProposals();
  forgetCosts(state);
  pruneViewChanges(state);
  assertLeft(state, target);
  emit(state, { kind: 'persist', record: { kind: 'view', view: target } });
  emit(state, { kind: 'sign', message: computeViewChange(state) });
  sendStatusToAll(state);
}

/** Nothing that was accepted in the view that was left can be voted for any more. */
function assertLeft(state: CoreState, target: View): void {
  assert(!isActive(state) && state.view.number === target, 'it is in the view that it moved to, and not active');
  // order: none, each by itself.
  for (const { proposal, prepares } of state.slots.values()) {
    assert(proposal === undefined && prepares.size === 0, 'what was accepted in a view ends with it');
  }
  assert(state.delayed.size === 0, 'proposals whose time has not come end with their view');
}

/** The next view, for a move that a timer or the primary's fault asks for. */
export function nextView(state: CoreState): View {
  return toView(state.view.number + 1);
}

/** What this replica says as it moves to its view. */
export function computeViewChange(state: CoreState): ViewChange {
  assert(!isActive(state), 'a replica says a ViewChange as it leaves');
  const prepared = [...state.slots.values()]
    .sort((left, right) => left.sequence - right.sequence)
    .flatMap((slot) => (slot.prepared === undefined ? [] : [slot.prepared]));
  return {
    type: 'viewChange',
    newView: state.view.number,
    stableCheckpoint: state.stable.sequence,
    checkpointCertificate: state.stable.certificate?.checkpoints ?? [],
    prepared,
  };
}

/** The own ViewChange is signed: it is made durable, sent to all, and counted. */
export function onOwnViewChangeSigned(state: CoreState, signed: Verified<Signed<ViewChange>>): void {
  if (
    !mayVote(state) ||
    isActive(state) ||
    signed.message.newView !== state.view.number ||
    ownViewChange(state) !== undefined
  ) {
    return;
  }
  emit(state, { kind: 'persist', record: { kind: 'viewChange', viewChange: signed } });
  emit(state, { kind: 'forward', to: 'all', item: { kind: 'message', message: signed } });
  const digest = computeViewChangeDigest(signed, state.configuration.hash);
  state.viewChanges.add({ signed, digest, judgement: 'valid' });
}

/** The own ViewChange for the view that this replica moved to, once it is signed. */
export function ownViewChange(state: CoreState): Verified<Signed<ViewChange>> | undefined {
  return state.viewChanges.of(state.configuration.replica, state.view.number)?.signed;
}

/** Forgets the ViewChanges that nothing needs any more. */
export function pruneViewChanges(state: CoreState): void {
  // Those that the NewView of an entered view names stand beside it, in `begun`.
  const named = new Set<Digest>();
  for (const { signed } of state.pendingNewViews.values()) {
    if (signed.message.newView === state.view.number) {
      for (const { digest } of signed.message.viewChanges) {
        named.add(digest);
      }
    }
  }
  state.viewChanges.prune(state.view.number, isActive(state), named);
}

/** The primary of this view signed contradicting statements: everyone learns of it, and this replica moves on. */
export function maybeLeaveFaultyPrimary(state: CoreState): void {
  const provenFault = takeProvenFault(state);
  if (provenFault === undefined || provenFault.view !== state.view.number || state.diverged) {
    return;
  }
  const { first, second } = provenFault;
  emit(state, { kind: 'forward', to: 'all', item: { kind: 'evidence', first, second } });
  startViewChange(state, nextView(state), 'evidence');
}

/** The new-view timer expired: the primary of this view did not begin it in time. */
export function onNewViewTimerExpired(state: CoreState): void {
  if (!isActive(state) && !state.diverged && mayVote(state)) {
    startViewChange(state, nextView(state), 'newViewTimeout');
  }
}
