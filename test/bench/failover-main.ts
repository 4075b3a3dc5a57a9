/**
 * The command that measures fail-over: `make failover`, or, where dist/ is up to date,
 *
 *     node --import tsx test/bench/failover-main.ts [--rounds 20] [--replicas 4] [--dead 1] [--callers 64]
 *
 * docs/benchmarks.md says how to read it. Ends with 0, with 1 where something acknowledged was lost or a call failed in
 * a way that no outage explains, and with 2 for a wrong choice. Slowness is no failure.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { createColours } from '../../src/cli/output/colours.js';
import { formatTable } from '../../src/cli/output/table.js';
import { DEFAULT_CONSENSUS_PARAMETERS } from '../../src/config/parameters.js';
import { computeQuorumSizes, isReplicaCountAllowed } from '../../src/protocol/quorum.js';
import { startCluster } from '../support/cluster.js';
import { type FailoverRound, measureFailover } from './failover.js';
import { medianOf } from './latency.js';
import { UsageError } from './options.js';
import { readMachine } from './settings.js';

const USAGE = 'usage: make failover [ROUNDS=20] [N=4] [DEAD=1]';
/** The default of `agreement.requestTimeoutMs`, with which the cluster runs. */
const REQUEST_TIMEOUT_MS = 2_000;

interface Choices {
  readonly rounds: number;
  readonly replicaCount: number;
  readonly dead: number;
  readonly callers: number;
}

function readChoices(): Choices {
  const text = { type: 'string' } as const;
  let given: Readonly<Record<string, string | undefined>>;
  try {
    given = parseArgs({ options: { rounds: text, replicas: text, dead: text, callers: text } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const read = (name: string, fallback: number): number => {
    const value = Number(given[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1 || value > 10_000) {
      throw new UsageError(`--${name} is a whole number from 1 to 10000, not ${given[name]}`);
    }
    return value;
  };
  const choices = {
    rounds: read('rounds', 20),
    replicaCount: read('replicas', 4),
    dead: read('dead', 1),
    callers: read('callers', 64),
  };
  if (choices.replicaCount < 4 || !isReplicaCountAllowed(choices.replicaCount)) {
    throw new UsageError(`a cluster that survives its primary has 4 to 100 replicas, not ${choices.replicaCount}`);
  }
  const { faultsMax } = computeQuorumSizes(choices.replicaCount);
  if (choices.dead > faultsMax) {
    throw new UsageError(`of ${choices.replicaCount} replicas at most ${faultsMax} may die, not ${choices.dead}`);
  }
  return choices;
}

function multiple(ms: number): string {
  return (ms / REQUEST_TIMEOUT_MS).toFixed(2);
}

function formatRounds(rounds: readonly FailoverRound[]): string {
  const header = ['round', 'from view', 'to view', 'first commit ms', '× request timeout', 'puts', 'failed calls'];
  const rows = rounds.map(({ from, to, firstCommitMs, acknowledged, failed }, index) =>
    [index + 1, from, to, Math.round(firstCommitMs), multiple(firstCommitMs), acknowledged, failed].map(String),
  );
  return formatTable(header, rows, createColours(false));
}

async function main(): Promise<number> {
  const { rounds: count, replicaCount, dead, callers } = readChoices();
  const { node, cpuModel, cores, loadAverage } = readMachine();
  console.log(
    `n = ${replicaCount}, primaries killed at once ${dead}, callers ${callers} through the others, request timeout ${REQUEST_TIMEOUT_MS} ms, defaults otherwise\n` +
      `${cpuModel}, ${cores} cores, Node ${node}, load before ${loadAverage.map((load) => load.toFixed(2)).join(' ')}\n`,
  );
  const { checkpointInterval } = DEFAULT_CONSENSUS_PARAMETERS;
  const cluster = await startCluster({ replicas: replicaCount });
  const rounds: FailoverRound[] = [];
  try {
    for (let attempt = 1; rounds.length < count; attempt++) {
      const measured = await measureFailover(cluster, attempt, { callers, dead, checkpointInterval });
      if (measured === undefined) {
        console.error('a view ended before its primary was killed: once more');
        assert(attempt < 2 * count, 'in most rounds the view ended by itself: this machine is too busy to measure on');
        continue;
      }
      rounds.push(measured);
      console.error(`round ${rounds.length} of ${count}: ${Math.round(measured.firstCommitMs)} ms`);
      for (const reason of measured.reasons) {
        console.error(`  a call failed: ${reason}`);
      }
    }
  } finally {
    await cluster.stop();
  }
  const times = rounds.map(({ firstCommitMs }) => firstCommitMs);
  const [median, longest] = [medianOf(times), Math.max(...times)];
  console.log(formatRounds(rounds));
  console.log(
    `First commit of the new view after the kill: median ${Math.round(median)} ms (${multiple(median)} × the request timeout), ` +
      `longest ${Math.round(longest)} ms (${multiple(longest)} ×); nothing acknowledged was lost or done twice`,
  );
  return rounds.some(({ failed }) => failed > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `failover: ${text}\n${USAGE}` : `failover: ${text}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
