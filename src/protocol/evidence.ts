/**
 * Evidence: two different signed statements for one (type, view, sequence) by one replica. Both are kept, one pair a
 * kind and replica; it verifies by itself.
 *
 * Only what two signatures of the same replica say is evidence: a correct replica never makes any, whatever is lost,
 * repeated or restarted, so nobody correct is accused. (protocol.md 4)
 */
import { assert } from '../util/assert.js';
import { equalBytes } from '../util/bytes.js';
import { type Owned, owned } from '../util/owned.js';
import type { ReplicaId, View } from './identifiers.js';
import type { Commit, PrePrepare, Prepare, ProtocolMessage, Signed, Verified } from './messages.js';
import { type Rejection, reject } from './rejection.js';
import { type CoreState, currentPrimary, emit, note, noteRejection, type Unchecked } from './state.js';

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'evidence' | 'provenFault'>> {
  return owned(state);
}

/** Contradicting statements of the primary of this view, once. */
export function takeProvenFault(state: CoreState): CoreState['provenFault'] {
  const { provenFault } = state;
  own(state).provenFault = undefined;
  return provenFault;
}

/** Whether evidence of this kind against this replica is held. */
export function hasEvidence(state: CoreState, replica: ReplicaId, kind: ProtocolMessage['type']): boolean {
  return state.evidence.some((evidence) => evidence.replica === replica && evidence.kind === kind);
}

/**
 * Whether a statement that contradicts another of its sender would change anything: where no pair of this kind and
 * replica is kept, or where it proves the primary of this view faulty. That makes this replica leave the view, so the
 * same can't be said twice.
 */
export function addsEvidence(state: CoreState, { message, sender }: Pick<Unchecked, 'message' | 'sender'>): boolean {
  return !hasEvidence(state, sender, message.type) || isOfCurrentPrimary(state, { message, sender });
}

/** Keeps two contradicting statements, unless some of this kind and replica are kept already. */
export function recordEvidence(state: CoreState, first: Signed, second: Signed): void {
  assert(first.sender === second.sender, 'evidence is two statements of one replica');
  assert(first.message.type === second.message.type, 'evidence is two statements of one type');
  const kind = first.message.type;
  maybeNoteProvenFault(state, first, second);
  if (hasEvidence(state, first.sender, kind)) {
    return;
  }
  const evidence = { replica: first.sender, kind, first, second };
  own(state).evidence.push(evidence);
  emit(state, { kind: 'persist', record: { kind: 'evidence', evidence } });
  note(state, { kind: 'evidence', evidence });
}

/**
 * Only two PrePrepares or NewViews of the current view by its primary make a replica leave: otherwise one faulty backup
 * could topple every primary.
 */
function maybeNoteProvenFault(state: CoreState, first: Signed, second: Signed): void {
  if (isOfCurrentPrimary(state, first)) {
    own(state).provenFault = { view: state.view.number, first, second };
  }
}

function isOfCurrentPrimary(state: CoreState, { message, sender }: Pick<Unchecked, 'message' | 'sender'>): boolean {
  return viewOfPrimaryStatement(message) === state.view.number && sender === currentPrimary(state);
}

function viewOfPrimaryStatement(message: ProtocolMessage): View | undefined {
  switch (message.type) {
    case 'prePrepare':
      return message.view;
    case 'newView':
      return message.newView;
    default:
      return undefined;
  }
}

/** Why two statements of one replica prove nothing new, or undefined. Cheap: made before signatures are checked. */
export function rejectEvidence(state: CoreState, first: Unchecked, second: Unchecked): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  if (
    first.sender !== second.sender ||
    first.sender === state.configuration.replica ||
    !isContradiction(first, second)
  ) {
    return reject('noContradiction');
  }
  return addsEvidence(state, second) ? undefined : reject('duplicate');
}

/**
 * Two statements with right signatures: a primary's, sent by a peer, or votes of which the edge kept one unread. Peers
 * pass no other kinds around.
 */
export function onEvidence(state: CoreState, first: Verified<Signed>, second: Verified<Signed>, from: ReplicaId): void {
  const rejection = rejectEvidence(state, first, second);
  if (rejection !== undefined) {
    noteRejection(state, first.message.type, rejection, from);
    return;
  }
  recordEvidence(state, first, second);
}

function isContradiction(first: Unchecked, second: Unchecked): boolean {
  const [left, right] = [first.message, second.message];
  if (isVote(left) && isVote(right)) {
    return (
      left.type === right.type &&
      left.view === right.view &&
      left.sequence === right.sequence &&
      left.batchDigest !== right.batchDigest
    );
  }
  return (
    left.type === 'newView' &&
    right.type === 'newView' &&
    left.newView === right.newView &&
    !equalBytes(first.payload, second.payload)
  );
}

function isVote(message: ProtocolMessage): message is PrePrepare | Prepare | Commit {
  return message.type === 'prePrepare' || message.type === 'prepare' || message.type === 'commit';
}
