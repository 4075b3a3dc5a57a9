/**
 * The simulator's command.
 *
 *     tsx test/simulation/main.ts                        the fixed seeds and seeds.txt
 *     tsx test/simulation/main.ts --hashes check         the same, and whether their traces are those that were kept
 *     tsx test/simulation/main.ts --hashes write         the same, and keeps their traces' hashes
 *     tsx test/simulation/main.ts --seed N               one seed; its trace where it fails
 *     tsx test/simulation/main.ts --seed N --trace       one seed with its trace
 *     tsx test/simulation/main.ts --swarm [--count N] [--from SEED] [--minutes N]
 *                                                        seeds beyond the fixed ones; goes on and adds up
 *     tsx test/simulation/main.ts --hostile-hours H      so long hostile traffic; what replicas hold at most
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCampaign, serveSeeds } from './campaign.js';
import { describeHostile, runHostile } from './hostile.js';
import { type SeedReport, Totals } from './report.js';
import { runSeed } from './run.js';
import { shrink } from './shrink.js';
import { SwarmLog } from './swarm.js';
import { HASH_MODES, TraceHashes } from './trace-hashes.js';

const FIXED_SEEDS = 200;
const WORKERS = 2;
const PROGRESS_MS = 10_000;
const SWARM_LOG = fileURLToPath(new URL('../../.cache/swarm.jsonl', import.meta.url));
/** A trace's end says most; the whole is long. */
const TRACE_LINES_MAX = 400;

const { values } = parseArgs({
  options: {
    hashes: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
    swarm: { type: 'boolean', default: false },
    count: { type: 'string', default: '1000' },
    from: { type: 'string' },
    minutes: { type: 'string' },
    'hostile-hours': { type: 'string' },
  },
});

if (values.worker) {
  serveSeeds(reportOf);
} else if (values['hostile-hours'] !== undefined) {
  process.exitCode = runHostileHours(Number(values['hostile-hours'])) ? 0 : 1;
} else if (values.seed !== undefined) {
  process.exitCode = runOne(Number(values.seed), values.trace) ? 0 : 1;
} else if (values.swarm) {
  process.exitCode = (await runSwarm(Number(values.count), values.from, Number(values.minutes ?? Infinity))) ? 0 : 1;
} else {
  process.exitCode = (await runFixed(values.hashes)) ? 0 : 1;
}

function reportOf(seed: number): SeedReport {
  const startedMs = performance.now();
  const { traceLines: _, ...outcome } = runSeed({ seed, keepsTrace: false });
  return { ...outcome, wallMs: performance.now() - startedMs };
}

/** Seeds that failed once stay for good. */
function fixedSeeds(): number[] {
  const text = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8');
  const kept = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map(Number);
  return [...kept, ...Array.from({ length: FIXED_SEEDS }, (_, index) => index + 1)];
}

/** The fixed seeds; where it is asked, with a look at their traces' hashes. */
async function runFixed(asked: string | undefined): Promise<boolean> {
  const mode = HASH_MODES.find((known) => known === asked);
  if (asked !== undefined && mode === undefined) {
    console.error(`--hashes takes ${HASH_MODES.join(' or ')}`);
    return false;
  }
  const hashes = mode === undefined ? undefined : new TraceHashes(mode);
  const isGood = await runMany(fixedSeeds(), (report) => hashes?.add(report));
  const isAsKept = hashes?.conclude() ?? true;
  return isGood && isAsKept;
}

function runOne(seed: number, showsTrace: boolean): boolean {
  const whole = runSeed({ seed, keepsTrace: true });
  const shrunk =
    whole.violation === undefined || showsTrace
      ? undefined
      : shrink(whole, (leftOut) => runSeed({ seed, keepsTrace: true, leftOut }));
  const outcome = shrunk?.outcome ?? whole;
  if (showsTrace || outcome.violation !== undefined) {
    const { traceLines } = outcome;
    const shown = showsTrace ? traceLines : traceLines.slice(-TRACE_LINES_MAX);
    console.log(shown.join('\n'));
  }
  const { traceLines: _, violation, ...rest } = outcome;
  console.log(JSON.stringify(rest));
  if (violation !== undefined) {
    if (shrunk !== undefined) {
      console.log(
        `it takes ${whole.plannedParts - shrunk.leftOut.size} of ${whole.plannedParts} planned faults and lies`,
      );
    }
    printFailure(seed, violation);
  }
  return violation === undefined;
}

function printFailure(seed: number, { invariant, text }: NonNullable<SeedReport['violation']>): void {
  console.log(`\nseed ${seed}: invariant ${invariant} (docs/testing.md) does not hold\n${text}`);
  console.log(`reproduce: make simulate SEED=${seed}`);
}

/** Clusters of four and of seven under hostile traffic, one after the other. */
function runHostileHours(hours: number): boolean {
  const outcomes = [4, 7].map((replicaCount) => {
    const onProgress = (virtualMs: number): void => {
      console.log(`${replicaCount} replicas, ${(virtualMs / 60_000).toFixed(0)} virtual minutes`);
    };
    const outcome = runHostile({ replicaCount, virtualMs: hours * 3_600_000, onProgress });
    console.log(describeHostile(replicaCount, outcome));
    return outcome;
  });
  return outcomes.every(({ violation }) => violation === undefined);
}

/** A swarm says now and then how far it is. It begins no seed when its time is over. */
async function runSwarm(count: number, from: string | undefined, minutes: number): Promise<boolean> {
  const log = new SwarmLog(SWARM_LOG);
  const first = from === undefined ? log.nextSeed : Number(from);
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  let done = 0;
  let saidMs = performance.now();
  const untilMs = saidMs + minutes * 60_000;
  const isOver = (): boolean => performance.now() > untilMs;
  const onReport = (report: SeedReport): void => {
    log.add(report);
    done++;
    if (performance.now() - saidMs > PROGRESS_MS) {
      saidMs = performance.now();
      console.log(`${done} of ${count} seeds, the last ${report.seed}`);
    }
  };
  const isGood = await runMany(seeds, onReport, isOver);
  const all = new Totals();
  for (const report of new SwarmLog(SWARM_LOG).earlier) {
    all.add(report);
  }
  console.log(`\nall swarms so far\n${all.summary(all.seedsMs / WORKERS)}`);
  for (const { seed } of all.failures) {
    console.log(`reproduce: make simulate SEED=${seed}`);
  }
  return isGood;
}

async function runMany(
  seeds: readonly number[],
  onReport: (report: SeedReport) => void = () => undefined,
  isOver: () => boolean = () => false,
): Promise<boolean> {
  const totals = new Totals();
  const startedMs = performance.now();
  await runCampaign({
    seeds,
    workers: WORKERS,
    module: fileURLToPath(import.meta.url),
    isOver,
    onReport: (report) => {
      totals.add(report);
      onReport(report);
      if (report.violation !== undefined) {
        printFailure(report.seed, report.violation);
      }
    },
  });
  console.log(totals.summary(performance.now() - startedMs));
  return totals.failures.length === 0;
}
