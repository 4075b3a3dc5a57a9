/**
 * The protocol as a function of its inputs: `step(event, now)` gives the effects. One entrance, one exit, no I/O, no
 * clock, no randomness: the same events give the same effects, byte for byte.
 *
 * Each event goes to its handler; then what follows from the new state is done, in one fixed order: execute, fetch,
 * propose, timers.
 */
import { assert, unreachable } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { maybeBeginView, onPrePreparesSigned } from './beginning-view.js';
import {
  maybeFetchLedger,
  onBatchFetched,
  onCommittedBatch,
  onLedgerFetched,
  rejectCommittedBatch,
} from './catch-up.js';
import { onCheckpointCertificate, rejectCertificate } from './checkpoints.js';
import { onReceived, onSigned } from './dispatch.js';
import type { Effect } from './effects.js';
import type { Event, Now } from './events.js';
import { onEvidence, rejectEvidence } from './evidence.js';
import { maybeExecute, onBatchExecuted } from './execution.js';
import { computeExplanation, countBuffered } from './explaining.js';
import type { BufferClass, Explanation } from './explanation.js';
import { takeFutureMessages } from './future-messages.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import { maybeJoinView, onViewChangeJudged } from './joining-view.js';
import { maybeLeaveFaultyPrimary, onNewViewTimerExpired } from './leaving-view.js';
import type { RecoveredState } from './log-record.js';
import type { Checkpoint, Commit, RequestKey, Signed, Verified, ViewChange } from './messages.js';
import { onDelayedProposalTimerExpired, onPrePrepare } from './normal-case.js';
import { onOwnStatement, rejectOwnStatement } from './own-statements.js';
import { disconnectPeer, hearPeer } from './peers.js';
import { maybePropose, onBatchDelayTimerExpired } from './proposing.js';
import { onStarted, recoverState } from './recovery.js';
import type { Rejection } from './rejection.js';
import { onRequest, onRequestTimerExpired, relayToAll, relayToPrimary } from './relaying.js';
import { updateRequestTimer } from './request-timer.js';
import { findViewChange } from './retransmission.js';
import { isBounded, screenRequest, screenStatement } from './screening.js';
import { maybeBeginVoting } from './starting.js';
import {
  beginStep,
  type CoreConfiguration,
  type CoreState,
  currentPrimary,
  lowWatermark,
  mayVote,
  note,
  type Unchecked,
} from './state.js';
import {
  answeredBy,
  beginLink,
  computeViewOfOthers,
  highestExecutedElsewhere,
  sendStatusToAll,
  updateStatusTimer,
} from './status.js';
import type { TimerName } from './timers.js';
import { isActive } from './view-state.js';

/** What others may read of the core. */
export interface CoreView {
  readonly view: View;
  readonly active: boolean;
  readonly primary: ReplicaId;
  readonly lowWatermark: Sequence;
  readonly lastExecuted: Sequence;
  readonly lastHeaderDigest: Digest;
  readonly highestExecutedElsewhere: Sequence;
  readonly waitingRequests: number;
  /** How long the oldest waiting request waits, 0 for none. */
  readonly oldestWaitMs: number;
  readonly diverged: boolean;
  /** The lower view that a quorum of peers serves in, where this replica alone moved to a later one. */
  readonly viewOfOthers: View | undefined;
  /** Whether it votes; before, since its start, which peers have answered its Status. */
  readonly mayVote: boolean;
  readonly answeredBy: readonly ReplicaId[];
  /** How far it has to execute before it speaks for callers; undefined before it votes. */
  readonly serveFrom: Sequence | undefined;
  readonly evidence: RecoveredState['evidence'];
  readonly peerExecuted: ReadonlyMap<ReplicaId, Sequence>;
}

/** One replica's protocol. */
export class Core {
  private readonly state: CoreState;
  private isStarted = false;

  constructor(configuration: CoreConfiguration, recovered: RecoveredState) {
    this.state = recoverState(configuration, recovered);
  }

  /** Handles one event; the effects are to be done in order. */
  step(event: Event, now: Now): readonly Effect[] {
    const { state } = this;
    assert(this.isStarted === (event.kind !== 'started'), 'the first event is `started`, and it comes once');
    this.isStarted = true;
    beginStep(state, now);
    if (state.memory === 'lost') {
      return state.effects;
    }
    const before = { lowWatermark: lowWatermark(state), lastExecuted: state.lastExecuted, view: state.view.number };
    this.handle(event);
    maybeBeginVoting(state);
    this.changeView();
    maybeExecute(state);
    maybeFetchLedger(state);
    maybePropose(state);
    updateRequestTimer(state);
    updateStatusTimer(state);
    assert(lowWatermark(state) >= before.lowWatermark, 'h never goes back');
    assert(state.lastExecuted >= before.lastExecuted, 'last executed never goes back');
    assert(state.lastDispatched >= state.lastExecuted, 'nothing is executed that was not handed over');
    assert(state.view.number >= before.view, 'the view never goes back');
    return state.effects;
  }

  /** Why a statement would not be taken, or undefined: cheap, made before its signature is checked, changes nothing. */
  screen(statement: Unchecked): Rejection | undefined {
    return screenStatement(this.state, statement);
  }

  /** Why an own statement that a peer shows is not looked at, or undefined: cheap, like `screen`. */
  screenOwn(shown: Unchecked): Rejection | undefined {
    return rejectOwnStatement(this.state, shown);
  }

  /** Why a request of this length would not be taken, or undefined: cheap, like `screen`. */
  screenRequest(key: RequestKey, sizeBytes: number): Rejection | undefined {
    return screenRequest(this.state, key, sizeBytes);
  }

  /** Why a batch with these commits would not be taken, or undefined: cheap, like `screen`. */
  screenCommitted(commits: readonly Unchecked<Commit>[]): Rejection | undefined {
    return rejectCommittedBatch(this.state, commits);
  }

  /** Why these checkpoints would not be taken as a certificate, or undefined: cheap, like `screen`. */
  screenCheckpoints(checkpoints: readonly Unchecked<Checkpoint>[]): Rejection | undefined {
    return rejectCertificate(this.state, { checkpoints });
  }

  /** Why two statements would not be taken as evidence, or undefined: cheap, like `screen`. */
  screenEvidence(first: Unchecked, second: Unchecked): Rejection | undefined {
    return rejectEvidence(this.state, first, second);
  }

  /** Whether a peer can say only so often what it said in this statement, which was taken. */
  isBounded(statement: Pick<Unchecked, 'message'>): boolean {
    return isBounded(this.state, statement);
  }

  /** A ViewChange that this replica holds, by its digest. */
  findViewChange(digest: Digest): Verified<Signed<ViewChange>> | undefined {
    return findViewChange(this.state, digest);
  }

  /** What this replica waits for at this moment, and why. `elapsedMs` is the monotonic clock. */
  explain(elapsedMs: number): Explanation {
    return computeExplanation(this.state, elapsedMs);
  }

  /** How many messages of others it keeps until their time comes. */
  buffered(): Readonly<Record<BufferClass, number>> {
    return countBuffered(this.state);
  }

  /** The state as the operator sees it. `elapsedMs` is the monotonic clock. */
  inspect(elapsedMs: number): CoreView {
    const { state } = this;
    const oldest = state.pool.oldest();
    return {
      view: state.view.number,
      active: isActive(state),
      primary: currentPrimary(state),
      lowWatermark: lowWatermark(state),
      lastExecuted: state.lastExecuted,
      lastHeaderDigest: state.lastHeaderDigest,
      highestExecutedElsewhere: highestExecutedElsewhere(state),
      waitingRequests: state.pool.size,
      oldestWaitMs: oldest === undefined ? 0 : elapsedMs - oldest.knownSinceMs,
      diverged: state.diverged,
      viewOfOthers: computeViewOfOthers(state, elapsedMs),
      mayVote: mayVote(state),
      answeredBy: answeredBy(state),
      serveFrom: state.serveFrom,
      evidence: state.evidence,
      peerExecuted: new Map(
        [...state.peers].flatMap(([id, { status }]) => (status === undefined ? [] : [[id, status.lastExecuted]])),
      ),
    };
  }

  /** What a fault, a weak quorum or a NewView asks for; on entering a view what was kept for it is handled. */
  private changeView(): void {
    const { state } = this;
    if (!mayVote(state)) {
      return;
    }
    const before = state.view;
    maybeLeaveFaultyPrimary(state);
    maybeJoinView(state);
    maybeBeginView(state);
    if (isActive(state) && (state.view.number !== before.number || before.kind === 'changing')) {
      for (const event of takeFutureMessages(state)) {
        this.handle(event);
      }
      relayToPrimary(state);
    }
  }

  private handle(event: Event): void {
    const { state } = this;
    switch (event.kind) {
      case 'started':
        return onStarted(state);
      case 'requestReceived':
        return onRequest(state, event.request, event.from);
      case 'prePrepareReceived':
        this.hear(event.prePrepare.sender, event.over);
        return onPrePrepare(state, event);
      case 'messageReceived':
        this.hear(event.message.sender, event.over);
        return onReceived(state, event.message, event.over);
      case 'ownStatementReceived':
        return onOwnStatement(state, event.message, event.from);
      case 'messageSigned':
        return onSigned(state, event.message);
      case 'prePreparesSigned':
        return onPrePreparesSigned(state, event.prePrepares);
      case 'viewChangeJudged':
        return onViewChangeJudged(state, event.replica, event.digest, event.isValid);
      case 'evidenceReceived':
        return onEvidence(state, event.first, event.second, event.from);
      case 'committedBatchReceived':
        return onCommittedBatch(state, event.batch, event.certificate, event.from);
      case 'checkpointCertificateReceived':
        return onCheckpointCertificate(state, event.certificate, event.from);
      case 'timerExpired':
        return this.handleExpiry(event.timer, event.generation);
      case 'batchExecuted':
        return onBatchExecuted(state, event);
      case 'ledgerFetched':
        return onLedgerFetched(state, event.entries);
      case 'batchFetched':
        return onBatchFetched(state, event);
      case 'peerConnected':
        return this.handleConnected(event.peer);
      case 'peerDisconnected':
        return this.handleDisconnected(event.peer);
      default:
        return unreachable(event);
    }
  }

  /**
   * Only what comes over the sender's own link shows that it is heard of. What others pass on, what was fetched of them
   * and what was kept says nothing of that link: one liar could make a replica that is cut off move on.
   */
  private hear(sender: ReplicaId, over: ReplicaId | undefined): void {
    const peer = this.state.peers.get(sender);
    if (peer !== undefined && over === sender) {
      hearPeer(peer, this.state.now.elapsedMs);
    }
  }

  private handleExpiry(timer: TimerName, generation: number): void {
    const { state } = this;
    if (!state.timers.expire(timer, generation)) {
      return;
    }
    note(state, { kind: 'timerExpired', timer });
    switch (timer) {
      case 'batchDelay':
        return onBatchDelayTimerExpired(state);
      case 'delayedProposal':
        return onDelayedProposalTimerExpired(state);
      case 'newView':
        return onNewViewTimerExpired(state);
      case 'request':
        return onRequestTimerExpired(state);
      case 'status':
        return sendStatusToAll(state);
      default:
        return unreachable(timer);
    }
  }

  private handleConnected(peer: ReplicaId): void {
    const known = this.state.peers.get(peer);
    if (known !== undefined) {
      beginLink(this.state, peer, known);
      if (peer === currentPrimary(this.state)) {
        relayToPrimary(this.state);
      }
    }
  }

  private handleDisconnected(peer: ReplicaId): void {
    const known = this.state.peers.get(peer);
    if (known !== undefined) {
      disconnectPeer(known);
      if (peer === currentPrimary(this.state)) {
        relayToAll(this.state);
      }
    }
  }
}
