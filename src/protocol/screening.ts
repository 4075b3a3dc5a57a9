/**
 * The screen in front of signature checks: whether what a peer sent could say anything new. Checking a signature costs
 * ten times what it costs to ask that, and a peer can send the same thing again and again. (protocol.md 2 and 9)
 *
 * 1. Nothing here changes the state or trusts what it looks at: no signature was checked yet. So it may refuse only what
 *    would change nothing, whoever signed it.
 * 2. A late vote, for what is certified here already and with the same digest, is not checked; the edge keeps it unread.
 *    One with another digest is checked, and so is any vote of a sender who is known to have voted otherwise. The edge
 *    reads what it kept then: who contradicts itself in public is held to it, whichever of the two came first.
 * 3. Of contradicting statements one pair a kind and replica is kept. What adds to a pair that is held is refused,
 *    unless it makes this replica leave its view: that happens once, for then it is in another one.
 */
import { unreachable } from '../util/assert.js';
import { rejectKnownNewView, rejectNewView } from './beginning-view.js';
import { rejectCheckpoint } from './checkpoints.js';
import { isKeptAlready } from './future-messages.js';
import type { ReplicaId } from './identifiers.js';
import { rejectKnownViewChange, rejectViewChange } from './joining-view.js';
import type { Commit, PrePrepare, Prepare, RequestKey } from './messages.js';
import { rejectVote } from './normal-case.js';
import { type Rejection, reject } from './rejection.js';
import { rejectStatus } from './retransmission.js';
import { isPrepared, type Slot } from './slot.js';
import type { CoreState, Unchecked } from './state.js';
import { isActive } from './view-state.js';

/** Why a statement would not be taken, or undefined. */
export function screenStatement(state: CoreState, statement: Unchecked): Rejection | undefined {
  const { message, sender, payload } = statement;
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return rejectVote(state, message, sender) ?? screenVote(state, message, sender);
    case 'checkpoint':
      return rejectCheckpoint(state, message, sender);
    case 'status':
      return rejectStatus(state, message, sender);
    case 'viewChange':
      return rejectViewChange(state, message, sender) ?? rejectKnownViewChange(state, { message, sender, payload });
    case 'newView':
      return rejectNewView(state, message, sender) ?? rejectKnownNewView(state, { message, sender, payload });
    default:
      return unreachable(message);
  }
}

/** Why a vote that might be taken says nothing new, or undefined. */
function screenVote(state: CoreState, vote: PrePrepare | Prepare | Commit, sender: ReplicaId): Rejection | undefined {
  const delayed = vote.type === 'prePrepare' ? state.delayed.get(vote.sequence)?.prePrepare.message : undefined;
  const isDelayed = delayed?.view === vote.view && delayed.batchDigest === vote.batchDigest;
  if (isDelayed || isKeptAlready(state, vote, sender)) {
    return reject('duplicate');
  }
  const slot = state.slots.get(vote.sequence);
  return slot !== undefined && isLate(slot, vote, sender) ? reject('late') : undefined;
}

/**
 * Whether the slot has the certificate that the vote would add to. Nothing needs it then: certificates are kept whole,
 * and peers that lack one get it, or the own vote, not those of others.
 */
function isLate(slot: Slot, vote: PrePrepare | Prepare | Commit, sender: ReplicaId): boolean {
  switch (vote.type) {
    case 'prePrepare':
      return false;
    case 'prepare': {
      const certified = isPrepared(slot) ? slot.prepared?.prePrepare.message : undefined;
      return certified?.view === vote.view && certified.batchDigest === vote.batchDigest && !slot.prepares.has(sender);
    }
    case 'commit':
      // Of whatever view: a sequence is decided once.
      return slot.committed?.batchDigest === vote.batchDigest && slot.commits.get(sender)?.message.view !== vote.view;
    default:
      return unreachable(vote);
  }
}

/** Why a request of this length would not be taken, or undefined. */
export function screenRequest(state: CoreState, key: RequestKey, sizeBytes: number): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  const refusal = state.pool.refuses(key, sizeBytes);
  return refusal === undefined ? undefined : reject(refusal);
}

/**
 * Whether a peer can say what this statement says only so often: once a sequence of the window and phase. The others
 * replace what the same sender said before (a later Status, a ViewChange for a higher view, a vote for a lower future
 * view) without an end.
 */
export function isBounded(state: CoreState, { message }: Pick<Unchecked, 'message'>): boolean {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return message.view < state.view.number || (message.view === state.view.number && isActive(state));
    case 'checkpoint':
      return message.sequence <= state.stable.sequence + state.configuration.consensus.windowSize;
    case 'status':
    case 'viewChange':
    case 'newView':
      return false;
    default:
      return unreachable(message);
  }
}
