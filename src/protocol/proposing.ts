/**
 * The primary's side of the normal case [OSDI §4.2, batching of TOCS §5.1.4]: when a batch is made and of what.
 *
 * 1. At low load a request never waits for a timer: with nothing in flight a batch goes at once.
 * 2. Under load batches fill while earlier ones are in flight; at most `pipeline` are.
 * 3. What is in flight costs no more together than a batch may: what is executed late makes every request wait, so
 *    costly requests go as fast as they are executed, and no faster.
 * 4. Never above H, never two batches for one (view, sequence), never before this replica is active in the view and
 *    has executed up to its own stable checkpoint.
 */
import { assert } from '../util/assert.js';
import { type Owned, owned } from '../util/owned.js';
import { type Sequence, sequence, sequenceAfter } from './identifiers.js';
import type { EncodedBatch, SignedRequest } from './messages.js';
import type { BatchRoom } from './request-pool.js';
import { accept, learnBatch } from './slot.js';
import { advanceSlot, summaryOf } from './slot-progress.js';
import {
  type CoreState,
  emit,
  ensureTimer,
  highWatermark,
  isPrimary,
  lowWatermark,
  mayVote,
  note,
  slotAt,
  stopTimer,
} from './state.js';
import { isActive, newViewMax } from './view-state.js';

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'proposedCosts' | 'batchDelayPassed'>> {
  return owned(state);
}

/** What waits goes in this step. */
export function onBatchDelayTimerExpired(state: CoreState): void {
  own(state).batchDelayPassed = true;
}

/** The view was left: what is proposed again is proposed by others. */
export function forgetCosts(state: CoreState): void {
  own(state).proposedCosts.clear();
}

/** The sequence that the next batch of this view gets: above all that is executed or proposed. */
function computeNextSequence(state: CoreState): Sequence {
  let last = sequence(Math.max(state.lastDispatched, lowWatermark(state), newViewMax(state)));
  for (const slot of state.slots.values()) {
    if (slot.sequence > last && (slot.proposal !== undefined || slot.committed !== undefined)) {
      last = slot.sequence;
    }
  }
  return sequenceAfter(last);
}

/** Whether this replica may propose at all now. */
function mayPropose(state: CoreState): boolean {
  return (
    mayVote(state) &&
    isActive(state) &&
    isPrimary(state) &&
    !state.diverged &&
    state.lastExecuted >= lowWatermark(state)
  );
}

/** Proposes batches as long as the rules allow. */
export function maybePropose(state: CoreState): void {
  while (state.pool.unproposed > 0 && mayPropose(state)) {
    const next = computeNextSequence(state);
    const inFlight = next - 1 - state.lastExecuted;
    if (next > highWatermark(state) || inFlight >= state.configuration.local.pipeline) {
      break;
    }
    const room = batchRoom(state);
    if (inFlight > 0 && room.costMax < state.pool.roomWanted) {
      break;
    }
    if (!(inFlight === 0 || state.batchDelayPassed || state.pool.fills(room))) {
      ensureTimer(state, 'batchDelay', state.configuration.local.batchDelayMs);
      return;
    }
    own(state).batchDelayPassed = false;
    if (!proposeBatch(state, next, room)) {
      break;
    }
  }
  own(state).batchDelayPassed = false;
  stopTimer(state, 'batchDelay');
}

/** Room for requests in a batch: its limits less the timestamp and what the batches in flight cost. */
function batchRoom(state: CoreState): BatchRoom {
  const { batchOperationsMax, batchBytesMax, batchCostMax } = state.configuration.consensus;
  let costInFlight = 0;
  // order: none, they are summed.
  for (const [at, cost] of state.proposedCosts) {
    if (at <= state.lastExecuted) {
      own(state).proposedCosts.delete(at);
    } else {
      costInFlight += cost;
    }
  }
  return {
    operationsMax: batchOperationsMax,
    bytesMax: batchBytesMax - TIMESTAMP_BYTES,
    costMax: Math.max(0, batchCostMax - costInFlight),
  };
}

const TIMESTAMP_BYTES = 16;

/** Proposes what fits; returns whether that is anything. */
function proposeBatch(state: CoreState, at: Sequence, room: BatchRoom): boolean {
  const requests = state.pool.takeBatch(room, state.view.number);
  if (requests.length > 0) {
    propose(state, at, requests);
  }
  assert(requests.length > 0 || state.proposedCosts.size > 0, 'with nothing in flight a request has room');
  return requests.length > 0;
}

function propose(state: CoreState, at: Sequence, requests: readonly SignedRequest[]): void {
  const { hash, encodeBatch, costOf } = state.configuration;
  const timestampMs = Math.max(1, state.now.wallMs);
  const bytes = encodeBatch(timestampMs, requests);
  const batch: EncodedBatch = {
    digest: hash(bytes),
    bytes,
    sizeBytes: bytes.length,
    timestampMs,
    requests: requests.map(({ clientId, number }: SignedRequest) => ({ clientId, number })),
    operationCount: requests.reduce((sum, request) => sum + request.operations.length, 0),
  };
  const slot = slotAt(state, at);
  assert(slot.proposal === undefined, 'a sequence is proposed once in a view');
  const message = { type: 'prePrepare', view: state.view.number, sequence: at, batchDigest: batch.digest } as const;
  accept(slot, { prePrepare: message, signed: undefined, batch: undefined });
  learnBatch(slot, summaryOf(batch));
  own(state).proposedCosts.set(
    at,
    requests.reduce((sum, request) => sum + costOf(request), 0),
  );
  emit(state, { kind: 'persist', record: { kind: 'accepted', prePrepare: message, signed: undefined, batch } });
  note(state, { kind: 'prePrepared', view: state.view.number, sequence: at, operationCount: batch.operationCount });
  emit(state, { kind: 'propose', message, batch, requests });
  advanceSlot(state, slot);
}
