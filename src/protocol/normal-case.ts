/**
 * The normal case [OSDI §4.2]: the backup's side of PrePrepare, and everyone's of Prepare and Commit.
 *
 * 1. Acceptance depends on bytes alone, never on state in which correct replicas may differ for a moment.
 * 2. At most one digest is accepted for a (view, sequence), and it is on disk before its Prepare leaves.
 * 3. A commit leaves only after the prepared certificate is on disk.
 * 4. Nothing is prepared or committed at an executed sequence but the executed digest.
 *
 * Every handler judges first and changes nothing where it rejects.
 */
import { assert, unreachable } from '../util/assert.js';
import type { Event } from './events.js';
import { addsEvidence, recordEvidence } from './evidence.js';
import { forgetDelayed, isKeptForLater, keepDelayed, keepForLater } from './future-messages.js';
import type { ReplicaId } from './identifiers.js';
import type { Commit, EncodedBatch, PrePrepare, Prepare, Signed, Verified } from './messages.js';
import { primaryOf } from './quorum.js';
import { type Rejection, reject } from './rejection.js';
import { accept, countCommit, countPrepare, learnBatch, noteSigned, type Proposal, type Slot } from './slot.js';
import { advanceSlot, summaryOf } from './slot-progress.js';
import {
  type CoreState,
  currentPrimary,
  emit,
  ensureTimer,
  isInWindow,
  isPrimary,
  lowWatermark,
  mayVote,
  note,
  noteRejection,
  slotAt,
} from './state.js';
import { isActive, newViewMax } from './view-state.js';

/** Why a vote of this view and sequence is not taken, or undefined. Cheap: made before signatures are checked. */
export function rejectVote(
  state: CoreState,
  vote: PrePrepare | Prepare | Commit,
  sender: ReplicaId,
): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  if (vote.sequence <= lowWatermark(state)) {
    return reject('belowWindow');
  }
  if (!isInWindow(state, vote.sequence)) {
    return reject('aboveWindow');
  }
  const slot = state.slots.get(vote.sequence);
  switch (vote.type) {
    case 'prePrepare':
      return rejectView(state, vote, sender) ?? rejectPrePrepareSender(state, slot, vote, sender);
    case 'prepare':
      return rejectView(state, vote, sender) ?? rejectPrepareSender(state, slot, vote, sender);
    case 'commit':
      return rejectCommit(state, slot, vote, sender);
    default:
      return unreachable(vote);
  }
}

/** A vote of another view, or of one that this replica isn't active in; `later` ones are kept until it is. */
function rejectView(state: CoreState, vote: PrePrepare | Prepare, sender: ReplicaId): Rejection | undefined {
  if (vote.view < state.view.number) {
    return reject('oldView');
  }
  if (vote.view === state.view.number && isActive(state)) {
    return undefined;
  }
  if (vote.type === 'prePrepare' && sender !== primaryOf(vote.view, state.configuration.sizes.replicaCount)) {
    return reject('notPrimary');
  }
  return isKeptForLater(state, vote, sender)
    ? undefined
    : reject(vote.view > state.view.number ? 'futureView' : 'notActive');
}

function rejectPrePrepareSender(
  state: CoreState,
  slot: Slot | undefined,
  prePrepare: PrePrepare,
  sender: ReplicaId,
): Rejection | undefined {
  if (isForLater(state, prePrepare)) {
    return undefined;
  }
  if (sender !== currentPrimary(state)) {
    return reject('notPrimary');
  }
  if (!mayVote(state)) {
    // It stays as its disk gave it back until those who may know better have answered; then it asks for it by Status.
    return reject('starting');
  }
  const accepted = slot?.proposal?.prePrepare.batchDigest;
  if (accepted === prePrepare.batchDigest) {
    return reject('duplicate');
  }
  return accepted === undefined && prePrepare.sequence <= newViewMax(state) ? reject('belowNewView') : undefined;
}

function rejectPrepareSender(
  state: CoreState,
  slot: Slot | undefined,
  prepare: Prepare,
  sender: ReplicaId,
): Rejection | undefined {
  if (sender === primaryOf(prepare.view, state.configuration.sizes.replicaCount)) {
    return reject('fromPrimary');
  }
  if (isForLater(state, prepare)) {
    return undefined;
  }
  return rejectCounted(state, slot?.prepares.get(sender), prepare);
}

/** The sender's vote of the same view that is counted: with another digest a new one is evidence, once. */
function rejectCounted(
  state: CoreState,
  counted: Signed<Prepare | Commit> | undefined,
  message: Prepare | Commit,
): Rejection | undefined {
  if (counted === undefined) {
    return undefined;
  }
  const isSame = counted.message.batchDigest === message.batchDigest;
  return isSame || !addsEvidence(state, { message, sender: counted.sender }) ? reject('duplicate') : undefined;
}

function rejectCommit(
  state: CoreState,
  slot: Slot | undefined,
  commit: Commit,
  sender: ReplicaId,
): Rejection | undefined {
  // Commits of older views are learnt from: their quorum decides whatever view this replica has moved to.
  if (commit.view > state.view.number) {
    return isKeptForLater(state, commit, sender) ? undefined : reject('futureView');
  }
  const counted = slot?.commits.get(sender);
  if (counted === undefined || commit.view > counted.message.view) {
    return undefined;
  }
  if (commit.view < counted.message.view) {
    return reject('oldView');
  }
  return rejectCounted(state, counted, commit);
}

/** Whether a vote is of a view that this replica isn't active in yet. */
function isForLater(state: CoreState, vote: PrePrepare | Prepare): boolean {
  return vote.view > state.view.number || (vote.view === state.view.number && !isActive(state));
}

/** A pre-prepare came with its batch, whose digest, limits and signatures ingress checked. */
export function onPrePrepare(state: CoreState, event: Extract<Event, { kind: 'prePrepareReceived' }>): void {
  const { prePrepare, batch, requests } = event;
  const { message, sender } = prePrepare;
  const rejection = rejectVote(state, message, sender);
  if (rejection === undefined && keepForLater(state, event, message, sender)) {
    return;
  }
  const refusal = rejection ?? rejectProposal(state, prePrepare, batch);
  if (refusal !== undefined) {
    noteRejection(state, 'prePrepare', refusal, sender);
    return;
  }
  if (maybeDelay(state, event)) {
    return;
  }
  const slot = slotAt(state, message.sequence);
  assert(slot.proposal === undefined, 'one proposal is accepted for a view and sequence');
  accept(slot, { prePrepare: message, signed: prePrepare, batch: undefined });
  learnBatch(slot, summaryOf(batch));
  emit(state, { kind: 'persist', record: { kind: 'accepted', prePrepare: message, signed: prePrepare, batch } });
  // Its requests wait here too, so that a primary that proposes and goes no further is left.
  for (const request of requests) {
    state.pool.add(request, false, state.now.elapsedMs);
  }
  state.pool.markProposed(batch.requests, message.view);
  note(state, {
    kind: 'prePrepared',
    view: message.view,
    sequence: message.sequence,
    operationCount: batch.operationCount,
  });
  emit(state, {
    kind: 'broadcast',
    message: {
      type: 'prepare',
      view: message.view,
      sequence: message.sequence,
      batchDigest: message.batchDigest,
    },
  });
  advanceSlot(state, slot);
}

/** What of the batch and of earlier statements forbids the proposal, or undefined. */
function rejectProposal(
  state: CoreState,
  prePrepare: Verified<Signed<PrePrepare>>,
  batch: EncodedBatch,
): Rejection | undefined {
  const { message } = prePrepare;
  if (isPrimary(state)) {
    return reject('fromPrimary');
  }
  if (batch.digest !== message.batchDigest || batch.requests.length === 0) {
    return reject('badBatch');
  }
  const slot = state.slots.get(message.sequence);
  const known = slot?.proposal ?? asProposal(state.delayed.get(message.sequence)?.prePrepare);
  if (known !== undefined && known.prePrepare.batchDigest !== message.batchDigest) {
    if (known.signed !== undefined) {
      recordEvidence(state, known.signed, prePrepare);
    }
    return reject('contradiction');
  }
  return rejectAgainstExecuted(state, slot, message, prePrepare.sender);
}

function asProposal(
  signed: Verified<Signed<PrePrepare>> | undefined,
): Pick<Proposal, 'prePrepare' | 'signed'> | undefined {
  return signed && { prePrepare: signed.message, signed };
}

/** An executed sequence is voted for with the executed digest only; to be asked for another is an alarm. */
function rejectAgainstExecuted(
  state: CoreState,
  slot: Slot | undefined,
  message: PrePrepare,
  sender: ReplicaId,
): Rejection | undefined {
  if (message.sequence > state.lastDispatched || slot?.committed?.batchDigest === message.batchDigest) {
    return undefined;
  }
  note(state, { kind: 'contradictsExecuted', sequence: message.sequence, sender });
  return reject('contradictsExecuted');
}

/** Keeps a proposal whose time is ahead of the own clock by more than the drift; returns whether it did. */
function maybeDelay(state: CoreState, event: Extract<Event, { kind: 'prePrepareReceived' }>): boolean {
  const { prePrepare, batch } = event;
  const aheadMs = batch.timestampMs - state.now.wallMs - state.configuration.consensus.clockDriftMs;
  if (aheadMs <= 0) {
    forgetDelayed(state, prePrepare.message.sequence);
    return false;
  }
  keepDelayed(state, event);
  ensureTimer(state, 'delayedProposal', Math.min(aheadMs, DELAYED_PROPOSAL_RETRY_MS));
  return true;
}

/** The wall clock may jump, so a delayed proposal is looked at again at least this often. */
const DELAYED_PROPOSAL_RETRY_MS = 1_000;

/** Looks again at the proposals whose time had not come. */
export function onDelayedProposalTimerExpired(state: CoreState): void {
  const delayed = [...state.delayed.values()].sort(
    (left, right) => left.prePrepare.message.sequence - right.prePrepare.message.sequence,
  );
  for (const event of delayed) {
    const { prePrepare, batch } = event;
    onPrePrepare(state, event);
    if (batch.timestampMs <= state.now.wallMs + state.configuration.consensus.clockDriftMs) {
      forgetDelayed(state, prePrepare.message.sequence);
    }
  }
}

/** The own pre-prepare is signed and on its way. */
export function onOwnPrePrepareSigned(state: CoreState, prePrepare: Verified<Signed<PrePrepare>>): void {
  const { message } = prePrepare;
  const slot = state.slots.get(message.sequence);
  const proposal = slot?.proposal;
  if (slot === undefined || proposal === undefined || proposal.prePrepare.view !== message.view) {
    return;
  }
  assert(proposal.prePrepare.batchDigest === message.batchDigest, 'the own pre-prepare is the one that was proposed');
  noteSigned(slot, prePrepare);
  advanceSlot(state, slot);
}

/** A prepare came, or the own one is on its way. */
export function onPrepare(state: CoreState, prepare: Verified<Signed<Prepare>>): void {
  const { message, sender } = prepare;
  const rejection = rejectVote(state, message, sender);
  if (rejection !== undefined) {
    noteRejection(state, 'prepare', rejection, sender);
    return;
  }
  if (keepForLater(state, { kind: 'messageReceived', message: prepare }, message, sender)) {
    return;
  }
  const slot = slotAt(state, message.sequence);
  const counted = slot.prepares.get(sender);
  if (counted !== undefined) {
    recordEvidence(state, counted, prepare);
    noteRejection(state, 'prepare', reject('contradiction'), sender);
    return;
  }
  countPrepare(slot, prepare);
  advanceSlot(state, slot);
}

/** A commit came, or the own one is on its way. */
export function onCommit(state: CoreState, commit: Verified<Signed<Commit>>): void {
  const { message, sender } = commit;
  const rejection = rejectVote(state, message, sender);
  if (rejection !== undefined) {
    noteRejection(state, 'commit', rejection, sender);
    return;
  }
  if (
    message.view > state.view.number &&
    keepForLater(state, { kind: 'messageReceived', message: commit }, message, sender)
  ) {
    return;
  }
  const slot = slotAt(state, message.sequence);
  const counted = slot.commits.get(sender);
  if (counted !== undefined && counted.message.view === message.view) {
    recordEvidence(state, counted, commit);
    noteRejection(state, 'commit', reject('contradiction'), sender);
    return;
  }
  countCommit(slot, commit);
  advanceSlot(state, slot);
}
