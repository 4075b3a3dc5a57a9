/**
 * What `make test` and `make check` run: every kind of test in a mocha process of its own, and for `check` also the
 * static checks and the simulator. Nothing stops at the first failure. The last line is the sum over all mocha runs,
 * `N passed, N failed`, where a failed step that is not a mocha run counts as one failure.
 *
 *     tsx test/support/run-suites.ts test|check
 *
 * With SUMMARY_FILE set, the sum is written there instead, for a caller that prints it last itself.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runProcess, runSuite, runTallied, type SuiteResult } from './suite-run.js';

const root = resolve(import.meta.dirname, '../..');
const MINUTE_MS = 60_000;

interface Suite {
  readonly name: string;
  /** The folder below test/. */
  readonly folder: string;
  /** Quick suites leave the `*.slow.test.ts` files to a suite of their own. */
  readonly files: 'quick' | 'slow' | 'all';
  readonly deadlineMs: number;
}

const QUICK_SUITES: readonly Suite[] = [
  { name: 'unit', folder: 'unit', files: 'all', deadlineMs: 6 * MINUTE_MS },
  { name: 'paper', folder: 'paper', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'scenario', folder: 'scenario', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'contract', folder: 'contract', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'simulation', folder: 'simulation', files: 'all', deadlineMs: 3 * MINUTE_MS },
  { name: 'integration', folder: 'integration', files: 'quick', deadlineMs: 10 * MINUTE_MS },
];

const SLOW_SUITES: readonly Suite[] = [
  { name: 'integration (slow)', folder: 'integration', files: 'slow', deadlineMs: 12 * MINUTE_MS },
  { name: 'hostile', folder: 'hostile', files: 'all', deadlineMs: 8 * MINUTE_MS },
];

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
    .filter((entry) => files === 'all' || entry.endsWith('.slow.test.ts') === (files === 'slow'))
    .map((entry) => relative(root, join(path, entry)))
    .sort();
}

/** A command that passes or fails as a whole. */
async function runStep(name: string, command: string, parameters: readonly string[]): Promise<SuiteResult> {
  console.log(`\n== ${name}`);
  const { code, timedOut } = await runProcess(command, parameters, { deadlineMs: 10 * MINUTE_MS });
  const failure = timedOut ? `${name}: not finished in time` : `${name}: ended with code ${code}`;
  return { passed: 0, failures: code === 0 ? [] : [failure], skipped: [] };
}

async function runTests(suite: Suite): Promise<SuiteResult> {
  const files = testFilesOf(suite);
  if (files.length === 0) {
    return { passed: 0, failures: [], skipped: [`${suite.name}: no test files in test/${suite.folder}`] };
  }
  console.log(`\n== ${suite.name}: ${files.length} files`);
  return runSuite({ name: suite.name, files, deadlineMs: suite.deadlineMs });
}

/** Each planted bug that is caught counts as a test that passed. */
async function plantBugs(): Promise<SuiteResult> {
  const name = 'planted bugs';
  console.log(`\n== ${name}`);
  return runTallied({ name, deadlineMs: 10 * MINUTE_MS }, (tallyPath) => [
    '--import',
    'tsx',
    'test/planted-bugs/main.ts',
    '--quick',
    '--tally',
    tallyPath,
  ]);
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
  for (const suite of kind === 'check' ? [...QUICK_SUITES, ...SLOW_SUITES] : QUICK_SUITES) {
    yield await runTests(suite);
  }
  if (kind === 'check') {
    yield await runStep('simulate', 'make', ['--no-print-directory', 'simulate']);
    yield await runStep('endurance', 'make', ['--no-print-directory', 'endurance', 'ROUNDS=10']);
    yield await plantBugs();
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
  console.log(`took ${Math.round((Date.now() - startedMs) / 1000)} s`);
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
