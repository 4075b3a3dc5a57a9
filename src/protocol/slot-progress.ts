/**
 * What follows from a slot's votes: prepared, then committed. [OSDI §4.2]
 *
 * 1. The prepared certificate is durable before the commit leaves.
 * 2. A quorum of commits decides whether or not this replica prepared: correct replicas commit only what they prepared.
 * 3. What is decided stays so. Where a quorum commits another batch there, more than f replicas lie, or this one's disk
 *    did: it stops like any replica that differs from what a quorum signed.
 */
import { assert } from '../util/assert.js';
import { stopDiverged } from './checkpoints.js';
import type { BatchSummary, EncodedBatch } from './messages.js';
import {
  type Committed,
  certify,
  computeCommitted,
  computePreparedCertificate,
  computeSecondDecision,
  decide,
  isPrepared,
  type Slot,
} from './slot.js';
import { type CoreState, emit, mayVote, note } from './state.js';
import { isActive } from './view-state.js';

/** Draws what follows from the slot's votes: prepared, committed, executable. */
export function advanceSlot(state: CoreState, slot: Slot): void {
  if (!isPrepared(slot) && isActive(state)) {
    maybePrepare(state, slot);
  }
  if (slot.committed === undefined) {
    maybeCommit(state, slot);
  } else {
    stopAtSecondDecision(state, slot, slot.committed);
  }
  assertConsistent(slot);
}

function maybePrepare(state: CoreState, slot: Slot): void {
  const certificate = computePreparedCertificate(slot, state.configuration.sizes);
  if (certificate === undefined) {
    return;
  }
  const { view, sequence, batchDigest } = certificate.prePrepare.message;
  certify(slot, certificate);
  emit(state, { kind: 'persist', record: { kind: 'prepared', certificate } });
  note(state, { kind: 'prepared', view, sequence });
  if (mayVote(state)) {
    emit(state, { kind: 'broadcast', message: { type: 'commit', view, sequence, batchDigest } });
  }
  assert(isPrepared(slot), 'a certificate makes the slot prepared');
}

function maybeCommit(state: CoreState, slot: Slot): void {
  const committed = computeCommitted(slot, state.configuration.sizes);
  if (committed === undefined) {
    return;
  }
  decide(slot, committed);
  note(state, { kind: 'committed', view: committed.view, sequence: slot.sequence });
  if (slot.committedBatch === undefined) {
    emit(state, { kind: 'fetch', what: { kind: 'batch', sequence: slot.sequence, digest: committed.batchDigest } });
  }
}

function stopAtSecondDecision(state: CoreState, slot: Slot, { batchDigest }: Committed): void {
  const second = state.diverged ? undefined : computeSecondDecision(slot, state.configuration.sizes);
  if (second !== undefined) {
    stopDiverged(state, slot.sequence, batchDigest, second.batchDigest);
  }
}

/** One batch a view is prepared, one is decided, and that one is executed. */
function assertConsistent(slot: Slot): void {
  const { proposal, prepared, committed, committedBatch } = slot;
  assert(
    !isPrepared(slot) || prepared?.prePrepare.message.batchDigest === proposal?.prePrepare.batchDigest,
    'what is prepared in a view is what is proposed there',
  );
  assert(
    committedBatch?.digest === undefined || committedBatch.digest === committed?.batchDigest,
    'the bytes are those that are decided',
  );
}

/** What the core keeps of a batch. */
export function summaryOf({ digest, sizeBytes, timestampMs, requests, operationCount }: EncodedBatch): BatchSummary {
  return { digest, sizeBytes, timestampMs, requests, operationCount };
}
