/**
 * What follows from a slot's votes: prepared, then committed. [OSDI §4.2]
 *
 * 1. The prepared certificate is durable before the commit leaves.
 * 2. A quorum of commits decides whether or not this replica prepared: correct replicas commit only what they prepared.
 */
import { assert } from '../util/assert.js';
import type { BatchSummary, EncodedBatch } from './messages.js';
import { computeCommitted, computePreparedCertificate, isPrepared, type Slot } from './slot.js';
import { type CoreState, emit, mayVote, note } from './state.js';

/** Draws what follows from the slot's votes: prepared, committed, executable. */
export function advanceSlot(state: CoreState, slot: Slot): void {
  const { sizes } = state.configuration;
  if (!isPrepared(slot) && state.active) {
    const certificate = computePreparedCertificate(slot, sizes);
    if (certificate !== undefined) {
      const { view, sequence, batchDigest } = certificate.prePrepare.message;
      slot.prepared = certificate;
      emit(state, { kind: 'persist', record: { kind: 'prepared', certificate } });
      note(state, { kind: 'prepared', view, sequence });
      if (mayVote(state)) {
        emit(state, { kind: 'broadcast', message: { type: 'commit', view, sequence, batchDigest } });
      }
      assert(isPrepared(slot), 'a certificate makes the slot prepared');
    }
  }
  if (slot.committed === undefined) {
    const committed = computeCommitted(slot, sizes);
    if (committed !== undefined) {
      slot.committed = committed;
      slot.committedBatch = slot.batches.get(committed.batchDigest);
      note(state, { kind: 'committed', view: committed.view, sequence: slot.sequence });
      if (slot.committedBatch === undefined) {
        emit(state, {
          kind: 'fetch',
          what: { kind: 'batch', sequence: slot.sequence, digest: committed.batchDigest },
        });
      }
    }
  }
}

/** What the core keeps of a batch. */
export function summaryOf({ digest, sizeBytes, timestampMs, requests, operationCount }: EncodedBatch): BatchSummary {
  return { digest, sizeBytes, timestampMs, requests, operationCount };
}
