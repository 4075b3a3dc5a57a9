/**
 * What `make test` and `make check` run: every kind of test in a mocha process of its own, two of them at once where
 * that disturbs neither, and for `check` also the static checks and the simulator. Nothing stops at the first failure.
 * The last line is the sum over all mocha runs, `N passed, N failed`, where a failed step that is not a mocha run counts
 * as one failure.
 *
 *     tsx test/support/run-suites.ts test|check
 *
 * With SUMMARY_FILE set, the sum is written there instead, for a caller that prints it last itself.
 */
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { runProcess, runSuite, runTallied, type SuiteResult } from './suite-run.js';

const root = resolve(import.meta.dirname, '../..');
const MINUTE_MS = 60_000;

interface Suite {
  readonly name: string;
  /** The folder below test/. */
  readonly folder: string;
  /** Quick suites leave the `*.slow.test.ts` and `*.aside.test.ts` files to suites of their own. */
  readonly files: 'quick' | 'slow' | 'aside' | 'all';
  readonly deadlineMs: number;
}

const UNIT_SUITE: Suite = { name: 'unit', folder: 'unit', files: 'all', deadlineMs: 6 * MINUTE_MS };

/** They start no cluster, and need one core as the unit tests do: they run beside them. */
const SINGLE_CORE_SUITES: readonly Suite[] = [
  { name: 'paper', folder: 'paper', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'scenario', folder: 'scenario', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'contract', folder: 'contract', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'simulation', folder: 'simulation', files: 'all', deadlineMs: 5 * MINUTE_MS },
];

const INTEGRATION_SUITE: Suite = {
  name: 'integration',
  folder: 'integration',
  files: 'quick',
  deadlineMs: 10 * MINUTE_MS,
};

/** Processes at their own pace: what disturbs them makes them fail. */
const ALONE_SUITES: readonly Suite[] = [
  { name: 'integration (slow)', folder: 'integration', files: 'slow', deadlineMs: 12 * MINUTE_MS },
  { name: 'hostile', folder: 'hostile', files: 'all', deadlineMs: 8 * MINUTE_MS },
];

/** They mostly wait, and bear to be waited for: they run beside the planted bugs, which take both cores. */
const ASIDE_SUITE: Suite = {
  name: 'integration (aside)',
  folder: 'integration',
  files: 'aside',
  deadlineMs: 12 * MINUTE_MS,
};

/** Scripts of package.json, in this order. */
const STATIC_CHECKS = [
  'proto:check',
  'proto:lint',
  'proto:breaking',
  'types',
  'lint:code',
  'lint:layers',
  'lint:dead-code',
];

function testFilesOf({ folder, files }: Suite): string[] {
  const path = join(root, 'test', folder);
  let entries: string[];
  try {
    entries = readdirSync(path, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.endsWith('.test.ts'))
    .filter((entry) => files === 'all' || (/\.(slow|aside)\.test\.ts$/.exec(entry)?.[1] ?? 'quick') === files)
    .map((entry) => relative(root, join(path, entry)))
    .sort();
}

/** Runs a part, and prints what it is and how long it took, or writes that to the file whose descriptor is given. */
async function announce<T>(title: string, run: () => Promise<T>, output?: number): Promise<T> {
  const print = (text: string) => (output === undefined ? process.stdout.write(text) : writeSync(output, text));
  print(`\n== ${title}\n`);
  const startedMs = Date.now();
  const result = await run();
  print(`   took ${Math.round((Date.now() - startedMs) / 1000)} s\n`);
  return result;
}

/** A command that passes or fails as a whole. */
async function runStep(name: string, command: string, parameters: readonly string[]): Promise<SuiteResult> {
  const run = () => runProcess(command, parameters, { deadlineMs: 10 * MINUTE_MS });
  const { code, timedOut } = await announce(name, run);
  const failure = timedOut ? `${name}: not finished in time` : `${name}: ended with code ${code}`;
  return { passed: 0, failures: code === 0 ? [] : [failure], skipped: [] };
}

/** Runs a suite, and prints as it goes or into the file whose descriptor is given. */
async function runTests(suite: Suite, output?: number): Promise<SuiteResult> {
  const { name, folder, deadlineMs } = suite;
  const files = testFilesOf(suite);
  if (files.length === 0) {
    return { passed: 0, failures: [], skipped: [`${name}: no test files in test/${folder}`] };
  }
  const run = () => runSuite({ name, files, deadlineMs, output: output ?? 'inherit' });
  return announce(`${name}: ${files.length} files`, run, output);
}

/** Runs suites one after another; what they print is kept until they have ended. */
async function runAside(suites: readonly Suite[]): Promise<{ results: readonly SuiteResult[]; printed: Buffer }> {
  const scratch = mkdtempSync(join(tmpdir(), 'pbft-suites-'));
  const path = join(scratch, 'printed');
  const output = openSync(path, 'a');
  try {
    const results: SuiteResult[] = [];
    for (const suite of suites) {
      results.push(await runTests(suite, output));
    }
    return { results, printed: readFileSync(path) };
  } finally {
    closeSync(output);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Runs something, and suites one after another beside it. */
async function* runBeside(run: () => Promise<SuiteResult>, suites: readonly Suite[]): AsyncGenerator<SuiteResult> {
  const aside = runAside(suites);
  yield await run();
  const { results, printed } = await aside;
  process.stdout.write(printed);
  yield* results;
}

/** Each planted bug that is caught counts as a test that passed. */
async function plantBugs(): Promise<SuiteResult> {
  const name = 'planted bugs';
  const script = ['--import', 'tsx', 'test/planted-bugs/main.ts', '--quick', '--tally'];
  const run = () => runTallied({ name, deadlineMs: 10 * MINUTE_MS }, (tallyPath) => [...script, tallyPath]);
  return announce(name, run);
}

async function* runAll(kind: 'test' | 'check'): AsyncGenerator<SuiteResult> {
  if (kind === 'check') {
    for (const script of STATIC_CHECKS) {
      yield await runStep(script, 'npm', ['run', '--silent', script]);
    }
  }
  const built = await runStep('build', 'make', ['--no-print-directory', 'build']);
  yield built;
  if (built.failures.length > 0) {
    yield { passed: 0, failures: [], skipped: ['all tests: what they run does not compile'] };
    return;
  }
  yield* runBeside(() => runTests(UNIT_SUITE), SINGLE_CORE_SUITES);
  yield await runTests(INTEGRATION_SUITE);
  if (kind === 'check') {
    for (const suite of ALONE_SUITES) {
      yield await runTests(suite);
    }
    yield await runStep('simulate', 'make', ['--no-print-directory', 'simulate']);
    yield await runStep('endurance', 'make', ['--no-print-directory', 'endurance', 'ROUNDS=10']);
    yield* runBeside(plantBugs, [ASIDE_SUITE]);
  }
}

async function main(kind: 'test' | 'check'): Promise<void> {
  const startedMs = Date.now();
  const results: SuiteResult[] = [];
  for await (const result of runAll(kind)) {
    results.push(result);
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failures = results.flatMap((result) => result.failures);
  if (passed === 0 && failures.length === 0) {
    failures.push('no test ran');
  }
  console.log('');
  for (const line of results.flatMap((result) => result.skipped)) {
    console.log(`skipped: ${line}`);
  }
  for (const line of failures) {
    console.log(`failed: ${line}`);
  }
  console.log(`all took ${Math.round((Date.now() - startedMs) / 1000)} s`);
  const summary = `${passed} passed, ${failures.length} failed`;
  const summaryFile = process.env['SUMMARY_FILE'];
  if (summaryFile === undefined) {
    console.log(summary);
  } else {
    writeFileSync(summaryFile, `${summary}\n`);
  }
  process.exitCode = failures.length === 0 ? 0 : 1;
}

const kind = process.argv[2];
if (kind === 'test' || kind === 'check') {
  await main(kind);
} else {
  console.error('usage: run-suites.ts test|check');
  process.exitCode = 2;
}
