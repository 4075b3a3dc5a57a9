/**
 * Beginning a view [OSDI §4.4]: the primary's NewView, and everyone's acceptance of it.
 *
 * 1. A NewView is accepted only for the view this replica has moved to, once, and only when what it proposes follows
 *    from the ViewChanges it names, all of them valid here.
 * 2. First the highest stable checkpoint among them is adopted, then the NewView with its ViewChanges is made durable,
 *    then its pre-prepares are voted for, judged by digest alone; bodies are fetched from whoever has them.
 * 3. In this view no other pre-prepare at or below its highest one is accepted. What was executed is voted for again,
 *    not executed again.
 */

import { assert } from '../util/assert.js';
import { equalBytes } from '../util/bytes.js';
import { type Owned, owned } from '../util/owned.js';
import { stabilize } from './checkpoints.js';
import { addsEvidence, recordEvidence } from './evidence.js';
import type { ReplicaId } from './identifiers.js';
import { nextView, ownViewChange, pruneViewChanges, startViewChange } from './leaving-view.js';
import type { BegunView } from './log-record.js';
import type { NewView, PrePrepare, Signed, Verified } from './messages.js';
import { primaryOf } from './quorum.js';
import { type Rejection, reject } from './rejection.js';
import { accept } from './slot.js';
import { advanceSlot } from './slot-progress.js';
import {
  type CoreState,
  currentPrimary,
  emit,
  isInWindow,
  isPrimary,
  lowWatermark,
  mayVote,
  note,
  noteRejection,
  rulesOf,
  slotAt,
  stopTimer,
  type Unchecked,
} from './state.js';
import { sendStatusToAll } from './status.js';
import { proposalsOf, stableCertificateOf } from './verified.js';
import type { HeldViewChange } from './view-change-log.js';
import { computeNewViewPlan, isPlanned, isWellFormedNewView, type NewViewPlan } from './view-change-rules.js';
import { becomeActive, beginForming, begunView, formingView, isActive } from './view-state.js';

/** This file alone writes it. */
function own(state: CoreState): Owned<Pick<CoreState, 'pendingNewViews'>> {
  return owned(state);
}

/** Why a NewView is not taken, or undefined. Cheap: made before its signatures are checked. */
export function rejectNewView(state: CoreState, message: NewView, sender: ReplicaId): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  if (message.newView < state.view.number) {
    return reject('oldView');
  }
  if (sender !== primaryOf(message.newView, state.configuration.sizes.replicaCount)) {
    return reject('notPrimary');
  }
  const pending = state.pendingNewViews.get(sender)?.signed.message;
  return pending !== undefined && isPreferred(state, pending, message) ? reject('stale') : undefined;
}

/**
 * Whether the one that is held keeps its place: of the view that this replica waits for, else of the higher one. A
 * primary that signs one for a later view ahead of time must not keep its present one from who gets it from others.
 */
function isPreferred({ view }: CoreState, held: NewView, other: NewView): boolean {
  const isWaitedFor = ({ newView }: NewView): boolean => newView === view.number && view.kind === 'changing';
  return held.newView !== other.newView && !isWaitedFor(other) && (isWaitedFor(held) || held.newView > other.newView);
}

/** A NewView came, its signature and those of its pre-prepares checked. */
export function onNewView(state: CoreState, signed: Verified<Signed<NewView>>): void {
  const { message, sender } = signed;
  const rejection =
    rejectNewView(state, message, sender) ?? rejectKnownNewView(state, signed) ?? rejectOther(state, signed);
  if (rejection !== undefined) {
    noteRejection(state, 'newView', rejection, sender);
    return;
  }
  if (!isWellFormedNewView(signed, rulesOf(state))) {
    noteRejection(state, 'newView', reject('badNewView'), sender);
    refuse(state, signed);
    return;
  }
  own(state).pendingNewViews.set(sender, { signed, digest: state.configuration.hash(signed.payload) });
}

/** Why a NewView says nothing new beside the one that is known of its view, or undefined. Cheap, as above. */
export function rejectKnownNewView(state: CoreState, unchecked: Unchecked<NewView>): Rejection | undefined {
  const { message, payload } = unchecked;
  const known = knownNewView(state, unchecked);
  if (known === undefined) {
    return message.newView === state.view.number && isActive(state) ? reject('stale') : undefined;
  }
  return equalBytes(known.payload, payload) || !addsEvidence(state, unchecked) ? reject('duplicate') : undefined;
}

/** One NewView counts for a view; a second, different one is evidence. */
function rejectOther(state: CoreState, signed: Verified<Signed<NewView>>): Rejection | undefined {
  const known = knownNewView(state, signed);
  if (known === undefined) {
    return undefined;
  }
  recordEvidence(state, known, signed);
  return reject('contradiction');
}

/** The NewView of the same view and sender that this replica accepted or holds. */
function knownNewView(state: CoreState, { message, sender }: Unchecked<NewView>): Signed<NewView> | undefined {
  const held =
    message.newView === state.view.number && isActive(state)
      ? begunView(state)?.newView
      : state.pendingNewViews.get(sender)?.signed;
  return held?.message.newView === message.newView ? held : undefined;
}

/** A NewView that doesn't hold: where it is of the view this replica waits for, it moves on. */
function refuse(state: CoreState, { message, sender }: Signed<NewView>): void {
  if (state.pendingNewViews.get(sender)?.signed.message === message) {
    own(state).pendingNewViews.delete(sender);
  }
  if (message.newView === state.view.number && !isActive(state) && mayVote(state)) {
    startViewChange(state, nextView(state), 'badNewView');
  }
}

/** Begins the view that this replica moved to, as its primary or by a NewView, as soon as all it takes is there. */
export function maybeBeginView(state: CoreState): void {
  if (isActive(state) || state.diverged || state.viewChanges.isEmpty) {
    return;
  }
  if (isPrimary(state)) {
    maybeFormNewView(state);
    return;
  }
  const pending = state.pendingNewViews.get(currentPrimary(state))?.signed;
  if (pending?.message.newView !== state.view.number) {
    return;
  }
  const named = judgeNamed(state, pending.message);
  if (named === 'waiting') {
    return;
  }
  const plan = named === 'bad' ? undefined : planOf(state, named);
  if (named === 'bad' || plan === undefined || !isPlanned(pending.message, plan)) {
    noteRejection(state, 'newView', reject('badNewView'), pending.sender);
    refuse(state, pending);
    return;
  }
  enterView(state, { newView: pending, viewChanges: named.map(({ signed }) => signed) }, plan);
}

/** The ViewChanges that a NewView names, once all are here and valid. */
function judgeNamed(state: CoreState, { viewChanges }: NewView): readonly HeldViewChange[] | 'waiting' | 'bad' {
  const { view } = state;
  const found: HeldViewChange[] = [];
  let isMissing = false;
  for (const { replica, digest } of viewChanges) {
    const held = state.viewChanges.get(digest);
    if (view.kind === 'changing' && view.badNamed.has(digest)) {
      return 'bad';
    }
    if (held === undefined) {
      emit(state, { kind: 'fetch', what: { kind: 'viewChange', replica, digest, view: state.view.number } });
      isMissing = true;
      continue;
    }
    if (held.signed.sender !== replica || held.signed.message.newView !== state.view.number) {
      return 'bad';
    }
    found.push(held);
  }
  return !isMissing && found.every(({ judgement }) => judgement === 'valid') ? found : 'waiting';
}

function planOf(state: CoreState, viewChanges: readonly HeldViewChange[]): NewViewPlan {
  return computeNewViewPlan(
    viewChanges.map(({ signed }) => signed.message),
    rulesOf(state),
  );
}

/** The primary, with a quorum of valid ViewChanges, its own among them: it has the pre-prepares of O signed. */
function maybeFormNewView(state: CoreState): void {
  const { quorum } = state.configuration.sizes;
  const valid = state.viewChanges.validFor(state.view.number);
  const own = ownViewChange(state);
  if (formingView(state) !== undefined || own === undefined || valid.length < quorum) {
    return;
  }
  const others = valid.filter(({ signed }) => signed !== own).slice(0, quorum - 1);
  const viewChanges = valid.filter((held) => held.signed === own || others.includes(held));
  const plan = planOf(state, viewChanges);
  beginForming(state, { viewChanges, plan });
  emit(state, {
    kind: 'signPrePrepares',
    view: state.view.number,
    messages: plan.proposals.map(({ sequence: at, batchDigest }) => ({
      type: 'prePrepare',
      view: state.view.number,
      sequence: at,
      batchDigest,
    })),
  });
}

/** The pre-prepares of the NewView that this replica forms are signed: now the NewView itself is. */
export function onPrePreparesSigned(state: CoreState, prePrepares: readonly Verified<Signed<PrePrepare>>[]): void {
  const forming = formingView(state);
  if (
    forming === undefined ||
    !mayVote(state) ||
    isActive(state) ||
    prePrepares.some(({ message }) => message.view !== state.view.number)
  ) {
    return;
  }
  emit(state, {
    kind: 'sign',
    message: {
      type: 'newView',
      newView: state.view.number,
      viewChanges: forming.viewChanges.map(({ signed, digest }) => ({ replica: signed.sender, digest })),
      prePrepares,
    },
  });
}

/** The own NewView is signed: entering the view makes it durable, and then it goes to all. */
export function onOwnNewViewSigned(state: CoreState, newView: Verified<Signed<NewView>>): void {
  const forming = formingView(state);
  if (forming === undefined || !mayVote(state) || isActive(state) || newView.message.newView !== state.view.number) {
    return;
  }
  const viewChanges = forming.viewChanges.map(({ signed }) => signed);
  const plan = forming.plan;
  enterView(state, { newView, viewChanges }, plan);
  if (state.diverged) {
    return;
  }
  // Its ViewChanges went to all from their own senders; who lacks one fetches it by its digest.
  emit(state, { kind: 'forward', to: 'all', item: { kind: 'message', message: newView } });
}

/** Enters the view that this replica moved to. */
function enterView(state: CoreState, begun: BegunView, plan: NewViewPlan): void {
  const { message } = begun.newView;
  assert(message.newView === state.view.number && !isActive(state), 'a view is entered once, after moving to it');
  if (plan.minSequence > lowWatermark(state) && plan.proof !== undefined) {
    stabilize(state, stableCertificateOf(plan.proof));
  }
  if (state.diverged) {
    return;
  }
  const durationMs = becomeActive(state, begun, state.now.elapsedMs);
  state.timeout.onViewEntered(state.now.elapsedMs);
  own(state).pendingNewViews.delete(begun.newView.sender);
  stopTimer(state, 'newView');
  emit(state, { kind: 'persist', record: { kind: 'newView', begun } });
  note(state, {
    kind: 'viewEntered',
    view: state.view.number,
    durationMs,
    proposedAgain: plan.proposals.length,
    nullBatches: plan.proposals.filter(({ batchDigest }) => batchDigest === state.configuration.nullBatch.digest)
      .length,
    viewChangesOf: begun.viewChanges.map(({ sender }) => sender),
  });
  pruneViewChanges(state);
  for (const prePrepare of proposalsOf(begun.newView)) {
    takeProposalAgain(state, prePrepare);
  }
  assertEntered(state, plan);
  sendStatusToAll(state);
}

/** It serves in the view, from the checkpoint that the view begins with, and nothing of an earlier view is left. */
function assertEntered(state: CoreState, { minSequence }: NewViewPlan): void {
  const { view } = state;
  assert(view.kind === 'active', 'a view that is entered is active');
  assert(lowWatermark(state) >= minSequence, 'the checkpoint that the view begins with is stable here');
  assert(!state.timers.isRunning('newView'), 'nobody waits for the NewView of a view that has begun');
  // order: none, each by itself.
  for (const { proposal, prepares } of state.slots.values()) {
    assert(proposal === undefined || proposal.prePrepare.view === view.number, 'proposals are of the view');
    // order: none, each by itself.
    for (const { message } of prepares.values()) {
      assert(message.view === view.number, 'prepares are of the view');
    }
  }
  for (const { signed } of state.viewChanges.all()) {
    assert(signed.message.newView > view.number, 'ViewChanges that are kept are for later views');
  }
}

/** Takes one pre-prepare of O, judged by digest alone. */
function takeProposalAgain(state: CoreState, signed: Verified<Signed<PrePrepare>>): void {
  const { view, sequence: at, batchDigest } = signed.message;
  if (!isInWindow(state, at)) {
    return;
  }
  const slot = slotAt(state, at);
  if (at <= state.lastDispatched && slot.committed?.batchDigest !== batchDigest) {
    note(state, { kind: 'contradictsExecuted', sequence: at, sender: signed.sender });
    return;
  }
  const batch = slot.batches.get(batchDigest);
  accept(slot, { prePrepare: signed.message, signed, batch });
  if (batch === undefined) {
    emit(state, { kind: 'fetch', what: { kind: 'batch', sequence: at, digest: batchDigest } });
  } else {
    state.pool.markProposed(batch.requests, view);
  }
  note(state, { kind: 'prePrepared', view, sequence: at, operationCount: batch?.operationCount ?? 0 });
  if (!isPrimary(state)) {
    emit(state, { kind: 'broadcast', message: { type: 'prepare', view, sequence: at, batchDigest } });
  }
  advanceSlot(state, slot);
}
