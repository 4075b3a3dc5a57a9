/**
 * The benchmark's command: `make bench`, or, where dist/ is up to date,
 *
 *     node --import tsx test/bench/main.ts [--callers 64] [--seconds 10] [--rate 1000] [--smoke]
 *
 * docs/benchmarks.md says what is measured and how to read it. Ends with 0, with 1 where a call failed, an operation
 * was lost or the run was broken off, and with 2 for a wrong choice. Slowness is no failure.
 */
import { resolve } from 'node:path';
import { StopSignals } from '../../src/cli/stop-signals.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { Bench, type Measurement } from './bench.js';
import { type BenchOptions, readOptions, USAGE, UsageError } from './options.js';
import { type BenchReport, compare, formatReport, isFailed, writeReport } from './report.js';
import { loadSettingsOf, type MachineSettings, readClusterSettings, readMachine } from './settings.js';

const RESULTS = resolve(import.meta.dirname, '../../bench-results');

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env, RESULTS);
  const machine = readMachine();
  const startedAt = new Date().toISOString();
  const breaking = new AbortController();
  const signals = new StopSignals(() => process.exit(1));
  void signals.requested.then((name) => breaking.abort(new Error(`stopped by ${name}`)));
  say(`bench: starting ${options.replicaCount} replicas`);
  const cluster = await startCluster({ replicas: options.replicaCount });
  let report: BenchReport;
  try {
    report = await run(cluster, { options, machine, startedAt, signal: breaking.signal });
  } finally {
    await cluster.stop();
    signals.release();
  }
  console.log(`\n${formatReport(report)}`);
  console.log(`JSON: ${writeReport(report, options.resultsDirectory)}`);
  return isFailed(report) ? 1 : 0;
}

interface Run {
  readonly options: BenchOptions;
  readonly machine: MachineSettings;
  readonly startedAt: string;
  readonly signal: AbortSignal;
}

async function run(cluster: TestCluster, { options, machine, startedAt, signal }: Run): Promise<BenchReport> {
  signal.throwIfAborted();
  const settings = await readClusterSettings(cluster);
  const bench = new Bench(cluster, options, signal);
  const measurements: Measurement[] = [];
  for await (const measurement of bench.measure()) {
    const { kind, round, operationsPerSecond, latency } = measurement;
    const figures = `${operationsPerSecond.toFixed(0)} operations a second, p50 ${latency.p50Ms.toFixed(2)} ms`;
    say(`bench: ${kind}, round ${round}: ${figures}`);
    measurements.push(measurement);
  }
  say('bench: reading back');
  const verification = await bench.verify();
  const keyBytes = Buffer.byteLength(bench.content.key({ measurement: 0, caller: 0, index: 0 }));
  return {
    format: 'pbft-bench/1',
    startedAt,
    machine,
    cluster: settings,
    load: loadSettingsOf(options, keyBytes),
    measurements,
    comparison: compare(measurements),
    failures: [...bench.failures.values()],
    verification,
  };
}

/** Progress, apart from the report. */
function say(text: string): void {
  console.error(text);
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = error instanceof Error ? error.message : String(error);
  console.error(isUsage ? `bench: ${text}\n${USAGE}` : `bench: ${text}`);
  process.exitCode = isUsage ? 2 : 1;
}
