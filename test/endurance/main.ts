/**
 * The endurance run's command: `make endurance`, or, where dist/ is up to date,
 *
 *     node --import tsx test/endurance/main.ts [--rounds 100] [--seed N] [--replicas 4] [--signal SIGKILL] [--load-seconds 0]
 *
 * Ends with 0, with 1 where something does not hold, and with 2 for a wrong choice. A failure names the seed with which
 * the same replicas are killed after the same number of puts; processes and network keep their own pace.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StopSignals } from '../../src/cli/stop-signals.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { type EnduranceOptions, readOptions, USAGE, UsageError } from './options.js';
import { drawRound } from './plan.js';
import { formatRound, formatSummary } from './report.js';
import { EnduranceRun, type RoundReport } from './rounds.js';

/** Smaller than the defaults, so that each round passes checkpoints and discards its log. */
const PARAMETERS = { checkpointInterval: 32, windowSize: 64, snapshotInterval: 4_096 };

async function runRounds(cluster: TestCluster, options: EnduranceOptions): Promise<readonly RoundReport[]> {
  const { rounds, seed } = options;
  const run = new EnduranceRun(cluster);
  const reports: RoundReport[] = [];
  for (let round = 1; round <= rounds; round++) {
    const report = await run.run(drawRound(options, round));
    reports.push(report);
    console.log(formatRound(report, rounds));
  }
  await run.verifyAll(seed % options.replicaCount);
  return reports;
}

/** Keeps the replicas' logs, which say more than the cluster that is gone. */
function keepLogs(cluster: TestCluster): string {
  const directory = mkdtempSync(join(tmpdir(), 'pbft-endurance-'));
  for (const { id } of cluster.replicas) {
    writeFileSync(join(directory, `replica-${id}.log`), cluster.logs(id));
  }
  return directory;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const { rounds, seed, replicaCount, signal, loadSeconds } = options;
  console.log(`endurance: ${rounds} rounds with ${replicaCount} replicas, ${signal}, seed ${seed}`);
  const startMs = performance.now();
  const signals = new StopSignals(() => process.exit(1));
  const stopped = signals.requested.then((name) => Promise.reject(new Error(`stopped by ${name}`)));
  // It may come before anybody listens.
  stopped.catch(() => undefined);
  const cluster = await startCluster({ replicas: replicaCount, parameters: PARAMETERS });
  try {
    const reports = await Promise.race([runRounds(cluster, options), stopped]);
    console.log(`\n${formatSummary(reports, performance.now() - startMs)}`);
    return 0;
  } catch (error) {
    console.error(`\nFAILED: ${error instanceof Error ? error.message : String(error)}`);
    console.error(`the replicas' logs: ${keepLogs(cluster)}`);
    const settings = `ROUNDS=${rounds} N=${replicaCount} SIGNAL=${signal} LOAD_SECONDS=${loadSeconds}`;
    console.error(`repeat: make endurance SEED=${seed} ${settings}`);
    return 1;
  } finally {
    await cluster.stop();
    signals.release();
  }
}

try {
  // Callers may still wait for replicas that are gone.
  process.exit(await main());
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `endurance: ${text}\n${USAGE}` : `endurance: ${text}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
