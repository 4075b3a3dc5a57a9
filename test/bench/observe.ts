/**
 * What a measurement costs the replicas, from their metrics before and after it. All figures are over the whole
 * measurement, its warm-up included.
 *
 * A replica shares a rendering of its metrics for a quarter of a second: a measurement must be longer than that.
 */
import { fetchHttp } from '../support/cluster-checks.js';

/** The metrics of a replica at one time: value by series, such as `pbft_view_changes_total{cause="joined"}`. */
export interface Observation {
  readonly replica: number;
  readonly atMs: number;
  readonly values: ReadonlyMap<string, number>;
}

/** What a replica did and used. A mean of nothing is NaN. */
export interface ReplicaUse {
  readonly replica: number;
  readonly isPrimary: boolean;
  readonly operations: number;
  readonly batches: number;
  readonly operationsPerBatch: number;
  readonly signatures: number;
  readonly signMs: number;
  readonly syncs: number;
  readonly syncMs: number;
  readonly commitMs: number;
  /** The parts of the commit latency. */
  readonly phaseMs: Readonly<Record<string, number>>;
  readonly eventLoopLagMs: number;
  readonly sentBytes: number;
  readonly cpuSeconds: number;
  /** The share of one core. */
  readonly cores: number;
  /** At the end. */
  readonly residentBytes: number;
  readonly viewChanges: number;
}

const PHASE = /^pbft_phase_latency_seconds_sum\{phase="([^"]+)"\}$/;

/** Reads the metrics of a replica; `nowMs` is when. */
export async function observe(replica: number, httpPort: number, nowMs: number): Promise<Observation> {
  return { replica, atMs: nowMs, values: parseMetrics(await fetchHttp(httpPort, '/metrics')) };
}

/** Prometheus's text format, without timestamps: what a replica writes. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const end = line.lastIndexOf(' ');
    if (end > 0 && !line.startsWith('#')) {
      values.set(line.slice(0, end), Number(line.slice(end + 1)));
    }
  }
  return values;
}

/** The sum of a metric's series, whatever their labels; NaN where there is none, so that a new name is noticed. */
export function sumOf({ values }: Observation, name: string): number {
  let sum = Number.NaN;
  for (const [series, value] of values) {
    if (series === name || series.startsWith(`${name}{`)) {
      sum = (Number.isNaN(sum) ? 0 : sum) + value;
    }
  }
  return sum;
}

/** What happened between two observations of one replica. */
export function computeUse(before: Observation, after: Observation): ReplicaUse {
  const grown = (name: string): number => sumOf(after, name) - sumOf(before, name);
  const meanOf = (histogram: string): number => grown(`${histogram}_sum`) / grown(`${histogram}_count`);
  const cpuSeconds = grown('process_cpu_seconds_total');
  return {
    replica: after.replica,
    isPrimary: sumOf(after, 'pbft_is_primary') === 1,
    operations: grown('pbft_committed_operations_total'),
    batches: grown('pbft_committed_batches_total'),
    operationsPerBatch: grown('pbft_committed_operations_total') / grown('pbft_committed_batches_total'),
    signatures: grown('pbft_sign_seconds_count'),
    signMs: 1_000 * meanOf('pbft_sign_seconds'),
    syncs: grown('pbft_storage_sync_seconds_count'),
    syncMs: 1_000 * meanOf('pbft_storage_sync_seconds'),
    commitMs: 1_000 * meanOf('pbft_commit_latency_seconds'),
    phaseMs: phasesOf(before, after),
    eventLoopLagMs: 1_000 * meanOf('pbft_event_loop_lag_seconds'),
    sentBytes: sentBytesOf(after) - sentBytesOf(before),
    cpuSeconds,
    cores: cpuSeconds / ((after.atMs - before.atMs) / 1_000),
    residentBytes: sumOf(after, 'process_resident_memory_bytes'),
    viewChanges: grown('pbft_view_changes_total'),
  };
}

function phasesOf(before: Observation, after: Observation): Record<string, number> {
  const phases: Record<string, number> = {};
  for (const series of after.values.keys()) {
    const phase = PHASE.exec(series)?.[1];
    if (phase !== undefined) {
      const countSeries = series.replace('_sum{', '_count{');
      phases[phase] = (1_000 * growthOf(before, after, series)) / growthOf(before, after, countSeries);
    }
  }
  return phases;
}

function growthOf(before: Observation, after: Observation, series: string): number {
  return (after.values.get(series) ?? 0) - (before.values.get(series) ?? 0);
}

function sentBytesOf({ values }: Observation): number {
  let sum = 0;
  for (const [series, value] of values) {
    if (series.startsWith('pbft_link_bytes_total{') && series.includes('direction="sent"')) {
      sum += value;
    }
  }
  return sum;
}
