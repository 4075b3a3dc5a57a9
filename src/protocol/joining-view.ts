/**
 * Others' ViewChanges [OSDI §4.4, §4.5.2]: which are taken and judged, and when they move this replica.
 *
 * 1. Each sender counts with the highest view of its valid ViewChanges. A replica moves at once to the weak-quorum-th
 *    largest of these where it is above its own view: at least one correct replica is there.
 * 2. Certificates cost many signatures, so they are judged only when the ViewChange could complete a weak quorum or a
 *    quorum, or a NewView names it; one bad entry voids that ViewChange, and its sender waits a timeout.
 * 3. The new-view timer runs from the moment a quorum counts with this view or more: not exactly this view, for
 *    replaced ViewChanges would stall it for ever.
 */
import type { Digest } from '../util/digest.js';
import { type Owned, owned } from '../util/owned.js';
import { addsEvidence, recordEvidence } from './evidence.js';
import { computeExplanation } from './explaining.js';
import type { ReplicaId, View } from './identifiers.js';
import { nextView, pruneViewChanges, startViewChange } from './leaving-view.js';
import type { Signed, Verified, ViewChange } from './messages.js';
import { type Rejection, reject } from './rejection.js';
import {
  type CoreState,
  currentPrimary,
  emit,
  ensureTimer,
  mayVote,
  note,
  noteRejection,
  rulesOf,
  type Unchecked,
} from './state.js';
import { computeViewChangeDigest, type HeldViewChange } from './view-change-log.js';
import { isWellFormedViewChange } from './view-change-rules.js';
import { addBadNamed, isActive } from './view-state.js';

/** This file alone writes it. */
function own(state: CoreState): Owned<Pick<CoreState, 'badViewChangeAtMs'>> {
  return owned(state);
}

/**
 * Why a ViewChange is not taken, or undefined. Cheap: made before its signature is checked, then without its digest, and
 * again with it.
 */
export function rejectViewChange(
  state: CoreState,
  message: ViewChange,
  sender: ReplicaId,
  digest?: Digest,
): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  // Before the quota: a faulty sender shows the primary a good one and the others a bad one, so that they would refuse
  // for a whole timeout what the NewView rests on, in every view.
  if (isNamed(state, message.newView, sender, digest)) {
    return undefined;
  }
  if ((state.badViewChangeAtMs.get(sender) ?? -Infinity) > state.now.elapsedMs - state.timeout.ms) {
    return reject('quota');
  }
  if (message.newView < state.view.number || (message.newView === state.view.number && isActive(state))) {
    return reject('oldView');
  }
  const highest = state.viewChanges.highestViews('all').get(sender);
  const isFirstForThisView =
    message.newView === state.view.number && state.viewChanges.of(sender, state.view.number) === undefined;
  return highest !== undefined && message.newView < highest && !isFirstForThisView ? reject('stale') : undefined;
}

/**
 * Whether the NewView of the view this replica is in names this ViewChange of this sender and it isn't held; without a
 * digest, whether it can.
 */
function isNamed(state: CoreState, view: View, sender: ReplicaId, digest: Digest | undefined): boolean {
  const pending = state.pendingNewViews.get(currentPrimary(state))?.signed.message;
  return (
    view === state.view.number &&
    pending?.newView === view &&
    pending.viewChanges.some(
      (named) =>
        named.replica === sender &&
        state.viewChanges.get(named.digest) === undefined &&
        (digest === undefined || named.digest === digest),
    )
  );
}

/** Why a ViewChange says nothing new beside those that are held, or undefined. Cheap, as above; it takes one hash. */
export function rejectKnownViewChange(state: CoreState, unchecked: Unchecked<ViewChange>): Rejection | undefined {
  const { message, sender } = unchecked;
  const other = state.viewChanges.of(sender, message.newView);
  if (other === undefined) {
    return undefined;
  }
  const digest = computeViewChangeDigest(unchecked, state.configuration.hash);
  const isNews =
    state.viewChanges.get(digest) === undefined &&
    (addsEvidence(state, unchecked) || isNamed(state, message.newView, sender, digest));
  return isNews ? undefined : reject('duplicate');
}

/** A ViewChange came, its own signature checked, its certificates not. */
export function onViewChange(state: CoreState, signed: Verified<Signed<ViewChange>>): void {
  const { message, sender } = signed;
  const digest = computeViewChangeDigest(signed, state.configuration.hash);
  const rejection = rejectViewChange(state, message, sender, digest) ?? rejectContent(state, signed, digest);
  if (rejection !== undefined) {
    noteRejection(state, 'viewChange', rejection, sender);
    return;
  }
  state.viewChanges.add({ signed, digest, judgement: 'unjudged' });
  pruneViewChanges(state);
  if (mayVote(state) && isActive(state) && sender === currentPrimary(state) && message.newView > state.view.number) {
    // Its own signature is enough: the primary says that it left, and so it won't serve this view.
    startViewChange(state, nextView(state), 'primaryLeft');
  }
}

function rejectContent(state: CoreState, signed: Verified<Signed<ViewChange>>, digest: Digest): Rejection | undefined {
  const { message, sender } = signed;
  if (state.viewChanges.get(digest) !== undefined) {
    return reject('duplicate');
  }
  const other = state.viewChanges.of(sender, message.newView);
  if (other !== undefined) {
    recordEvidence(state, other.signed, signed);
    if (!isNamed(state, message.newView, sender, digest)) {
      return reject('contradiction');
    }
  }
  if (!isWellFormedViewChange(message, rulesOf(state))) {
    if (isNamed(state, message.newView, sender, digest)) {
      addBadNamed(state, digest);
    }
    own(state).badViewChangeAtMs.set(sender, state.now.elapsedMs);
    return reject('badViewChange');
  }
  return undefined;
}

/** A ViewChange's certificates were judged. */
export function onViewChangeJudged(state: CoreState, replica: ReplicaId, digest: Digest, isValid: boolean): void {
  const held = state.viewChanges.get(digest);
  if (!isValid) {
    // Also where it was let go of meanwhile: whoever replaces each before it is judged waits like any other.
    own(state).badViewChangeAtMs.set(replica, state.now.elapsedMs);
    noteRejection(state, 'viewChange', reject('badViewChange'), replica);
  }
  if (held === undefined) {
    return;
  }
  if (isValid) {
    state.viewChanges.setJudgement(held, 'valid');
  } else {
    state.viewChanges.remove(digest);
    // One that no NewView names is forgotten: its sender may send another each timeout, for as long as a view lasts.
    if (isNamed(state, held.signed.message.newView, replica, digest)) {
      addBadNamed(state, digest);
    }
  }
  pruneViewChanges(state);
}

/** Has judged what could matter, joins the view that a weak quorum went to, and runs the new-view timer. */
export function maybeJoinView(state: CoreState): void {
  if (state.diverged || state.viewChanges.isEmpty) {
    return;
  }
  judgeWhatMatters(state);
  const joined = weakQuorumView(state, 'valid');
  if (joined > state.view.number) {
    startViewChange(state, joined, 'joined');
  }
  if (!isActive(state) && countFor(state, 'valid') >= state.configuration.sizes.quorum) {
    awaitNewView(state);
  }
}

function awaitNewView(state: CoreState): void {
  if (!state.timers.isRunning('newView')) {
    ensureTimer(state, 'newView', state.timeout.ms);
    note(state, {
      kind: 'viewAwaited',
      view: state.view.number,
      explanation: computeExplanation(state, state.now.elapsedMs),
    });
  }
}

function judgeWhatMatters(state: CoreState): void {
  const isWeakQuorumInReach = weakQuorumView(state, 'all') > state.view.number;
  const isQuorumInReach = !isActive(state) && countFor(state, 'all') >= state.configuration.sizes.quorum;
  for (const held of state.viewChanges.all()) {
    const { newView } = held.signed.message;
    if (
      (isWeakQuorumInReach && newView > state.view.number) ||
      (isQuorumInReach && newView >= state.view.number) ||
      isNamedByPending(state, held)
    ) {
      judge(state, held);
    }
  }
}

function isNamedByPending(state: CoreState, { digest }: HeldViewChange): boolean {
  const pending = state.pendingNewViews.get(currentPrimary(state))?.signed.message;
  return pending?.newView === state.view.number && pending.viewChanges.some((named) => named.digest === digest);
}

function judge(state: CoreState, held: HeldViewChange): void {
  if (held.judgement === 'unjudged') {
    state.viewChanges.setJudgement(held, 'judging');
    emit(state, { kind: 'judgeViewChange', viewChange: held.signed, digest: held.digest });
  }
}

/** The weak-quorum-th largest of the other senders' highest views, −1 where there are fewer. */
function weakQuorumView(state: CoreState, which: 'valid' | 'all'): View {
  const views = [...state.viewChanges.highestViews(which)]
    .filter(([sender]) => sender !== state.configuration.replica)
    .map(([, view]) => view)
    .sort((left, right) => right - left);
  return views[state.configuration.sizes.weakQuorum - 1] ?? (-1 as View);
}

/** How many senders, the own among them, count with this view or more. */
function countFor(state: CoreState, which: 'valid' | 'all'): number {
  return [...state.viewChanges.highestViews(which).values()].filter((view) => view >= state.view.number).length;
}
