/**
 * Before the first vote of a life (protocol.md 8a). A replica can't know by itself that its disk gave back all that it
 * had made durable: a volume is restored from an older copy, or is another one. Those that hold what it said can tell.
 *
 * 1. Until a quorum, itself included, has answered its Status it signs no PrePrepare, Prepare, Commit, Checkpoint,
 *    ViewChange or NewView; it goes on learning, executing and passing on requests.
 * 2. An answer is a Status of this link that has heard of an own one of this link: before it its sender showed all
 *    that it holds and this replica doesn't know of (own-statements.ts), for a link keeps the order.
 * 3. It votes only at sequences above the stable checkpoint of each who answered: below it they hold nothing any more.
 *
 * Status is no vote, so replicas that all start at once answer each other; f that stay silent or lie are not needed.
 */
import { assert } from '../util/assert.js';
import { type Owned, owned } from '../util/owned.js';
import { type Sequence, sequence } from './identifiers.js';
import { computeViewChange } from './leaving-view.js';
import { primaryOf } from './quorum.js';
import type { Slot } from './slot.js';
import { type CoreState, emit, isPrimary, lowWatermark, mayVote, note } from './state.js';
import { sendStatusToAll } from './status.js';
import { beginPatience, isActive, newViewMax } from './view-state.js';

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'memory' | 'serveFrom' | 'startedAtMs'>> {
  return owned(state);
}

/** The replica starts. */
export function noteStart(state: CoreState): void {
  own(state).startedAtMs = state.now.elapsedMs;
}

/** It was shown a statement of its own that it doesn't remember: it never votes again. */
export function loseMemory(state: CoreState): void {
  own(state).memory = 'lost';
}

/** Votes from now on, where a quorum answered. */
export function maybeBeginVoting(state: CoreState): void {
  const { quorum } = state.configuration.sizes;
  if (state.memory !== 'unproven' || state.diverged) {
    return;
  }
  // order: none, they are counted.
  const counted = [...state.peers.values()].filter(
    ({ answer }) => answer !== undefined && answer.lowWatermark <= lowWatermark(state),
  );
  if (counted.length + 1 < quorum) {
    return;
  }
  const start = own(state);
  start.memory = 'proven';
  start.serveFrom = executedBySomeone(state);
  // What waited meanwhile is no fault of the primary's.
  beginPatience(state, state.now.elapsedMs);
  note(state, { kind: 'votingBegun', afterMs: state.now.elapsedMs - state.startedAtMs });
  giveVotesAgain(state);
  sendStatusToAll(state);
}

/**
 * How far this replica has to execute before it speaks for callers: what at least one correct replica among those who
 * answered had executed, by the weak-quorum-th largest of their words. One liar can't keep it from serving.
 */
function executedBySomeone(state: CoreState): Sequence {
  const { weakQuorum } = state.configuration.sizes;
  const said = [...state.peers.values()]
    .flatMap(({ answer }) => (answer === undefined ? [] : [answer.lastExecuted]))
    .sort((left, right) => right - left);
  return sequence(Math.max(lowWatermark(state), said[weakQuorum - 1] ?? 0));
}

/** Every vote that the log promises is given again, the same one. */
function giveVotesAgain(state: CoreState): void {
  if (!isActive(state)) {
    sayViewChangeAgain(state);
  }
  const slots = [...state.slots.values()].sort((left, right) => left.sequence - right.sequence);
  for (const slot of slots) {
    // What is decided needs no more votes: peers that lack it get it with its certificate.
    if (isActive(state) && slot.committed === undefined) {
      voteAgain(state, slot);
    }
  }
  for (const checkpoint of [...state.ownCheckpoints.values()].sort((left, right) => left.sequence - right.sequence)) {
    emit(state, { kind: 'broadcast', message: checkpoint });
  }
}

/** The very ViewChange that was signed before, or one that never left. */
function sayViewChangeAgain(state: CoreState): void {
  assert(mayVote(state), 'a ViewChange is signed by who may vote');
  const { ownViewChange } = state;
  if (ownViewChange === undefined) {
    emit(state, { kind: 'sign', message: computeViewChange(state) });
  } else {
    emit(state, { kind: 'forward', to: 'all', item: { kind: 'message', message: ownViewChange } });
  }
}

function voteAgain(state: CoreState, slot: Slot): void {
  const { proposal, prepared } = slot;
  const { replica, sizes } = state.configuration;
  const isOwnOfNewView = isPrimary(state) && slot.sequence <= newViewMax(state);
  if (proposal !== undefined && !isOwnOfNewView) {
    const { view, sequence: at, batchDigest } = proposal.prePrepare;
    assert(view === state.view.number, 'a recovered proposal is of the current view');
    if (isPrimary(state)) {
      const batch = { sequence: at, digest: batchDigest };
      emit(state, { kind: 'propose', message: proposal.prePrepare, batch, requests: [] });
    } else {
      assert(replica !== primaryOf(view, sizes.replicaCount), 'a backup prepares');
      emit(state, { kind: 'broadcast', message: { type: 'prepare', view, sequence: at, batchDigest } });
    }
  }
  const own = prepared?.prePrepare.message;
  if (own !== undefined && own.view === state.view.number) {
    emit(state, {
      kind: 'broadcast',
      message: { type: 'commit', view: own.view, sequence: own.sequence, batchDigest: own.batchDigest },
    });
  }
}
