/**
 * Starting from what was persisted: the state is built from the records. (protocol.md 4, persist before send)
 */

import { stopDiverged } from './checkpoints.js';
import { type Sequence, sequence } from './identifiers.js';
import type { RecoveredState } from './log-record.js';
import { createPeers, hearPeer } from './peers.js';
import { RequestPool } from './request-pool.js';
import {
  accept,
  certify,
  countCommit,
  countPrepare,
  decide,
  dropOtherBatches,
  learnBatch,
  noteSigned,
  type Slot,
} from './slot.js';
import { noteStart } from './starting.js';
import { type CoreConfiguration, type CoreState, isInWindow, slotAt } from './state.js';
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
    peers: createPeers(configuration.replica, configuration.sizes),
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

function recoverSlots(state: CoreState, recovered: RecoveredState): void {
  const at = (where: Sequence): Slot => slotAt(state, where);
  for (const { sequence: where, batch } of recovered.batches) {
    if (isInWindow(state, where)) {
      learnBatch(at(where), batch);
    }
  }
  for (const { prePrepare, signed, batch } of recovered.accepted) {
    if (prePrepare.view === state.view.number && isActive(state)) {
      accept(at(prePrepare.sequence), { prePrepare, signed, batch });
    }
  }
  const begun = isActive(state) ? recovered.begunView : undefined;
  for (const signed of begun === undefined ? [] : proposalsOf(begun.newView)) {
    const { sequence: where, batchDigest } = signed.message;
    if (isInWindow(state, where)) {
      const slot = at(where);
      const batch = slot.batches.get(batchDigest);
      accept(slot, { prePrepare: signed.message, signed, batch });
    }
  }
  for (const certificate of recovered.prepared) {
    const slot = at(certificate.prePrepare.message.sequence);
    certify(slot, certificate);
    for (const prepare of certificate.prepares) {
      if (prepare.message.view === state.view.number && isActive(state)) {
        countPrepare(slot, prepare);
      }
    }
    if (certificate.prePrepare.message.view === state.view.number) {
      noteSigned(slot, certificate.prePrepare);
    }
  }
  for (const { sequence: where, batch, certificate } of recovered.committed) {
    const slot = at(where);
    const view = certificate?.commits[0]?.message.view ?? state.view.number;
    decide(slot, { view, batchDigest: batch.digest, certificate });
    learnBatch(slot, batch);
    for (const commit of certificate?.commits ?? []) {
      countCommit(slot, commit);
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
  noteStart(state);
  startClock(state, state.now.elapsedMs);
  state.timeout.onViewEntered(state.now.elapsedMs);
  // order: none, each by itself.
  for (const peer of state.peers.values()) {
    hearPeer(peer, state.now.elapsedMs);
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
