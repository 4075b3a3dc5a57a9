/**
 * Execution in order: what is committed at the next sequence is handed over, no gap; what was executed is remembered.
 * [OSDI §4.2, last paragraph]
 */
import { assert } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { type Owned, owned } from '../util/owned.js';
import { onOwnCheckpointReached, stopDiverged } from './checkpoints.js';
import type { Event } from './events.js';
import { dropSettledRequests } from './future-messages.js';
import { type Sequence, sequenceAfter } from './identifiers.js';
import { isCommittedLocal } from './slot.js';
import { type CoreState, emit } from './state.js';

/** This file alone writes these. */
function own(
  state: CoreState,
): Owned<Pick<CoreState, 'lastExecuted' | 'lastHeaderDigest' | 'lastDispatched' | 'promisedHeaders'>> {
  return owned(state);
}

/** A batch of the ledger is handed over, which names the header that is to come of it. */
export function noteFetched(state: CoreState, sequence: Sequence, headerDigest: Digest): void {
  assert(sequence === state.lastDispatched + 1, 'batches are handed over in order');
  own(state).lastDispatched = sequence;
  own(state).promisedHeaders.set(sequence, headerDigest);
}

/**
 * Hands over every batch whose turn it is, up to a window above what is executed: where execution is slower than the
 * cluster, h and H move on without it, and what waits for it must not grow. What it misses comes as ledger.
 */
export function maybeExecute(state: CoreState): void {
  const { windowSize } = state.configuration.consensus;
  while (!state.diverged && state.lastDispatched - state.lastExecuted < windowSize) {
    const next = sequenceAfter(state.lastDispatched);
    const slot = state.slots.get(next);
    if (slot?.committed === undefined || !isCommittedLocal(slot)) {
      return;
    }
    own(state).lastDispatched = next;
    state.pool.markDecided(slot.committedBatch?.requests ?? []);
    emit(state, {
      kind: 'execute',
      sequence: next,
      view: slot.committed.view,
      batchDigest: slot.committed.batchDigest,
      certificate: slot.committed.certificate,
    });
  }
}

/** The executor did one batch. */
export function onBatchExecuted(state: CoreState, event: Extract<Event, { kind: 'batchExecuted' }>): void {
  assert(event.sequence === state.lastExecuted + 1, 'batches are executed in order');
  assert(event.sequence <= state.lastDispatched, 'only what was handed over is executed');
  own(state).lastExecuted = event.sequence;
  own(state).lastHeaderDigest = event.headerDigest;
  for (const { clientId, number } of event.acknowledged) {
    state.pool.acknowledge(clientId, number);
  }
  for (const key of event.settled) {
    const knownSinceMs = state.pool.settle(key) ?? state.now.elapsedMs;
    state.timeout.onWaited(state.now.elapsedMs - knownSinceMs);
  }
  const done = new Set(event.settled.map(({ clientId, number }) => `${clientId} ${number}`));
  const deadUpTo = new Map(event.acknowledged.map(({ clientId, number }) => [clientId, number]));
  dropSettledRequests(
    state,
    ({ clientId, number }) => done.has(`${clientId} ${number}`) || number <= (deadUpTo.get(clientId) ?? 0),
  );
  state.timeout.onExecuted(state.now.elapsedMs);
  const promised = state.promisedHeaders.get(event.sequence);
  own(state).promisedHeaders.delete(event.sequence);
  if (state.diverged) {
    // It was handed over before this replica stopped: nothing is said of it.
    return;
  }
  if (promised !== undefined && promised !== event.headerDigest) {
    stopDiverged(state, event.sequence, event.headerDigest, promised);
    return;
  }
  if (event.sequence % state.configuration.consensus.checkpointInterval === 0) {
    onOwnCheckpointReached(state, event.sequence, event.headerDigest);
  }
}
