/** Metrics of a simulated replica: gauges that are checked, counters that a report adds up. */
import type { Metrics } from '../../../src/ports/metrics.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Observer, WatchedGauge } from '../checks/observer.js';
import type { ProcessLife } from '../machine/process-life.js';

const GAUGES: Readonly<Record<string, WatchedGauge>> = {
  pbft_view: 'view',
  pbft_low_watermark: 'lowWatermark',
  pbft_last_executed_sequence: 'lastExecuted',
  pbft_waiting_requests: 'waitingRequests',
};

/** Counts of a run, by name and labels, over all replicas. */
export type Counters = Map<string, number>;

/** What metrics are kept of. */
export interface WatchedMetricsOptions {
  readonly replica: ReplicaId;
  readonly life: ProcessLife;
  readonly observer: Required<Observer>;
  readonly counters: Counters;
}

/** The metrics of one life. */
export function createWatchedMetrics({ replica, life, observer, counters }: WatchedMetricsOptions): Metrics {
  const last = new Map<string, number>();
  return {
    increment: (name, labels, by = 1) => {
      const series = [name, ...Object.values(labels)].join(' ');
      counters.set(series, (counters.get(series) ?? 0) + by);
    },
    set: (name, _labels, value) => {
      const gauge = GAUGES[name];
      if (gauge !== undefined && last.get(gauge) !== value && !life.isOver) {
        last.set(gauge, value);
        observer.onGauge(replica, gauge, value);
      }
    },
    observe: () => undefined,
  };
}
