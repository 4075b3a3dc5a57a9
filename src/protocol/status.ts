/**
 * The Status that a replica sends to each peer: what it has and lacks (protocol.md 8). No single send matters: whatever
 * was lost is sent again by whoever sees in a Status that it is missing.
 */
import type { Digest } from '../util/digest.js';
import { type Owned, owned } from '../util/owned.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import { sequence } from './identifiers.js';
import type { Status } from './messages.js';
import type { PeerState } from './peers.js';
import { connectPeer, takeAnswer } from './peers.js';
import { isPrepared, isUnderWay, type Slot } from './slot.js';
import { type CoreState, currentPrimary, emit, ensureTimer, highWatermark, lowWatermark, mayVote } from './state.js';
import { begunView, isActive } from './view-state.js';

/** While something is missing anywhere, and otherwise. */
const STATUS_BUSY_MS = 1_000;
const STATUS_IDLE_MS = 5_000;

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'nextStatusNumber' | 'statusIsQuick'>> {
  return owned(state);
}

/** The first sequence that the bitmaps speak of. */
export function bitmapBase(status: { lowWatermark: Sequence; lastExecuted: Sequence }): Sequence {
  return sequence(Math.max(status.lowWatermark, status.lastExecuted) + 1);
}

/** Whether bit `index` is set, least significant bit first. */
export function isBitSet(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** The Status for one peer. */
function computeStatus(state: CoreState, to: ReplicaId): Status {
  const last = lastKnown(state);
  const base = bitmapBase({ lowWatermark: lowWatermark(state), lastExecuted: state.lastExecuted });
  const length = Math.max(0, last - base + 1);
  return {
    type: 'status',
    to,
    view: state.view.number,
    active: isActive(state),
    lowWatermark: lowWatermark(state),
    lastExecuted: state.lastExecuted,
    clockMs: Math.max(0, state.now.wallMs),
    missingPrePrepares: bitmap(state, base, length, (slot) => slot?.proposal?.batch === undefined),
    missingPrepares: bitmap(state, base, length, (slot) => slot === undefined || !isPrepared(slot)),
    missingCommits: bitmap(state, base, length, (slot) => slot?.committedBatch === undefined),
    checkpoints: heldCheckpoints(state),
    number: state.nextStatusNumber,
    recovering: !mayVote(state),
    viewChanges: state.viewChanges.names(),
    newViewDigest: heldNewViewDigest(state),
    heard: state.peers.get(to)?.statusNumber ?? 0,
  };
}

/** The digest of the NewView of its view that this replica accepted or is about to. */
function heldNewViewDigest(state: CoreState): Digest | undefined {
  const begun = begunView(state);
  if (begun !== undefined) {
    return state.configuration.hash(begun.newView.payload);
  }
  const pending = state.pendingNewViews.get(currentPrimary(state));
  return pending?.signed.message.newView === state.view.number ? pending.digest : undefined;
}

/** The highest sequence in the window that this replica or a peer's Status speaks of. */
function lastKnown(state: CoreState): Sequence {
  let last = state.lastExecuted;
  for (const at of state.slots.keys()) {
    last = at > last ? at : last;
  }
  for (const { status } of state.peers.values()) {
    last = status !== undefined && status.lastExecuted > last ? status.lastExecuted : last;
  }
  return last < highWatermark(state) ? last : highWatermark(state);
}

function bitmap(
  state: CoreState,
  base: Sequence,
  length: number,
  isMissing: (slot: Slot | undefined) => boolean,
): Uint8Array {
  const bits = new Uint8Array(Math.ceil(length / 8));
  for (let index = 0; index < length; index++) {
    if (isMissing(state.slots.get(sequence(base + index)))) {
      bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
    }
  }
  return bits;
}

function heldCheckpoints(state: CoreState): Status['checkpoints'] {
  return [...state.checkpoints]
    .sort(([left], [right]) => left - right)
    .flatMap(([at, bySender]) =>
      [...bySender.keys()].sort((left, right) => left - right).map((replica) => ({ replica, sequence: at })),
    );
}

/** Whether Status goes out every second: something that somebody correct knows is not executed, certified or entered here. */
function isBusy(state: CoreState): boolean {
  if (
    !mayVote(state) ||
    !isActive(state) ||
    state.ownCheckpoints.size > 0 ||
    state.lastExecuted < lowWatermark(state)
  ) {
    return true;
  }
  // order: none, one is enough.
  for (const slot of state.slots.values()) {
    if (slot.sequence > state.lastExecuted && isUnderWay(slot, state.view.number)) {
      return true;
    }
  }
  return highestExecutedElsewhere(state) > state.lastExecuted;
}

/**
 * The highest sequence that a correct replica surely executed: this one, a quorum by the stable checkpoint, or one of
 * f + 1 that say so. What a single peer says is no reason for anything.
 */
export function highestExecutedElsewhere(state: CoreState): Sequence {
  const said = [...state.peers.values()].map(({ status }) => status?.lastExecuted ?? 0).sort((a, b) => b - a);
  const byOneCorrect = said[state.configuration.sizes.weakQuorum - 1] ?? 0;
  return sequence(Math.max(state.lastExecuted, lowWatermark(state), byOneCorrect));
}

/** A Status of a peer came that is not old: whether it answers this replica since its start. */
export function noteAnswer(state: CoreState, peer: PeerState, status: Status): void {
  const { firstNumber } = peer;
  const { heard } = status;
  // A number of another life, or one that was never sent, is no answer.
  if (firstNumber !== undefined && heard >= firstNumber && heard < state.nextStatusNumber) {
    takeAnswer(peer, status);
  }
}

/** The peers that have answered, whether or not this replica is as far as their stable checkpoint. */
export function answeredBy(state: CoreState): readonly ReplicaId[] {
  return [...state.peers]
    .filter(([, { answer }]) => answer !== undefined)
    .map(([id]) => id)
    .sort((left, right) => left - right);
}

/** A Status that is older says nothing of what its sender does now. */
const SERVING_MS_MAX = 15_000;

/**
 * The lower view in which a quorum of peers is active, by what they said lately, while this replica moved to a later one
 * alone; undefined where it isn't left alone. It learns, executes and passes on there, and never votes there again.
 */
export function computeViewOfOthers(state: CoreState, nowMs: number): View | undefined {
  if (isActive(state) || state.diverged) {
    return undefined;
  }
  const counts = new Map<View, number>();
  // order: none, they are counted.
  for (const { status, statusAtMs, connected } of state.peers.values()) {
    if (connected && status?.active && status.view < state.view.number && nowMs - statusAtMs < SERVING_MS_MAX) {
      counts.set(status.view, (counts.get(status.view) ?? 0) + 1);
    }
  }
  // order: none, no two views have a quorum.
  return [...counts].find(([, count]) => count >= state.configuration.sizes.quorum)?.[0];
}

/** Sends Status to one peer. */
export function sendStatus(state: CoreState, to: ReplicaId): void {
  emit(state, { kind: 'sendStatus', message: computeStatus(state, to) });
  own(state).nextStatusNumber++;
}

/** A link to this peer is up: what was said on an earlier one counts no more, and numbers begin anew. */
export function beginLink(state: CoreState, to: ReplicaId, peer: PeerState): void {
  connectPeer(peer, state.nextStatusNumber);
  sendStatus(state, to);
}

/** The heartbeat is due, or the view changed: Status to every connected peer. */
export function sendStatusToAll(state: CoreState): void {
  for (const peer of connectedPeers(state)) {
    sendStatus(state, peer);
  }
}

/** Keeps the heartbeat at the pace that fits; quickens one that was started at rest. */
export function updateStatusTimer(state: CoreState): void {
  const busy = isBusy(state);
  if (busy && !state.statusIsQuick && state.timers.isRunning('status')) {
    emit(state, state.timers.start('status', STATUS_BUSY_MS, state.now.elapsedMs));
    own(state).statusIsQuick = true;
  } else if (!state.timers.isRunning('status')) {
    ensureTimer(state, 'status', busy ? STATUS_BUSY_MS : STATUS_IDLE_MS);
    own(state).statusIsQuick = busy;
  }
}

function connectedPeers(state: CoreState): ReplicaId[] {
  return [...state.peers]
    .filter(([, peer]) => peer.connected)
    .map(([id]) => id)
    .sort((left, right) => left - right);
}
