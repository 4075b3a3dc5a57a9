/** A run's figures as text for people and as JSON for programs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createColours } from '../../src/cli/output/colours.js';
import { formatTable } from '../../src/cli/output/table.js';
import type { Failure, Measurement, MeasurementKind, Verification } from './bench.js';
import { type LatencySummary, medianOf } from './latency.js';
import type { ClusterSettings, LoadSettings, MachineSettings } from './settings.js';

/** Everything that a run found. The JSON has the same form; a figure that doesn't exist is null there. */
export interface BenchReport {
  readonly format: 'pbft-bench/1';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly machine: MachineSettings;
  readonly cluster: ClusterSettings;
  readonly load: LoadSettings;
  readonly measurements: readonly Measurement[];
  readonly comparison: Comparison;
  readonly failures: readonly Failure[];
  readonly verification: Verification;
}

/** Medians over the rounds. */
export interface Comparison {
  readonly allPerSecond: number;
  readonly oneDeadPerSecond: number;
  /** Of the throughput with all replicas; NaN where there was no measurement without one. */
  readonly oneDeadRatio: number;
}

const PLAIN = createColours(false);
const NONE = '–';

/** Whether the run found errors or lost operations. */
export function isFailed({ failures, verification }: Pick<BenchReport, 'failures' | 'verification'>): boolean {
  return failures.length > 0 || verification.faults.length > 0;
}

/** Compares the measurements with all replicas and those without one. */
export function compare(measurements: readonly Measurement[]): Comparison {
  const medianPerSecond = (kind: MeasurementKind): number =>
    medianOf(measurements.filter((one) => one.kind === kind).map((one) => one.operationsPerSecond));
  const allPerSecond = medianPerSecond('all replicas');
  const oneDeadPerSecond = medianPerSecond('one backup dead');
  return { allPerSecond, oneDeadPerSecond, oneDeadRatio: oneDeadPerSecond / allPerSecond };
}

/** Writes the JSON into the folder; where it is. */
export function writeReport(report: BenchReport, directory: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${report.startedAt.replaceAll(':', '-')}.json`);
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  return path;
}

/** The whole report for people. */
export function formatReport(report: BenchReport): string {
  const { measurements, comparison } = report;
  return [
    settingsText(report),
    'Latencies in milliseconds\n',
    formatTable(MEASUREMENT_HEADER, measurements.flatMap(measurementRows), PLAIN),
    comparisonText(comparison),
    'Replicas: means over a measurement; times in milliseconds; CPU in cores; memory at its end in MiB\n',
    formatTable(USE_HEADER, measurements.flatMap(useRows), PLAIN),
    verdictText(report),
  ].join('\n');
}

function settingsText({ startedAt, machine, cluster, load }: BenchReport): string {
  const loop = load.ratePerSecond === null ? 'closed loop' : `open loop of ${number(load.ratePerSecond)} a second`;
  const sync = cluster.isSynced ? 'every write synced before a promise leaves' : 'NOT SYNCED';
  const rows = [
    ['started', `${startedAt}${load.isSmoke ? ', a smoke run: its figures say nothing' : ''}`],
    ['software', `pbft ${cluster.version}, commit ${cluster.commit}, Node ${machine.node}`],
    [
      'machine',
      `${machine.cpuModel}, ${machine.cores} cores, ${mebibytes(machine.memoryBytes)} MiB, ${machine.system}`,
    ],
    ['load before', machine.loadAverage.map((load) => figure(load, 2)).join(' ')],
    ['cluster', `n = ${cluster.replicaCount}, f = ${cluster.faultsMax}, quorum ${cluster.quorum}, fresh, one machine`],
    ['signatures', `RSA-${cluster.signingKeyBits}`],
    ['links', `replicas: ${cluster.peerTls}; callers: TLS ${cluster.clientTls}`],
    [
      'storage',
      `${cluster.storageEngine}, ${sync}; ${cluster.fileSystem}, fdatasync ${figure(cluster.fdatasyncMs, 3)} ms`,
    ],
    ['operations', `unary Put, key ${load.keyBytes} B, value ${number(load.valueBytes)} B, every key once`],
    ['callers', `${load.callers}, ${loop}, one connection to each replica, in one process on the same machine`],
    ['windows', `${load.windowSeconds} s, ${load.rounds} rounds`],
  ];
  return formatTable(['setting', 'value'], rows, PLAIN);
}

const MEASUREMENT_HEADER = [
  'measurement',
  'round',
  'callers',
  'operations/s',
  'p50',
  'p90',
  'p99',
  'max',
  'failed',
  'unsent',
  'late p99',
  'generator CPU',
];

function measurementRows(one: Measurement): (readonly string[])[] {
  const { kind, round, callers, latency, lateness } = one;
  const rows: string[][] = [
    [
      kind,
      String(round),
      String(callers),
      figure(one.operationsPerSecond, 0),
      ...latencyCells(latency),
      String(one.failed),
      one.loop === 'open' ? String(one.unsent) : NONE,
      lateness === null ? NONE : figure(lateness.p99Ms, 2),
      figure(one.generatorCores, 2),
    ],
  ];
  for (const replica of kind === 'one caller' ? one.replicas : []) {
    const summary = one.latencyByReplica[replica];
    if (summary !== undefined) {
      const role = replica === one.primary ? 'the primary' : 'a backup';
      rows.push([`  through ${replica}, ${role}`, '', '', '', ...latencyCells(summary)]);
    }
  }
  return rows;
}

function latencyCells({ p50Ms, p90Ms, p99Ms, maxMs }: LatencySummary): string[] {
  return [p50Ms, p90Ms, p99Ms, maxMs].map((ms) => figure(ms, 2));
}

function comparisonText({ allPerSecond, oneDeadPerSecond, oneDeadRatio }: Comparison): string {
  const all = `Medians: ${figure(allPerSecond, 0)} operations a second with all replicas`;
  return Number.isNaN(oneDeadRatio)
    ? `${all}\n`
    : `${all}, ${figure(oneDeadPerSecond, 0)} with one backup dead: ${figure(100 * oneDeadRatio, 0)} %\n`;
}

const USE_HEADER = [
  'measurement',
  'round',
  'replica',
  'batches',
  'operations/batch',
  'signatures',
  'sign',
  'syncs',
  'sync',
  'commit latency',
  'prepare',
  'commit',
  'execute',
  'lag',
  'CPU',
  'memory',
  'view changes',
];

function useRows({ kind, round, uses }: Measurement): (readonly string[])[] {
  return uses.map((use) => [
    kind,
    String(round),
    `${use.replica}${use.isPrimary ? ' primary' : ''}`,
    number(use.batches),
    figure(use.operationsPerBatch, 1),
    number(use.signatures),
    figure(use.signMs, 2),
    number(use.syncs),
    figure(use.syncMs, 2),
    figure(use.commitMs, 2),
    ...['prepare', 'commit', 'execute'].map((phase) => figure(use.phaseMs[phase] ?? Number.NaN, 2)),
    figure(use.eventLoopLagMs, 2),
    figure(use.cores, 2),
    mebibytes(use.residentBytes),
    number(use.viewChanges),
  ]);
}

function verdictText({ failures, verification, measurements }: BenchReport): string {
  const { acknowledged, unknown, readBack, sequence, headerDigest, faults } = verification;
  const checked = `${number(acknowledged)} puts acknowledged, ${number(readBack)} of them read back at every replica`;
  const place = sequence === null ? '' : `; all replicas at sequence ${sequence}, header ${headerDigest?.slice(0, 16)}`;
  const changes = measurements.some(({ uses }) => uses.some(({ viewChanges }) => viewChanges > 0));
  const lines = [
    `${checked}${place}`,
    ...(unknown > 0 ? [`${number(unknown)} puts are of unknown outcome`] : []),
    ...(changes ? ['The view changed during a measurement: its figures are not those of the normal case'] : []),
    ...failures.map(({ kind, count, example }) => `FAILED: ${number(count)} calls, ${kind}: ${example}`),
    ...faults.map((fault) => `WRONG: ${fault}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function figure(value: number, digits: number): string {
  return Number.isFinite(value)
    ? value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : NONE;
}

function number(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString('en') : NONE;
}

function mebibytes(bytes: number): string {
  return figure(bytes / 1_048_576, 0);
}
