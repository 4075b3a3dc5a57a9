/**
 * What this replica itself signed, shown to it by others (protocol.md 8a).
 *
 * A replica makes durable what it signs before it leaves, so a signed statement of its own that it doesn't remember
 * proves that its storage lost what was durable, or that another process has its key. Only the signature proves it: what
 * peers merely claim could stop every replica that starts (one liar), or would have to be believed of f + 1 (and miss
 * what a single correct replica holds). Who is shown such a proof signs nothing any more.
 *
 * What memory has let go of by the rules accuses nobody: sequences that are stable or executed, views that were left.
 */
import { equalBytes } from '../util/bytes.js';
import type { ForwardItem } from './effects.js';
import type { ReplicaId } from './identifiers.js';
import type { Checkpoint, Commit, PrePrepare, Prepare, ProtocolMessage, Signed, Status, Verified } from './messages.js';
import type { PeerState } from './peers.js';
import { markResent } from './peers.js';
import { type Rejection, reject } from './rejection.js';
import type { Slot } from './slot.js';
import { loseMemory } from './starting.js';
import { type CoreState, emit, highWatermark, lowWatermark, noteRejection, type Unchecked } from './state.js';
import { bitmapBase, isBitSet } from './status.js';
import { begunView, isActive } from './view-state.js';

/** What is younger may still be on its way. */
const FRESH_MS = 250;

/** Why an own statement is not looked at: it is remembered, or memory has let go of it. Cheap, before its signature. */
export function rejectOwnStatement(state: CoreState, shown: Unchecked): Rejection | undefined {
  return !state.diverged && isForgotten(state, shown) ? undefined : reject('own');
}

/** A peer showed a statement that this replica's own key signed. */
export function onOwnStatement(state: CoreState, signed: Verified<Signed>, from: ReplicaId | undefined): void {
  const rejection = rejectOwnStatement(state, signed);
  if (rejection !== undefined) {
    noteRejection(state, signed.message.type, rejection, from);
    return;
  }
  loseMemory(state);
  emit(state, { kind: 'giveUp', forgotten: signed, from });
}

function isForgotten(state: CoreState, { message, payload }: Unchecked): boolean {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return isVoteForgotten(state, message);
    case 'checkpoint':
      return isCheckpointForgotten(state, message);
    case 'viewChange': {
      const { newView } = message;
      const own = state.viewChanges.of(state.configuration.replica, newView)?.signed;
      return isStatementOfViewForgotten(state, newView, !isActive(state) && !isSame(own, payload));
    }
    case 'newView': {
      const { newView } = message;
      return isStatementOfViewForgotten(
        state,
        newView,
        !isActive(state) || !isSame(begunView(state)?.newView, payload),
      );
    }
    case 'status':
      return false;
  }
}

function isStatementOfViewForgotten(state: CoreState, newView: number, isOtherOfThisView: boolean): boolean {
  return newView > state.view.number || (newView === state.view.number && isOtherOfThisView);
}

function isSame(own: Signed | undefined, payload: Uint8Array): boolean {
  return own !== undefined && equalBytes(own.payload, payload);
}

/** What was voted in this view stands in its slot, also after a restart, until it is executed and stable. */
function isVoteForgotten(state: CoreState, vote: PrePrepare | Prepare | Commit): boolean {
  if (vote.sequence <= Math.max(lowWatermark(state), state.lastExecuted) || vote.view < state.view.number) {
    return false;
  }
  if (vote.view > state.view.number || !isActive(state) || vote.sequence > highWatermark(state)) {
    return true;
  }
  const slot = state.slots.get(vote.sequence);
  const own = vote.type === 'commit' ? slot?.prepared?.prePrepare.message : slot?.proposal?.prePrepare;
  return own === undefined || own.view !== vote.view || own.batchDigest !== vote.batchDigest;
}

/** A Checkpoint leaves when execution up to it is durable. */
function isCheckpointForgotten(state: CoreState, { sequence, headerDigest }: Checkpoint): boolean {
  if (sequence <= lowWatermark(state)) {
    return false;
  }
  const own = state.ownCheckpoints.get(sequence);
  return own === undefined ? sequence > state.lastExecuted : own.headerDigest !== headerDigest;
}

/**
 * Shows a peer what it signed, is held here, and its Status doesn't show. It goes before any Status that says its was
 * heard. The same thing at most once a second; what it remembers after all it finds out without checking a signature.
 */
export function showOwnStatements(state: CoreState, to: ReplicaId, peer: PeerState, status: Status): void {
  for (const message of [...votesLacking(state, to, status), ...othersLacking(state, to, status)]) {
    const name = nameOf(message.message);
    if (!peer.resentAtMs.has(name)) {
      markResent(peer, name, message.payload.length, state.now.elapsedMs);
      const item: ForwardItem = { kind: 'message', message };
      emit(state, { kind: 'forward', to, item });
    }
  }
}

function nameOf(message: ProtocolMessage): string {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return `own ${message.type} ${message.view} ${message.sequence}`;
    case 'checkpoint':
      return `own checkpoint ${message.sequence}`;
    case 'viewChange':
    case 'newView':
      return `own ${message.type} ${message.newView}`;
    case 'status':
      return 'own status';
  }
}

/** Its votes above what it executed, in its view or later ones, that it says it lacks. */
function votesLacking(state: CoreState, to: ReplicaId, status: Status): readonly Signed[] {
  const base = bitmapBase(status);
  // Of who votes already something may still be on its way.
  const isOld = ({ knownSinceMs }: Slot): boolean =>
    status.recovering || state.now.elapsedMs - knownSinceMs >= FRESH_MS;
  // order: none, what is shown is sorted below.
  const slots = [...state.slots.values()].filter((slot) => slot.sequence >= base && isOld(slot));
  const held = [...slots.flatMap((slot) => votesOf(slot, to)), ...futureVotesOf(state, to)];
  return held
    .filter(({ message }) => message.sequence >= base && isVoteLacking(status, message, message.sequence - base))
    .sort((left, right) => left.message.sequence - right.message.sequence);
}

function isVoteLacking(status: Status, { type, view }: PrePrepare | Prepare | Commit, index: number): boolean {
  if (view !== status.view || !status.active) {
    return view >= status.view;
  }
  const missing = type === 'commit' ? status.missingPrepares : status.missingPrePrepares;
  return index >= missing.length * 8 || isBitSet(missing, index);
}

type SignedVote = Signed<PrePrepare | Prepare | Commit>;

/** Whatever of its stands in a slot: as a vote, or in a certificate, which a restart keeps. */
function votesOf({ proposal, prepares, commits, prepared, committed }: Slot, of: ReplicaId): readonly SignedVote[] {
  const held: (SignedVote | undefined)[] = [
    proposal?.signed,
    prepares.get(of),
    commits.get(of),
    prepared?.prePrepare,
    ...(prepared?.prepares ?? []),
    ...(committed?.certificate?.commits ?? []),
  ];
  return held.filter((vote) => vote !== undefined).filter(({ sender }) => sender === of);
}

/** What it said of a view that this replica isn't in yet. */
function futureVotesOf(state: CoreState, of: ReplicaId): readonly SignedVote[] {
  const kept = state.future.get(of);
  return [...(kept?.votes ?? []), ...(kept?.proposals ?? [])].flatMap((event): readonly SignedVote[] => {
    if (event.kind === 'prePrepareReceived') {
      return [event.prePrepare];
    }
    const message = event.kind === 'messageReceived' ? event.message : undefined;
    return message !== undefined && isVote(message) ? [message] : [];
  });
}

function isVote(signed: Signed): signed is Signed<Prepare | Commit> {
  return signed.message.type === 'prepare' || signed.message.type === 'commit';
}

/** Its Checkpoints above what it executed; its ViewChanges and NewViews for views that it says it isn't in. */
function othersLacking(state: CoreState, to: ReplicaId, status: Status): readonly Signed[] {
  const executed = Math.max(status.lowWatermark, status.lastExecuted);
  // order: none, any of them proves it.
  const bySequence = [...state.checkpoints.values()];
  const checkpoints = [
    ...bySequence.flatMap((bySender) => bySender.get(to) ?? []),
    ...(state.stable.certificate?.checkpoints ?? []),
  ].filter(({ sender, message }) => sender === to && message.sequence > executed);
  const shown = new Set(status.viewChanges.map(({ digest }) => digest));
  const isAhead = (view: number): boolean => view > status.view || (view === status.view && !status.active);
  const begun = begunView(state);
  const named = begun?.newView.message.viewChanges.map(({ digest }, index) => ({
    digest,
    signed: begun.viewChanges[index],
  }));
  const viewChanges = [...state.viewChanges.all(), ...(named ?? [])].flatMap(({ digest, signed }) =>
    signed === undefined || shown.has(digest) ? [] : [signed],
  );
  const newViews = [begun?.newView, state.pendingNewViews.get(to)?.signed].flatMap((newView) => newView ?? []);
  const ofViews = [...viewChanges, ...newViews].filter(
    ({ sender, message }) => sender === to && isAhead(message.newView),
  );
  return [...checkpoints, ...ofViews];
}
