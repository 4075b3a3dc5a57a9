/**
 * Checkpoints and garbage collection [OSDI §4.3].
 *
 * 1. h moves only to a sequence that a quorum signed with one header digest, and never back.
 * 2. The log at or below h is discarded after the certificate is durable.
 * 3. Of each sender the checkpoints in (h, H] are kept and its highest above: bounded by n × (window / K + 1).
 * 4. A replica whose own digest differs from a stable checkpoint's stops: it diverged.
 */
import { assert } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { type Owned, owned } from '../util/owned.js';
import { type CheckpointCertificate, isCheckpointQuorum } from './certificates.js';
import { hasEvidence, recordEvidence } from './evidence.js';
import { dropDelayed } from './future-messages.js';
import type { ReplicaId, Sequence } from './identifiers.js';
import type { Checkpoint, Signed, Verified } from './messages.js';
import { type Rejection, reject } from './rejection.js';
import {
  type CoreState,
  dropSlots,
  emit,
  highWatermark,
  isInWindow,
  lowWatermark,
  mayVote,
  note,
  noteRejection,
} from './state.js';

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'stable' | 'checkpoints' | 'ownCheckpoints' | 'diverged'>> {
  return owned(state);
}

/** Why a checkpoint is not taken, or undefined. Cheap: made before signatures are checked. */
export function rejectCheckpoint(state: CoreState, checkpoint: Checkpoint, sender: ReplicaId): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  if (checkpoint.sequence % state.configuration.consensus.checkpointInterval !== 0 || checkpoint.sequence === 0) {
    return reject('notCheckpoint');
  }
  if (checkpoint.sequence <= lowWatermark(state)) {
    return reject('belowWindow');
  }
  const held = state.checkpoints.get(checkpoint.sequence)?.get(sender);
  if (held !== undefined) {
    const isSame = held.message.headerDigest === checkpoint.headerDigest;
    return isSame || hasEvidence(state, sender, 'checkpoint') ? reject('duplicate') : undefined;
  }
  if (checkpoint.sequence > highWatermark(state) && checkpoint.sequence <= highestAbove(state, sender)) {
    return reject('stale');
  }
  return undefined;
}

/** The sender's highest checkpoint above H, 0 for none. */
function highestAbove(state: CoreState, sender: ReplicaId): number {
  let highest = 0;
  for (const [sequence, bySender] of state.checkpoints) {
    if (sequence > highWatermark(state) && bySender.has(sender)) {
      highest = Math.max(highest, sequence);
    }
  }
  return highest;
}

/** A checkpoint came, or the own one is on its way. */
export function onCheckpoint(state: CoreState, checkpoint: Verified<Signed<Checkpoint>>): void {
  const { message, sender } = checkpoint;
  const rejection = rejectCheckpoint(state, message, sender);
  if (rejection !== undefined) {
    noteRejection(state, 'checkpoint', rejection, sender);
    return;
  }
  const held = state.checkpoints.get(message.sequence)?.get(sender);
  if (held !== undefined) {
    recordEvidence(state, held, checkpoint);
    noteRejection(state, 'checkpoint', reject('contradiction'), sender);
    return;
  }
  keep(state, checkpoint);
  const certificate = computeCertificate(state, message.sequence);
  if (certificate !== undefined) {
    stabilize(state, certificate);
  } else {
    maybeRaiseSplit(state, message.sequence);
  }
}

function keep(state: CoreState, checkpoint: Verified<Signed<Checkpoint>>): void {
  const { message, sender } = checkpoint;
  if (message.sequence > highWatermark(state)) {
    for (const [sequence, bySender] of state.checkpoints) {
      if (sequence > highWatermark(state) && bySender.delete(sender) && bySender.size === 0) {
        own(state).checkpoints.delete(sequence);
      }
    }
  }
  const bySender = state.checkpoints.get(message.sequence) ?? new Map<ReplicaId, Verified<Signed<Checkpoint>>>();
  bySender.set(sender, checkpoint);
  own(state).checkpoints.set(message.sequence, bySender);
}

/** Checkpoints of this sequence by digest, each group sorted by sender. */
function groupsByDigest(state: CoreState, sequence: Sequence): Verified<Signed<Checkpoint>>[][] {
  const groups = new Map<Digest, Verified<Signed<Checkpoint>>[]>();
  const sorted = [...(state.checkpoints.get(sequence)?.values() ?? [])].sort((a, b) => a.sender - b.sender);
  for (const checkpoint of sorted) {
    const group = groups.get(checkpoint.message.headerDigest) ?? [];
    group.push(checkpoint);
    groups.set(checkpoint.message.headerDigest, group);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function computeCertificate(state: CoreState, sequence: Sequence): CheckpointCertificate | undefined {
  const { quorum } = state.configuration.sizes;
  const largest = groupsByDigest(state, sequence)[0];
  return largest !== undefined && largest.length >= quorum ? { checkpoints: largest.slice(0, quorum) } : undefined;
}

/** Raises the alarm when no digest can get a quorum at this sequence any more. */
function maybeRaiseSplit(state: CoreState, sequence: Sequence): void {
  const { quorum, replicaCount } = state.configuration.sizes;
  const groups = groupsByDigest(state, sequence);
  const votes = groups.reduce((sum, group) => sum + group.length, 0);
  const largest = groups[0]?.length ?? 0;
  if (largest + (replicaCount - votes) < quorum) {
    note(state, { kind: 'checkpointSplit', sequence });
  }
}

/** A peer sent a whole certificate, whose signatures ingress checked: judged by quorum and equality here. */
export function onCheckpointCertificate(state: CoreState, certificate: CheckpointCertificate, from: ReplicaId): void {
  const rejection = rejectCertificate(state, certificate);
  if (rejection !== undefined) {
    noteRejection(state, 'checkpointCertificate', rejection, from);
    return;
  }
  stabilize(state, certificate);
}

/** Why a checkpoint certificate is not taken, or undefined. Cheap: made before its signatures are checked. */
export function rejectCertificate(state: CoreState, certificate: UncheckedCertificate): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  const statement = certificate.checkpoints[0]?.message;
  if (statement === undefined || !isQuorumOnOneStatement(state, certificate)) {
    return reject('badCertificate');
  }
  return statement.sequence > lowWatermark(state) ? undefined : reject('stale');
}

/** A certificate whose signatures nobody may have checked. */
interface UncheckedCertificate {
  readonly checkpoints: readonly Pick<Signed<Checkpoint>, 'message' | 'sender'>[];
}

/** Whether it is a quorum of distinct signers with one sequence, a multiple of K, and one digest. */
function isQuorumOnOneStatement(state: CoreState, { checkpoints }: UncheckedCertificate): boolean {
  const first = checkpoints[0]?.message;
  return (
    first !== undefined &&
    first.sequence % state.configuration.consensus.checkpointInterval === 0 &&
    isCheckpointQuorum(checkpoints, state.configuration.sizes.quorum)
  );
}

/** Execution reached a multiple of K: it is signed once it is durable. */
export function onOwnCheckpointReached(state: CoreState, sequence: Sequence, headerDigest: Digest): void {
  if (sequence <= lowWatermark(state)) {
    if (sequence === lowWatermark(state) && headerDigest !== state.stable.headerDigest) {
      stopDiverged(state, sequence, headerDigest, state.stable.headerDigest);
    }
    return;
  }
  const checkpoint: Checkpoint = { type: 'checkpoint', sequence, headerDigest };
  own(state).ownCheckpoints.set(sequence, checkpoint);
  emit(state, { kind: 'persist', record: { kind: 'ownCheckpoint', checkpoint } });
  if (mayVote(state)) {
    emit(state, { kind: 'broadcast', message: checkpoint });
  }
}

/** Makes a certified checkpoint the stable one: h, H and the log move. */
export function stabilize(state: CoreState, certificate: CheckpointCertificate): void {
  const statement = certificate.checkpoints[0]?.message;
  assert(statement !== undefined && isQuorumOnOneStatement(state, certificate), 'a stable checkpoint has a quorum');
  assert(statement.sequence > lowWatermark(state), 'the low watermark never goes back');
  const { sequence, headerDigest } = statement;
  const reached = state.ownCheckpoints.get(sequence);
  if (reached !== undefined && reached.headerDigest !== headerDigest) {
    stopDiverged(state, sequence, reached.headerDigest, headerDigest);
    return;
  }
  own(state).stable = { sequence, headerDigest, certificate };
  state.timeout.onStable();
  emit(state, { kind: 'persist', record: { kind: 'stableCheckpoint', certificate } });
  emit(state, { kind: 'discard', lowWatermark: sequence });
  note(state, { kind: 'stable', sequence });
  for (const map of [own(state).checkpoints, own(state).ownCheckpoints]) {
    for (const key of [...map.keys()]) {
      if (key <= sequence) {
        map.delete(key);
      }
    }
  }
  dropSlots(state, sequence);
  dropDelayed(state, sequence);
  assertStable(state);
}

/** What is kept is of the window above the stable checkpoint, checkpoints and what was executed also of later ones. */
function assertStable(state: CoreState): void {
  const { certificate, sequence } = state.stable;
  assert(certificate !== undefined && isQuorumOnOneStatement(state, certificate), 'a quorum certifies the state at h');
  // order: none, each by itself.
  for (const at of state.slots.keys()) {
    assert(isInWindow(state, at), 'slots are of the window');
  }
  for (const map of [state.checkpoints, state.ownCheckpoints, state.delayed]) {
    // order: none, each by itself.
    for (const at of map.keys()) {
      assert(at > sequence, 'nothing at or below h is kept');
    }
  }
}

/** The own state differs from what a quorum signed: this replica executes, votes and serves no more. */
export function stopDiverged(state: CoreState, sequence: Sequence, executed: Digest, certified: Digest): void {
  own(state).diverged = true;
  note(state, { kind: 'diverged', sequence, own: executed, certified });
}
