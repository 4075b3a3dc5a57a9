/**
 * Persist before send, with group commit (protocol.md 4): records of many steps become one synced write, and whatever
 * came after a record leaves only when that record is durable. One write is under way at a time; what gathers meanwhile
 * is the next one, so that the slower the disk, the more a write carries.
 *
 * Others don't wait for this disk, so what gathers has a bound: beyond it the replica is behind, and takes nothing of peers
 * and callers until the write under way has ended.
 */
import type { StoreError } from '../../ports/key-value-store.js';
import type { Metrics } from '../../ports/metrics.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { TimerService } from '../../ports/timer-service.js';
import type { LogRecord } from '../../protocol/log-record.js';

/** What a group commit needs. */
export interface GroupCommitOptions {
  readonly store: ReplicaStore;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  /** With so many records that wait for the next write it is behind. */
  readonly recordsMax: number;
  /** Something waits for the next `flush`, or it is no longer behind. */
  readonly onWaiting: () => void;
  /** The disk failed: this replica must not go on. */
  readonly onFailed: (error: StoreError) => void;
}

/** With so many bytes of batches that wait for the next write it is behind. */
export const BATCH_BYTES_MAX = 64 * 1024 * 1024;

/** Records on their way to the disk, and what waits for them. */
export class GroupCommit {
  private records: LogRecord[] = [];
  private batchBytes = 0;
  private waiting: (() => void)[] = [];
  /** What waits for the write under way; undefined where none is. */
  private underWay: (() => void)[] | undefined;
  private hasFailed = false;

  constructor(private readonly options: GroupCommitOptions) {}

  /** Whether so much waits for the next write that only what is under way here already should add to it. */
  get isBehind(): boolean {
    return this.records.length >= this.options.recordsMax || this.batchBytes >= BATCH_BYTES_MAX;
  }

  /** Adds a record to the next write. */
  add(record: LogRecord): void {
    this.records.push(record);
    if (record.kind === 'accepted' || record.kind === 'batch') {
      this.batchBytes += record.batch.sizeBytes;
    }
  }

  /** Runs something when every record that was added before is durable; never before `flush`. */
  afterDurable(run: () => void): void {
    this.waiting.push(run);
    this.options.onWaiting();
  }

  /** Ends a turn: begins the next write unless one is under way. */
  flush(): void {
    if (this.hasFailed) {
      return;
    }
    if (this.underWay !== undefined) {
      if (this.records.length === 0) {
        this.underWay.push(...this.waiting);
        this.waiting = [];
      }
      return;
    }
    const waiting = this.waiting;
    this.waiting = [];
    if (this.records.length === 0) {
      runAll(waiting);
      return;
    }
    this.write(waiting);
  }

  private write(waiting: (() => void)[]): void {
    const { store, timers, metrics, onFailed, onWaiting } = this.options;
    const records = this.records;
    this.records = [];
    this.batchBytes = 0;
    this.underWay = waiting;
    const startedMs = timers.elapsedMs();
    store.append(records, (result) => {
      const done = this.underWay ?? [];
      this.underWay = undefined;
      if (!result.ok) {
        this.hasFailed = true;
        onFailed(result.error);
        return;
      }
      metrics.observe('pbft_storage_sync_seconds', {}, (timers.elapsedMs() - startedMs) / 1_000);
      const wasBehind = this.isBehind;
      runAll(done);
      this.flush();
      if (wasBehind) {
        onWaiting();
      }
    });
  }
}

function runAll(actions: readonly (() => void)[]): void {
  for (const action of actions) {
    action();
  }
}
