/**
 * The state of one replica's protocol and the outbox of the step that is being made. The handlers beside this file
 * change it; nothing else does.
 */
import { assert } from '../util/assert.js';
import type { Digest, Hash } from '../util/digest.js';
import { type Owned, owned } from '../util/owned.js';
import type { CheckpointCertificate } from './certificates.js';
import type { Effect } from './effects.js';
import type { Event, Now } from './events.js';
import { type ReplicaId, type Sequence, sequence, type View } from './identifiers.js';
import type { Evidence } from './log-record.js';
import type {
  BatchSummary,
  Checkpoint,
  NewView,
  ProtocolMessage,
  Signed,
  SignedRequest,
  Verified,
  ViewChange,
} from './messages.js';
import type { InputType, Note } from './notes.js';
import type { ConsensusParameters, LocalParameters } from './parameters.js';
import type { PeerState } from './peers.js';
import { primaryOf, type QuorumSizes } from './quorum.js';
import type { Rejection } from './rejection.js';
import type { RequestPool } from './request-pool.js';
import { createSlot, type Slot } from './slot.js';
import type { TimerName, TimerTable } from './timers.js';
import type { ViewChangeLog } from './view-change-log.js';
import type { ViewChangeRules } from './view-change-rules.js';
import type { ViewState } from './view-state.js';
import type { ViewTimeout } from './view-timeout.js';

/** Effects that sign something that binds this replica. */
const VOTING: ReadonlySet<Effect['kind']> = new Set(['broadcast', 'propose', 'sign', 'signPrePrepares']);

/** What the core is made with. The functions are pure: the real ones live in crypto and wire. */
export interface CoreConfiguration {
  readonly replica: ReplicaId;
  readonly sizes: QuorumSizes;
  readonly consensus: ConsensusParameters;
  readonly local: LocalParameters;
  readonly hash: Hash;
  /** What fills a gap in a NewView: the fixed batch without requests. */
  readonly nullBatch: BatchSummary;
  readonly encodeBatch: (timestampMs: number, requests: readonly SignedRequest[]) => Uint8Array;
  /** The number of the first Status of this life, at random, so that no number of another life is taken for one of this. */
  readonly firstStatusNumber: number;
  /** What executing the request costs at most, by its bytes alone. */
  readonly costOf: (request: SignedRequest) => number;
}

/** The state that a quorum certified, and its certificate. */
export interface StableCheckpoint {
  readonly sequence: Sequence;
  /** The genesis digest at sequence 0. */
  readonly headerDigest: Digest;
  /** Undefined at sequence 0. */
  readonly certificate: CheckpointCertificate | undefined;
}

/** A statement with its bytes, whose signature nobody may have checked. */
export type Unchecked<M extends ProtocolMessage = ProtocolMessage> = Pick<Signed<M>, 'message' | 'sender' | 'payload'>;

/** A pre-prepare whose time has not come by the own clock (protocol.md 4, time). */
export type DelayedProposal = Extract<Event, { kind: 'prePrepareReceived' }>;

/** What one sender said of one future view. */
export interface FutureMessages {
  readonly view: View;
  readonly votes: Event[];
  readonly proposals: Event[];
}

/**
 * All of it, in groups by who writes it: the file that is named, and nobody else. Elsewhere it is readonly by type; the
 * owner gets at it by `owned`.
 */
export interface CoreState {
  readonly configuration: CoreConfiguration;
  // state.ts
  /** The sequences in (h, H] of which something is known; what stands in one is slot.ts's. */
  readonly slots: ReadonlyMap<Sequence, Slot>;
  /** Of the step that is being made. */
  readonly now: Now;
  readonly effects: readonly Effect[];
  // Classes that keep their own.
  readonly timers: TimerTable;
  /** T. */
  readonly timeout: ViewTimeout;
  readonly pool: RequestPool;
  readonly viewChanges: ViewChangeLog;
  // view-state.ts
  readonly view: ViewState;
  // peers.ts
  readonly peers: ReadonlyMap<ReplicaId, PeerState>;
  // execution.ts
  /** The highest sequence that was executed, no gap below. */
  readonly lastExecuted: Sequence;
  readonly lastHeaderDigest: Digest;
  /** The highest sequence handed over for execution. */
  readonly lastDispatched: Sequence;
  /** Header digests that fetched ledger entries promised, until execution shows the own. */
  readonly promisedHeaders: ReadonlyMap<Sequence, Digest>;
  // catch-up.ts
  /** The stable checkpoint up to which the ledger is being fetched, 0 for none. */
  readonly fetchingLedgerTo: Sequence;
  // proposing.ts
  /** What the batches cost that this replica proposed and that are not executed. */
  readonly proposedCosts: ReadonlyMap<Sequence, number>;
  /** The batch delay passed in this step: what waits goes. */
  readonly batchDelayPassed: boolean;
  // checkpoints.ts
  readonly stable: StableCheckpoint;
  /** Checkpoints in (h, H], and each sender's highest above, by sequence and sender. */
  readonly checkpoints: ReadonlyMap<Sequence, Map<ReplicaId, Verified<Signed<Checkpoint>>>>;
  /** The own checkpoints from h on, signed or not yet. */
  readonly ownCheckpoints: ReadonlyMap<Sequence, Checkpoint>;
  /** Its state differs from what a quorum signed: it executes, votes and serves no more. */
  readonly diverged: boolean;
  // future-messages.ts
  readonly future: ReadonlyMap<ReplicaId, FutureMessages>;
  readonly delayed: ReadonlyMap<Sequence, DelayedProposal>;
  // beginning-view.ts
  /** One NewView of each sender: of the view that this replica waits for, else the highest. */
  readonly pendingNewViews: ReadonlyMap<
    ReplicaId,
    { readonly signed: Verified<Signed<NewView>>; readonly digest: Digest }
  >;
  // joining-view.ts
  /** When a bad ViewChange of a sender came last: it waits a timeout. */
  readonly badViewChangeAtMs: ReadonlyMap<ReplicaId, number>;
  // evidence.ts
  /** One a kind and replica. */
  readonly evidence: readonly Evidence[];
  /** Contradicting statements of the primary of this view that came in this step. */
  readonly provenFault: { readonly view: View; readonly first: Signed; readonly second: Signed } | undefined;
  // status.ts
  /** The number of the own next Status, to whomever. */
  readonly nextStatusNumber: number;
  /** Whether the heartbeat runs at its busy pace. */
  readonly statusIsQuick: boolean;
  // retransmission.ts
  readonly clockAlarm: boolean;
  // starting.ts
  /**
   * Whether what the disk gave back is all that was durable: `unproven` until a quorum, itself included, has answered;
   * `lost` for good when a statement of its own that it doesn't remember was shown. Only who is `proven` votes.
   */
  readonly memory: 'unproven' | 'proven' | 'lost';
  /** How far it has to execute before it speaks for callers; undefined before it votes. */
  readonly serveFrom: Sequence | undefined;
  /** When it started, monotonic. */
  readonly startedAtMs: number;
  // Nobody: the own ViewChange that the log gave back at the start.
  readonly ownViewChange: Verified<Signed<ViewChange>> | undefined;
}

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'slots' | 'now' | 'effects'>> {
  return owned(state);
}

/** A step begins, with nothing to do yet. */
export function beginStep(state: CoreState, now: Now): void {
  own(state).now = now;
  own(state).effects = [];
}

/** h. */
export function lowWatermark(state: CoreState): Sequence {
  return state.stable.sequence;
}

/** H: h + window. */
export function highWatermark(state: CoreState): Sequence {
  return sequence(state.stable.sequence + state.configuration.consensus.windowSize);
}

/** Whether this replica may sign a PrePrepare, Prepare, Commit, Checkpoint, ViewChange or NewView. */
export function mayVote({ memory }: CoreState): boolean {
  return memory === 'proven';
}

/** Whether `candidate` is in (h, H]. */
export function isInWindow(state: CoreState, candidate: Sequence): boolean {
  return candidate > lowWatermark(state) && candidate <= highWatermark(state);
}

/** The primary of the current view. */
export function currentPrimary(state: CoreState): ReplicaId {
  return primaryOf(state.view.number, state.configuration.sizes.replicaCount);
}

/** Whether this replica is the primary of the current view. */
export function isPrimary(state: CoreState): boolean {
  return currentPrimary(state) === state.configuration.replica;
}

/** The slot of a sequence in the window, made where it is missing. */
export function slotAt(state: CoreState, at: Sequence): Slot {
  assert(isInWindow(state, at), `sequence ${at} is in (${lowWatermark(state)}, ${highWatermark(state)}]`);
  let slot = state.slots.get(at);
  if (slot === undefined) {
    slot = createSlot(at, state.now.elapsedMs);
    own(state).slots.set(at, slot);
  }
  return slot;
}

/** Forgets the slots up to a sequence. */
export function dropSlots(state: CoreState, upTo: Sequence): void {
  for (const at of [...state.slots.keys()]) {
    if (at <= upTo) {
      own(state).slots.delete(at);
    }
  }
}

/** What the rules of ViewChanges and NewViews depend on. */
export function rulesOf({ configuration }: CoreState): ViewChangeRules {
  const { sizes, consensus, nullBatch } = configuration;
  return {
    sizes,
    checkpointInterval: consensus.checkpointInterval,
    windowSize: consensus.windowSize,
    nullBatchDigest: nullBatch.digest,
  };
}

/** Adds an effect to the step's outbox. */
export function emit(state: CoreState, effect: Effect): void {
  assert(mayVote(state) || !VOTING.has(effect.kind), 'nothing is signed before a quorum answered');
  own(state).effects.push(effect);
}

/** Adds a remark to the step's outbox. */
export function note(state: CoreState, remark: Note): void {
  own(state).effects.push({ kind: 'note', note: remark });
}

/** Remarks on a message that was not taken. */
export function noteRejection(
  state: CoreState,
  type: InputType,
  rejection: Rejection,
  sender: ReplicaId | undefined,
): void {
  note(state, { kind: 'rejected', type, code: rejection.code, sender });
}

/** Starts a timer unless it runs. */
export function ensureTimer(state: CoreState, timer: TimerName, delayMs: number): void {
  if (!state.timers.isRunning(timer)) {
    emit(state, state.timers.start(timer, delayMs, state.now.elapsedMs));
  }
}

/** Stops a timer where it runs. */
export function stopTimer(state: CoreState, timer: TimerName): void {
  const effect = state.timers.stop(timer);
  if (effect !== undefined) {
    emit(state, effect);
  }
}
