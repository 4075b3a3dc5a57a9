/**
 * Catching up within the others' ledger (protocol.md 8): the stable checkpoint is above what was executed, so headers
 * and batches up to it are fetched, verified backwards from its certificate by the runtime, executed here and compared.
 */

import { type Owned, owned } from '../util/owned.js';
import { type CommitCertificate, isCommitQuorum } from './certificates.js';
import { stopDiverged } from './checkpoints.js';
import type { Event, FetchedEntry } from './events.js';
import { noteFetched } from './execution.js';
import { type ReplicaId, type Sequence, sequenceAfter } from './identifiers.js';
import type { Commit, EncodedBatch, Signed, Verified } from './messages.js';
import { type Rejection, reject } from './rejection.js';
import { decide, isSecondDecision, learnBatch } from './slot.js';
import { advanceSlot, summaryOf } from './slot-progress.js';
import { type CoreState, emit, isInWindow, lowWatermark, note, noteRejection, slotAt } from './state.js';

/** Asks for the ledger up to the stable checkpoint where execution is behind it. */
export function maybeFetchLedger(state: CoreState): void {
  const target = lowWatermark(state);
  if (state.diverged || state.lastDispatched >= target || state.fetchingLedgerTo >= target) {
    return;
  }
  const own: Owned<Pick<CoreState, 'fetchingLedgerTo'>> = owned(state);
  own.fetchingLedgerTo = target;
  note(state, { kind: 'behind', lastExecuted: state.lastExecuted, target });
  emit(state, {
    kind: 'fetch',
    what: {
      kind: 'ledger',
      first: sequenceAfter(state.lastDispatched),
      last: target,
      lastHeaderDigest: state.stable.headerDigest,
    },
  });
}

/** A verified range came: what is next is executed, and its headers are compared afterwards. */
export function onLedgerFetched(state: CoreState, entries: readonly FetchedEntry[]): void {
  if (state.diverged) {
    return;
  }
  for (const { sequence, headerDigest, batch } of entries) {
    if (sequence !== state.lastDispatched + 1) {
      continue;
    }
    noteFetched(state, sequence, headerDigest);
    const slot = isInWindow(state, sequence) ? slotAt(state, sequence) : undefined;
    if (slot !== undefined) {
      if (slot.committed === undefined) {
        decide(slot, { view: state.view.number, batchDigest: batch.digest, certificate: undefined });
      }
      learnBatch(slot, summaryOf(batch));
    }
    emit(state, { kind: 'persist', record: { kind: 'batch', sequence, batch } });
    emit(state, {
      kind: 'execute',
      sequence,
      view: state.view.number,
      batchDigest: batch.digest,
      certificate: undefined,
    });
  }
}

/** Why nothing that is decided at this sequence is looked at any more, or not yet; or undefined. */
function rejectDecided(state: CoreState, sequence: Sequence): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  if (!isInWindow(state, sequence)) {
    return reject(sequence <= lowWatermark(state) ? 'belowWindow' : 'aboveWindow');
  }
  return undefined;
}

/** Why a batch with its commits is not taken, or undefined. Cheap: made before signatures are checked. */
export function rejectCommittedBatch(
  state: CoreState,
  commits: readonly Pick<Signed<Commit>, 'message' | 'sender'>[],
): Rejection | undefined {
  const first = commits[0]?.message;
  if (first === undefined || !isCommitQuorum(commits, state.configuration.sizes.quorum)) {
    return reject('badCertificate');
  }
  const slot = state.slots.get(first.sequence);
  const rejection = rejectDecided(state, first.sequence);
  if (rejection !== undefined || isSecondDecision(slot, first.batchDigest)) {
    return rejection;
  }
  if (first.sequence <= state.lastDispatched) {
    return reject('stale');
  }
  const isKnown = slot?.committed?.certificate !== undefined && slot.committedBatch !== undefined;
  return isKnown ? reject('duplicate') : undefined;
}

/** A peer sent a batch with the quorum of commits that decides it, valid whatever view they are of. */
export function onCommittedBatch(
  state: CoreState,
  batch: Verified<EncodedBatch>,
  certificate: CommitCertificate,
  from: ReplicaId,
): void {
  const rejection = rejectCommittedBatch(state, certificate.commits);
  const first = certificate.commits[0]?.message;
  if (rejection !== undefined || first?.batchDigest !== batch.digest) {
    noteRejection(state, 'committedBatch', rejection ?? reject('badCertificate'), from);
    return;
  }
  const slot = slotAt(state, first.sequence);
  if (slot.committed !== undefined && isSecondDecision(slot, batch.digest)) {
    stopDiverged(state, first.sequence, slot.committed.batchDigest, batch.digest);
    return;
  }
  // Its commits replace what came as ledger, or nothing: peers that lack the batch are helped with them.
  if (slot.committed?.certificate === undefined) {
    decide(slot, { view: first.view, batchDigest: batch.digest, certificate });
    note(state, { kind: 'committed', view: first.view, sequence: first.sequence });
  }
  takeBatch(state, first.sequence, batch);
}

/** A fetched batch came. */
export function onBatchFetched(state: CoreState, event: Extract<Event, { kind: 'batchFetched' }>): void {
  if (!state.diverged && isInWindow(state, event.sequence)) {
    takeBatch(state, event.sequence, event.batch);
  }
}

/** Takes a batch that is committed or proposed at its sequence. */
function takeBatch(state: CoreState, sequence: Sequence, batch: EncodedBatch): void {
  const slot = slotAt(state, sequence);
  const isWanted =
    slot.committed?.batchDigest === batch.digest || slot.proposal?.prePrepare.batchDigest === batch.digest;
  if (!isWanted) {
    return;
  }
  if (!slot.batches.has(batch.digest)) {
    emit(state, { kind: 'persist', record: { kind: 'batch', sequence, batch } });
    state.pool.markProposed(batch.requests, state.view.number);
  }
  learnBatch(slot, summaryOf(batch));
  advanceSlot(state, slot);
}
