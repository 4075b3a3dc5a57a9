/**
 * The command that measures what a traitor as primary costs: `make betrayal`, or, where dist/ is up to date,
 *
 *     node --import tsx test/bench/betrayal-main.ts [--kinds censor,equivocate,slow] [--replicas 4] [--callers 64]
 *
 * docs/benchmarks.md says how to read it. Ends with 0, with 1 where something acknowledged was lost or a call failed,
 * and with 2 for a wrong choice. Slowness is no failure.
 */
import { parseArgs } from 'node:util';
import { isTraitorKind, TRAITOR_KINDS, type TraitorKind } from '../../src/cli/cluster/byzantine.js';
import { createColours } from '../../src/cli/output/colours.js';
import { formatTable } from '../../src/cli/output/table.js';
import { isReplicaCountAllowed } from '../../src/protocol/quorum.js';
import { startCluster } from '../support/cluster.js';
import { type BetrayalFigures, measureBetrayal } from './betrayal.js';
import { UsageError } from './options.js';
import { readMachine } from './settings.js';

const USAGE = 'usage: make betrayal [N=4]';
const WINDOW_MS = 10_000;

interface Choices {
  readonly kinds: readonly TraitorKind[];
  readonly replicaCount: number;
  readonly callers: number;
}

function readChoices(): Choices {
  const text = { type: 'string' } as const;
  let given: Readonly<Record<string, string | undefined>>;
  try {
    given = parseArgs({ options: { kinds: text, replicas: text, callers: text } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const kinds = (given['kinds'] ?? 'censor,equivocate,slow').split(',');
  if (!kinds.every(isTraitorKind)) {
    throw new UsageError(`--kinds are of ${Object.keys(TRAITOR_KINDS).join(', ')}, not ${kinds.join(', ')}`);
  }
  const [replicaCount, callers] = [Number(given['replicas'] ?? 4), Number(given['callers'] ?? 64)];
  if (replicaCount < 4 || !isReplicaCountAllowed(replicaCount)) {
    throw new UsageError(`a cluster that survives a traitor has 4 to 100 replicas, not ${given['replicas']}`);
  }
  if (!Number.isInteger(callers) || callers < 1 || callers > 10_000) {
    throw new UsageError(`--callers is a whole number from 1 to 10000, not ${given['callers']}`);
  }
  return { kinds, replicaCount, callers };
}

function rowOf(kind: TraitorKind, figures: BetrayalFigures): readonly string[] {
  const { before, during, after, leftAfterMs, failedCalls, accused } = figures;
  return [
    kind,
    ...[before, during, after].map((rate) => Math.round(rate).toLocaleString('en')),
    leftAfterMs === undefined ? 'not left' : `${(leftAfterMs / 1_000).toFixed(2)} s`,
    String(failedCalls),
    accused.length === 0 ? 'nobody' : accused.join(', '),
  ];
}

async function main(): Promise<number> {
  const { kinds, replicaCount, callers } = readChoices();
  const { node, cpuModel, cores, loadAverage } = readMachine();
  console.log(
    `n = ${replicaCount}, replica 0 the traitor and primary of view 0, callers ${callers} through the others, windows of ${WINDOW_MS / 1_000} s, defaults otherwise\n` +
      `${cpuModel}, ${cores} cores, Node ${node}, load before ${loadAverage.map((load) => load.toFixed(2)).join(' ')}\n`,
  );
  const rows: (readonly string[])[] = [];
  let failedCalls = 0;
  for (const kind of kinds) {
    console.error(`${kind} …`);
    const cluster = await startCluster({ replicas: replicaCount });
    try {
      const figures = await measureBetrayal(cluster, { kind, callers, windowMs: WINDOW_MS });
      failedCalls += figures.failedCalls;
      rows.push(rowOf(kind, figures));
    } finally {
      await cluster.stop();
    }
  }
  const header = ['traitor', 'puts/s before', 'during', 'after', 'left after', 'failed calls', 'accused'];
  console.log(formatTable(header, rows, createColours(false)));
  console.log('Nothing acknowledged was lost or done twice');
  return failedCalls > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `betrayal: ${text}\n${USAGE}` : `betrayal: ${text}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
