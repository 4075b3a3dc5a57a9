/**
 * Turns what the core remarks on, and what the runtime sees, into metrics and log lines. It decides nothing: without it
 * the replica does the same.
 *
 * 1. Nothing that a peer or a client repeats makes more than one line a second for each peer; what was left out is
 *    counted in the next line.
 * 2. What it remembers is bounded: the sequences in the window, and a time for each peer.
 */
import type { Logger } from '../../ports/logger.js';
import type { Metrics, Phase, QueueLane, RejectedType, RejectionReason } from '../../ports/metrics.js';
import type { TimerService } from '../../ports/timer-service.js';
import type { CoreView } from '../../protocol/core.js';
import { BUFFER_CLASSES, type BufferClass, type Explanation } from '../../protocol/explanation.js';
import type { ReplicaId, Sequence } from '../../protocol/identifiers.js';
import { EVIDENCE_KINDS, type Evidence } from '../../protocol/log-record.js';
import type { Note } from '../../protocol/notes.js';
import { unreachable } from '../../util/assert.js';
import type { ExecutedBatch } from '../execution/batch-execution.js';
import { LineLimit } from './line-limit.js';
import { computeApartFrom } from './replica-status.js';
import { ViewReport } from './view-report.js';

/** What it writes to. */
export interface InstrumentationOptions {
  /** The own id. */
  readonly replica: ReplicaId;
  /** Every other replica. */
  readonly peers: readonly ReplicaId[];
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly timers: Pick<TimerService, 'elapsedMs'>;
  /** H − h: as many sequences can be under way. */
  readonly windowSize: number;
}

/** What is looked at when somebody looks. */
export interface Looked {
  readonly buffered: Readonly<Record<BufferClass, number>>;
  readonly evidence: readonly Evidence[];
}

/** When a sequence was taken in, and when it came to its last phase. */
interface SequenceTimes {
  readonly startedMs: number;
  lastMs: number;
}

/** Rejections that happen between correct replicas: what was resent, or overtaken on the way. */
const HARMLESS_REASONS: ReadonlySet<string> = new Set<RejectionReason>([
  'aboveWindow',
  'belowWindow',
  'duplicate',
  'futureView',
  'late',
  'notActive',
  'oldView',
  'settled',
  'stale',
  'unasked',
]);

/** Metrics and log lines of one replica. */
export class Instrumentation {
  private readonly times = new Map<Sequence, SequenceTimes>();
  private readonly lineLimit: LineLimit;
  private readonly viewReport: ViewReport;

  constructor(private readonly options: InstrumentationOptions) {
    this.lineLimit = new LineLimit(options.timers);
    this.viewReport = new ViewReport(options);
  }

  /** A remark of the core. */
  onNote(note: Note): void {
    const { metrics, logger } = this.options;
    switch (note.kind) {
      case 'rejected':
        return this.onRejected(note.type, note.code, note.sender);
      case 'prePrepared':
        metrics.observe('pbft_batch_operations', {}, note.operationCount);
        return this.startSequence(note.sequence);
      case 'prepared':
        return this.observePhase(note.sequence, 'prepare');
      case 'committed':
        return this.observePhase(note.sequence, 'commit');
      case 'stable':
        metrics.set('pbft_low_watermark', {}, note.sequence);
        return logger.debug({ sequence: note.sequence }, 'checkpoint is stable');
      case 'evidence':
        return this.onEvidence(note.evidence);
      case 'diverged':
        return logger.error(
          { sequence: note.sequence, own: note.own, certified: note.certified },
          'the state differs from what a quorum signed: this replica stopped executing, voting and serving',
        );
      case 'checkpointSplit':
        return logger.error(
          { sequence: note.sequence },
          'the replicas disagree on this checkpoint: no quorum can form',
        );
      case 'behind':
        return this.onBehind(note);
      case 'contradictsExecuted':
        return this.onContradiction(note.sender, note.sequence);
      case 'votingBegun':
        return logger.info({ afterMs: note.afterMs }, 'a quorum answered: it votes from now on');
      case 'viewLeft':
        return this.viewReport.onLeft(note);
      case 'viewAwaited':
        return this.viewReport.onAwaited(note);
      case 'viewEntered':
        return this.viewReport.onEntered(note);
      case 'requestOverdue':
        return this.viewReport.onOverdue(note.explanation);
      case 'timerExpired':
        return metrics.increment('pbft_timer_expirations_total', { timer: note.timer });
      case 'clockSkew':
        return this.onClockSkew(note);
      default:
        return unreachable(note);
    }
  }

  /** Something of a peer, or of a client where `sender` is undefined, was not taken. */
  onRejected(type: RejectedType, reason: RejectionReason, sender: ReplicaId | undefined): void {
    this.options.metrics.increment('pbft_rejected_total', { type, reason });
    const isHarmless = HARMLESS_REASONS.has(reason);
    const level = isHarmless ? 'debug' : 'warn';
    const omitted = this.lineLimit.take(`rejected ${level} ${sender ?? 'client'}`);
    if (omitted !== undefined) {
      this.options.logger[level]({ type, reason, sender: sender ?? 'client', omitted }, 'input is not taken');
    }
  }

  /** A batch was executed and written. */
  onExecuted(batch: ExecutedBatch): void {
    const { metrics } = this.options;
    metrics.increment('pbft_committed_batches_total', {});
    metrics.increment('pbft_committed_requests_total', {}, batch.outcomes.length);
    metrics.increment('pbft_committed_operations_total', {}, batch.operationCount);
    metrics.set('pbft_last_executed_sequence', {}, batch.sequence);
    this.observePhase(batch.sequence, 'execute');
    const times = this.times.get(batch.sequence);
    if (times !== undefined) {
      metrics.observe('pbft_commit_latency_seconds', {}, (times.lastMs - times.startedMs) / 1_000);
      this.times.delete(batch.sequence);
    }
  }

  /** The replica starts with this state. */
  onRecovered({ lowWatermark, lastExecuted }: Pick<CoreView, 'lowWatermark' | 'lastExecuted'>): void {
    this.options.metrics.set('pbft_low_watermark', {}, lowWatermark);
    this.options.metrics.set('pbft_last_executed_sequence', {}, lastExecuted);
  }

  /** The replica's state after a turn; `explain` is asked only where it is between two views and a line is due. */
  onTurn(core: CoreView, explain: () => Explanation): void {
    const { view, active, primary, waitingRequests, diverged } = core;
    const { metrics, replica } = this.options;
    metrics.set('pbft_view', {}, view);
    metrics.set('pbft_is_active', {}, active ? 1 : 0);
    metrics.set('pbft_apart', {}, computeApartFrom(core) === undefined ? 0 : 1);
    metrics.set('pbft_is_primary', {}, active && primary === replica ? 1 : 0);
    metrics.set('pbft_waiting_requests', {}, waitingRequests);
    metrics.set('pbft_diverged', {}, diverged ? 1 : 0);
    if (!active && !diverged) {
      this.viewReport.onBetweenViews(view, explain);
    }
  }

  /** What is worth measuring only when somebody looks. */
  measure({ timeoutMs, timer, oldestRequest }: Explanation, { buffered, evidence }: Looked): void {
    const { metrics } = this.options;
    this.showEvidence(evidence);
    metrics.set('pbft_timeout_seconds', {}, timeoutMs / 1_000);
    for (const name of ['request', 'newView'] as const) {
      metrics.set('pbft_timer_running', { timer: name }, timer?.name === name ? 1 : 0);
    }
    metrics.set('pbft_oldest_request_age_seconds', {}, (oldestRequest?.waitedMs ?? 0) / 1_000);
    for (const kind of BUFFER_CLASSES) {
      metrics.set('pbft_buffered_messages', { class: kind }, buffered[kind]);
    }
  }

  /** A lane of the queue overflowed. */
  onDropped(lane: Exclude<QueueLane, 'local'>, peer: ReplicaId | undefined): void {
    this.options.metrics.increment('pbft_queue_dropped_total', { lane });
    const omitted = this.lineLimit.take(`dropped ${peer ?? 'client'}`);
    if (omitted !== undefined) {
      this.options.logger.warn({ lane, peer, omitted }, 'a lane of the queue is full');
    }
  }

  private startSequence(sequence: Sequence): void {
    const nowMs = this.options.timers.elapsedMs();
    // A sequence may be taken in again in a later view: its latency goes on from the first time.
    if (this.times.has(sequence)) {
      return;
    }
    this.times.set(sequence, { startedMs: nowMs, lastMs: nowMs });
    if (this.times.size > this.options.windowSize) {
      this.forgetOldest();
    }
  }

  private forgetOldest(): void {
    for (const sequence of this.times.keys()) {
      this.times.delete(sequence);
      return;
    }
  }

  private observePhase(sequence: Sequence, phase: Phase): void {
    const times = this.times.get(sequence);
    if (times === undefined) {
      return;
    }
    const nowMs = this.options.timers.elapsedMs();
    this.options.metrics.observe('pbft_phase_latency_seconds', { phase }, (nowMs - times.lastMs) / 1_000);
    times.lastMs = nowMs;
  }

  /** All that is held, what earlier processes found included: proof does not pass with the process. */
  private showEvidence(evidence: readonly Evidence[]): void {
    for (const peer of this.options.peers) {
      for (const kind of EVIDENCE_KINDS) {
        const count = evidence.filter((one) => one.replica === peer && one.kind === kind).length;
        this.options.metrics.set('pbft_evidence', { kind, peer: String(peer) }, count);
      }
    }
  }

  private onEvidence({ replica, kind }: Evidence): void {
    this.options.metrics.increment('pbft_evidence_total', { kind, peer: String(replica) });
    this.options.logger.warn({ replica, kind }, 'a replica signed two contradicting statements; both are kept');
  }

  private onBehind({ lastExecuted, target }: Extract<Note, { kind: 'behind' }>): void {
    const omitted = this.lineLimit.take('behind');
    if (omitted !== undefined) {
      this.options.logger.info({ lastExecuted, target, omitted }, 'behind the other replicas: catching up');
    }
  }

  private onContradiction(sender: ReplicaId, sequence: Sequence): void {
    const omitted = this.lineLimit.take(`contradiction ${sender}`);
    if (omitted !== undefined) {
      this.options.logger.error({ sender, sequence, omitted }, 'a peer asks for another batch than the one executed');
    }
  }

  private onClockSkew({ skewMs, alarming, changed }: Extract<Note, { kind: 'clockSkew' }>): void {
    const { metrics, logger } = this.options;
    metrics.set('pbft_clock_skew_seconds', {}, skewMs / 1_000);
    if (!changed) {
      return;
    }
    if (alarming) {
      logger.warn({ skewMs }, "this replica's clock is far off the others': check its time service");
    } else {
      logger.info({ skewMs }, "this replica's clock agrees with the others' again");
    }
  }
}
