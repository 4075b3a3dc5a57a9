/**
 * Keeps the metrics of the disk up to date: measured when somebody scrapes, in the background and not more often than a
 * disk fills, so that a scrape shows what the one before had measured.
 */
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import { type DiskUse, measureDiskUse } from '../storage/disk-space.js';

/** What is measured, and who is told. */
export interface DiskWatchOptions {
  /** The data directory. */
  readonly directory: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  /** Tests bring their own. */
  readonly measure?: (directory: string) => Promise<DiskUse>;
}

/** The time between two measurements. */
const INTERVAL_MS = 15_000;

/** Measures one data directory's disk. */
export class DiskWatch {
  private startedMs: number | undefined;
  private isMeasuring = false;
  private hasFailed = false;

  constructor(private readonly options: DiskWatchOptions) {}

  /** Measures, unless it does already or did a moment ago; never waits. */
  refresh(): void {
    const nowMs = this.options.elapsedMs();
    if (this.isMeasuring || (this.startedMs !== undefined && nowMs - this.startedMs < INTERVAL_MS)) {
      return;
    }
    this.startedMs = nowMs;
    this.isMeasuring = true;
    const { directory, measure = measureDiskUse } = this.options;
    measure(directory).then(
      (use) => this.show(use),
      (error: unknown) => this.fail(error),
    );
  }

  private show({ storeBytes, freeBytes, sizeBytes }: DiskUse): void {
    const { metrics } = this.options;
    this.isMeasuring = false;
    this.hasFailed = false;
    metrics.set('pbft_store_bytes', {}, storeBytes);
    metrics.set('pbft_disk_available_bytes', {}, freeBytes);
    metrics.set('pbft_disk_size_bytes', {}, sizeBytes);
  }

  /** Says so once: the metrics stay as they were, and nothing else depends on them. */
  private fail(error: unknown): void {
    this.isMeasuring = false;
    if (!this.hasFailed) {
      this.hasFailed = true;
      this.options.logger.warn({ error, directory: this.options.directory }, 'the disk can not be measured');
    }
  }
}
