/**
 * Persist before send, with group commit (protocol.md 4): records of many steps become one synced write, and whatever
 * came after a record leaves only when that record is durable. One write is under way at a time; what gathers meanwhile
 * is the next one, so that the slower the disk, the more a write carries.
 */
import type { StoreError } from '../ports/key-value-store.js';
import type { Metrics } from '../ports/metrics.js';
import type { ReplicaStore } from '../ports/replica-store.js';
import type { TimerService } from '../ports/timer-service.js';
import type { LogRecord } from '../protocol/log-record.js';

/** What a group commit needs. */
export interface GroupCommitOptions {
  readonly store: ReplicaStore;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  /** Something waits for the next `flush`. */
  readonly onWaiting: () => void;
  /** The disk failed: this replica must not go on. */
  readonly onFailed: (error: StoreError) => void;
}

/** Records on their way to the disk, and what waits for them. */
export class GroupCommit {
  private records: LogRecord[] = [];
  private waiting: (() => void)[] = [];
  /** What waits for the write under way; undefined where none is. */
  private underWay: (() => void)[] | undefined;
  private hasFailed = false;

  constructor(private readonly options: GroupCommitOptions) {}

  /** How many records wait for the next write, and how much waits for it and for the one under way. */
  get backlog(): { readonly records: number; readonly waiting: number } {
    return { records: this.records.length, waiting: this.waiting.length + (this.underWay?.length ?? 0) };
  }

  /** Adds a record to the next write. */
  add(record: LogRecord): void {
    this.records.push(record);
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
    const { store, timers, metrics, onFailed } = this.options;
    const records = this.records;
    this.records = [];
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
      runAll(done);
      this.flush();
    });
  }
}

function runAll(actions: readonly (() => void)[]): void {
  for (const action of actions) {
    action();
  }
}
