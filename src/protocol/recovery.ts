/**
 * Starting from what was persisted: the state is built from the records. (protocol.md 4, persist before send)
 */

import { assert } from '../util/assert.js';
import { stopDiverged } from './checkpoints.js';
import { type ReplicaId, replicaId, type Sequence, sequence } from './identifiers.js';
import type { RecoveredState } from './log-record.js';
import { RequestPool } from './request-pool.js';
import { createSlot, dropOtherBatches, type Slot } from './slot.js';
import {
  type CoreConfiguration,
  type CoreState,
  isInWindow,
  type PeerState,
  RESEND_BYTES_PER_SECOND,
} from './state.js';
import { TimerTable } from './timers.js';
import { proposalsOf } from './verified.js';
import { computeViewChangeDigest, ViewChangeLog } from './view-change-log.js';
import { isActive, recoverView, startClock } from './view-state.js';
import { ViewTimeout } from './view-timeout.js';

/** The state of a replica that starts. */
export function recoverState(configuration: CoreConfiguration, recovered: RecoveredState): CoreState {
  const stable = recovered.stableCheckpoint?.checkpoints[0]?.message;
  const state: CoreState = {
    configuration,
    view: recoverView(recovered.view, recovered.active, recovered.begunView),
    stable: {
      sequence: stable?.sequence ?? sequence(0),
      headerDigest: stable?.headerDigest ?? recovered.lastHeaderDigest,
      certificate: recovered.stableCheckpoint,
    },
    slots: new Map(),
    lastExecuted: recovered.lastExecuted,
    lastHeaderDigest: recovered.lastHeaderDigest,
    lastDispatched: recovered.lastExecuted,
    promisedHeaders: new Map(),
    pool: createPool(configuration),
    proposedCosts: new Map(),
    checkpoints: new Map(),
    ownCheckpoints: new Map(recovered.ownCheckpoints.map((checkpoint) => [checkpoint.sequence, checkpoint])),
    delayed: new Map(),
    peers: createPeers(configuration),
    nextStatusNumber: configuration.firstStatusNumber,
    memory: 'unproven',
    serveFrom: undefined,
    startedAtMs: 0,
    evidence: [...recovered.evidence],
    diverged: false,
    clockAlarm: false,
    batchDelayPassed: false,
    ownViewChange: recovered.ownViewChange,
    viewChanges: new ViewChangeLog(),
    pendingNewViews: new Map(),
    badViewChangeAtMs: new Map(),
    provenFault: undefined,
    future: new Map(),
    timeout: createTimeout(configuration),
    fetchingLedgerTo: sequence(0),
    statusIsQuick: false,
    timers: new TimerTable(),
    now: { wallMs: 0, elapsedMs: 0 },
    effects: [],
  };
  recoverSlots(state, recovered);
  return state;
}

function createTimeout({ local, consensus }: CoreConfiguration): ViewTimeout {
  return new ViewTimeout({
    minMs: local.requestTimeoutMs,
    maxMs: local.requestTimeoutMaxMs,
    checkpointInterval: consensus.checkpointInterval,
  });
}

function createPool({ local, consensus, costOf }: CoreConfiguration): RequestPool {
  const limits = {
    requestsOfClientMax: local.waitingRequestsOfClientMax,
    requestsMax: local.waitingRequestsMax,
    bytesMax: local.waitingBytesMax,
    costOfClientMax: COST_OF_CLIENT_BATCHES * consensus.batchCostMax,
  };
  return new RequestPool(limits, costOf);
}

/**
 * What one client's waiting requests may cost, in batches: enough to fill the next while one is executed, and few, so
 * that nobody's own requests wait so long that the primary is left for it.
 */
const COST_OF_CLIENT_BATCHES = 2;

function createPeers({ replica, sizes }: CoreConfiguration): Map<ReplicaId, PeerState> {
  const peers = new Map<ReplicaId, PeerState>();
  for (let id = 0; id < sizes.replicaCount; id++) {
    if (id !== replica) {
      peers.set(replicaId(id), {
        connected: false,
        heardAtMs: 0,
        status: undefined,
        statusAtMs: 0,
        statusNumber: 0,
        firstNumber: undefined,
        answer: undefined,
        resentAtMs: new Map(),
        resendBudgetBytes: RESEND_BYTES_PER_SECOND,
        resendBudgetAtMs: 0,
      });
    }
  }
  return peers;
}

function recoverSlots(state: CoreState, recovered: RecoveredState): void {
  const at = (where: Sequence): Slot => {
    assert(isInWindow(state, where), `recovered sequence ${where} is in the window`);
    const slot = state.slots.get(where) ?? createSlot(where, 0);
    state.slots.set(where, slot);
    return slot;
  };
  for (const { sequence: where, batch } of recovered.batches) {
    if (isInWindow(state, where)) {
      at(where).batches.set(batch.digest, batch);
    }
  }
  for (const { prePrepare, signed, batch } of recovered.accepted) {
    if (prePrepare.view === state.view.number && isActive(state)) {
      at(prePrepare.sequence).proposal = { prePrepare, signed, batch };
    }
  }
  const begun = isActive(state) ? recovered.begunView : undefined;
  for (const signed of begun === undefined ? [] : proposalsOf(begun.newView)) {
    const { sequence: where, batchDigest } = signed.message;
    if (isInWindow(state, where)) {
      const slot = at(where);
      const batch = slot.batches.get(batchDigest);
      slot.proposal = { prePrepare: signed.message, signed, batch };
    }
  }
  for (const certificate of recovered.prepared) {
    const slot = at(certificate.prePrepare.message.sequence);
    slot.prepared = certificate;
    for (const prepare of certificate.prepares) {
      if (prepare.message.view === state.view.number && isActive(state)) {
        slot.prepares.set(prepare.sender, prepare);
      }
    }
    if (certificate.prePrepare.message.view === state.view.number && slot.proposal !== undefined) {
      slot.proposal.signed ??= certificate.prePrepare;
    }
  }
  for (const { sequence: where, batch, certificate } of recovered.committed) {
    const slot = at(where);
    const view = certificate?.commits[0]?.message.view ?? state.view.number;
    slot.committed = { view, batchDigest: batch.digest, certificate };
    slot.committedBatch = batch;
    slot.batches.set(batch.digest, batch);
    for (const commit of certificate?.commits ?? []) {
      slot.commits.set(commit.sender, commit);
    }
  }
  // The log has a batch of each view in which one was accepted.
  // order: none, each slot is looked at alone.
  for (const slot of state.slots.values()) {
    dropOtherBatches(slot);
  }
}

/**
 * The first step. What was executed up to the stable checkpoint is compared with it anew: a crash forgets that this
 * replica diverged, and that is not to make it vote again. The votes that the log promises are given again when it votes
 * at all (starting.ts).
 */
export function onStarted(state: CoreState): void {
  state.startedAtMs = state.now.elapsedMs;
  startClock(state, state.now.elapsedMs);
  state.timeout.onViewEntered(state.now.elapsedMs);
  for (const peer of state.peers.values()) {
    peer.heardAtMs = state.now.elapsedMs;
  }
  const { ownViewChange, stable } = state;
  if (state.lastExecuted === stable.sequence && state.lastHeaderDigest !== stable.headerDigest) {
    stopDiverged(state, stable.sequence, state.lastHeaderDigest, stable.headerDigest);
    return;
  }
  if (!isActive(state) && ownViewChange !== undefined) {
    const digest = computeViewChangeDigest(ownViewChange, state.configuration.hash);
    state.viewChanges.add({ signed: ownViewChange, digest, judgement: 'valid' });
  }
}
