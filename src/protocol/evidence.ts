/**
 * Evidence: two different signed statements for one (type, view, sequence) by one replica. Both are kept, one pair a
 * kind and replica; it verifies by itself.
 *
 * Only what two signatures of the same replica say is evidence: a correct replica never makes any, whatever is lost,
 * repeated or restarted, so nobody correct is accused. (protocol.md 4)
 */
import { assert } from '../util/assert.js';
import { equalBytes } from '../util/bytes.js';
import type { ReplicaId, View } from './identifiers.js';
import type { ProtocolMessage, Signed, Verified } from './messages.js';
import { reject } from './rejection.js';
import { type CoreState, currentPrimary, emit, note, noteRejection } from './state.js';

/** Whether evidence of this kind against this replica is held. */
export function hasEvidence(state: CoreState, replica: ReplicaId, kind: ProtocolMessage['type']): boolean {
  return state.evidence.some((evidence) => evidence.replica === replica && evidence.kind === kind);
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
  state.evidence.push(evidence);
  emit(state, { kind: 'persist', record: { kind: 'evidence', evidence } });
  note(state, { kind: 'evidence', evidence });
}

/**
 * Only two PrePrepares or NewViews of the current view by its primary make a replica leave: otherwise one faulty backup
 * could topple every primary.
 */
function maybeNoteProvenFault(state: CoreState, first: Signed, second: Signed): void {
  const view = viewOfPrimaryStatement(first.message);
  if (view === state.view && first.sender === currentPrimary(state)) {
    state.provenFault = { view, first, second };
  }
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

/** A peer sent two statements of one primary, both with right signatures; other kinds are not passed around. */
export function onEvidence(state: CoreState, first: Verified<Signed>, second: Verified<Signed>, from: ReplicaId): void {
  if (
    first.sender !== second.sender ||
    first.sender === state.configuration.replica ||
    !isContradiction(first, second)
  ) {
    noteRejection(state, first.message.type, reject('noContradiction'), from);
    return;
  }
  recordEvidence(state, first, second);
}

function isContradiction(first: Signed, second: Signed): boolean {
  const [left, right] = [first.message, second.message];
  if (left.type === 'prePrepare' && right.type === 'prePrepare') {
    return left.view === right.view && left.sequence === right.sequence && left.batchDigest !== right.batchDigest;
  }
  return (
    left.type === 'newView' &&
    right.type === 'newView' &&
    left.newView === right.newView &&
    !equalBytes(first.payload, second.payload)
  );
}
