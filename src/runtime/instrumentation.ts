/**
 * Turns what the core remarks on, and what the runtime sees, into metrics and log lines. It decides nothing: without it
 * the replica does the same.
 *
 * 1. Nothing that a peer or a client repeats makes more than one line a second for each peer; what was left out is
 *    counted in the next line.
 * 2. What it remembers is bounded: the sequences in the window, and a time for each peer.
 */
import type { Logger } from '../ports/logger.js';
import type { Metrics, Phase, QueueLane, RejectedType, RejectionReason } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import type { CoreView } from '../protocol/core.js';
import type { ReplicaId, Sequence, View } from '../protocol/identifiers.js';
import type { Evidence } from '../protocol/log-record.js';
import type { Note } from '../protocol/notes.js';
import { unreachable } from '../util/assert.js';
import type { ExecutedBatch } from './batch-execution.js';
import type { RuntimeHeld } from './held.js';

/** What it writes to. */
export interface InstrumentationOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly timers: Pick<TimerService, 'elapsedMs'>;
  /** H − h: as many sequences can be under way. */
  readonly windowSize: number;
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
  'notActive',
  'oldView',
  'settled',
  'stale',
]);

const LINE_INTERVAL_MS = 1_000;

/** One line a second for each name. */
class LineLimit {
  private readonly lines = new Map<string, { lastMs: number; omitted: number }>();

  constructor(private readonly timers: Pick<TimerService, 'elapsedMs'>) {}

  /** How many names are remembered. */
  get size(): number {
    return this.lines.size;
  }

  /** How many lines were omitted since the last one, or undefined where this one is to be omitted too. */
  take(name: string): number | undefined {
    const nowMs = this.timers.elapsedMs();
    const line = this.lines.get(name);
    if (line === undefined) {
      this.lines.set(name, { lastMs: nowMs, omitted: 0 });
      return 0;
    }
    if (nowMs - line.lastMs < LINE_INTERVAL_MS) {
      line.omitted++;
      return undefined;
    }
    const { omitted } = line;
    line.lastMs = nowMs;
    line.omitted = 0;
    return omitted;
  }
}

/** Metrics and log lines of one replica. */
export class Instrumentation {
  private readonly times = new Map<Sequence, SequenceTimes>();
  private readonly lineLimit: LineLimit;

  constructor(private readonly options: InstrumentationOptions) {
    this.lineLimit = new LineLimit(options.timers);
  }

  /** How much is remembered. */
  get held(): Pick<RuntimeHeld, 'sequencesTimed' | 'linesLimited'> {
    return { sequencesTimed: this.times.size, linesLimited: this.lineLimit.size };
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
        metrics.set('pbft_diverged', {}, 1);
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
      case 'viewLeft':
        return this.onViewLeft(note);
      case 'viewEntered':
        return this.onViewEntered(note);
      case 'requestOverdue':
        return this.onOverdue(note.waitedMs);
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

  /** The replica is in this view; `isPrimary` where it is its active primary. */
  onView(view: View, isPrimary: boolean): void {
    this.options.metrics.set('pbft_view', {}, view);
    this.options.metrics.set('pbft_is_primary', {}, isPrimary ? 1 : 0);
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

  private onViewLeft({ from, to, cause, timeoutMs }: Extract<Note, { kind: 'viewLeft' }>): void {
    this.options.metrics.increment('pbft_view_changes_total', { cause });
    this.options.logger.info({ from, to, cause, timeoutMs }, 'left the view');
  }

  private onViewEntered(note: Extract<Note, { kind: 'viewEntered' }>): void {
    const { view, durationMs, proposedAgain, nullBatches } = note;
    this.options.metrics.observe('pbft_view_change_seconds', {}, durationMs / 1_000);
    this.options.logger.info({ view, durationMs, proposedAgain, nullBatches }, 'entered the view');
  }

  private onEvidence({ replica, kind }: Evidence): void {
    this.options.metrics.increment('pbft_evidence_total', { kind });
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

  private onOverdue(waitedMs: number): void {
    const omitted = this.lineLimit.take('overdue');
    if (omitted !== undefined) {
      this.options.logger.warn({ waitedMs, omitted }, 'the oldest request waits longer than the request timeout');
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
