/**
 * The command that proves the tests: each planted bug is put into a copy of the code, and must be caught.
 *
 *     tsx test/planted-bugs/main.ts                  all bugs, from several starting points: medians
 *     tsx test/planted-bugs/main.ts --quick          each bug from a seed that shows it soon
 *     tsx test/planted-bugs/main.ts [--quick] NAME…  some bugs
 *
 * With `--tally FILE` what was caught is written there as a test run's tally.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runSuite, type SuiteResult } from '../support/suite-run.js';
import type { RunTally } from '../support/tally-reporter.js';
import { Hunter, type HuntReport } from './hunt.js';
import { type PlantedBug, readPlantedBugs } from './planted-bug.js';
import { computeMedian, formatTable } from './table.js';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const WORKERS = 2;
const STARTING_POINTS = [1, 1_001, 2_001];
const SEEDS_MAX = 400;
const QUICK_SEEDS_MAX = 60;
const SEED_MS_MAX = 60_000;
const TEST_MS_MAX = 120_000;

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, tally: { type: 'string' } },
  allowPositionals: true,
});

// An interrupt leaves no copy behind.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
process.exitCode = (await main(positionals, values.quick, values.tally)) ? 0 : 1;

async function main(names: readonly string[], isQuick: boolean, tallyPath: string | undefined): Promise<boolean> {
  const all = readPlantedBugs(join(import.meta.dirname, 'patches'));
  const unknown = names.filter((name) => !all.some((bug) => bug.name === name));
  if (unknown.length > 0) {
    console.error(`planted-bugs: there is no bug ${unknown.join(', ')}`);
    return false;
  }
  const bugs = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
  const reports = await huntAll(bugs, isQuick);
  const missed = reports.filter(({ verdict }) => verdict.kind === 'missed');
  console.log(`\n${formatTable(reports)}\n`);
  console.log(`${reports.length - missed.length} of ${reports.length} planted bugs caught`);
  if (tallyPath !== undefined) {
    writeFileSync(tallyPath, JSON.stringify(tallyOf(reports)));
  }
  return missed.length === 0 && reports.length > 0;
}

async function huntAll(bugs: readonly PlantedBug[], isQuick: boolean): Promise<readonly HuntReport[]> {
  // Seeds take longest, so they begin.
  const bySeeds = bugs.filter(({ catcher }) => catcher.kind === 'simulator');
  const waiting = [...bySeeds, ...bugs.filter(({ catcher }) => catcher.kind === 'test')];
  const controlTests = new Map<string, Promise<SuiteResult>>();
  const reports: HuntReport[] = [];
  const work = async (): Promise<void> => {
    const hunter = new Hunter({
      checkout: CHECKOUT,
      startingPoints: isQuick ? 'quick' : STARTING_POINTS,
      seedsMax: isQuick ? QUICK_SEEDS_MAX : SEEDS_MAX,
      seedMsMax: SEED_MS_MAX,
      runTest: (root, file) => runSuite({ name: file, files: [file], deadlineMs: TEST_MS_MAX, output: 'ignore', root }),
      controlTests,
    });
    process.once('exit', () => hunter.stop());
    try {
      for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
        const report = await hunter.hunt(bug);
        reports.push(report);
        console.log(`${reports.length} of ${bugs.length}: ${describe(report)}`);
      }
    } finally {
      hunter.stop();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return reports;
}

function describe({ bug, verdict, wallMs }: HuntReport): string {
  const seconds = `${(wallMs / 1_000).toFixed(0)} s`;
  if (verdict.kind === 'missed') {
    return `${bug.name} NOT CAUGHT, ${seconds}: ${verdict.reason}`;
  }
  const median = computeMedian(verdict.seeds);
  const seeds = median === undefined ? '' : `, seeds ${verdict.seeds.join(' ')}`;
  return `${bug.name} caught by ${verdict.by}${seeds}, ${seconds}: ${firstLineOf(verdict.shown)}`;
}

function firstLineOf(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function tallyOf(reports: readonly HuntReport[]): RunTally {
  return {
    passed: reports.filter(({ verdict }) => verdict.kind === 'caught').length,
    failures: reports.flatMap(({ bug, verdict }) =>
      verdict.kind === 'missed' ? [`${bug.name} is not caught: ${verdict.reason}`] : [],
    ),
    skipped: [],
  };
}
