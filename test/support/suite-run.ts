/**
 * Runs one suite of tests in a mocha process of its own, streams its output, and returns what happened as numbers. A
 * process that ends without a tally, hangs past its deadline, or leaves with a code that its tally doesn't explain is a
 * failure like any other.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunTally } from './tally-reporter.js';

const root = resolve(import.meta.dirname, '../..');

export interface SuiteOptions {
  /** The suite's name in what is printed. */
  readonly name: string;
  /** Test files, from the project's root. */
  readonly files: readonly string[];
  /** After this many milliseconds the run is ended and counts as failed. */
  readonly deadlineMs: number;
  /** `ignore` for runs whose output nobody wants to see, or a file's descriptor; default `inherit`. */
  readonly output?: Output;
  /** The checkout to run it in; default this one. */
  readonly root?: string;
}

/** What came of a suite. */
export interface SuiteResult {
  readonly passed: number;
  /** One line each: a test's title, or what went wrong with the run itself. */
  readonly failures: readonly string[];
  /** One line each: what was skipped, and why. */
  readonly skipped: readonly string[];
}

type Output = 'inherit' | 'ignore' | number;

/** How to run a process. */
interface ProcessOptions {
  readonly deadlineMs: number;
  readonly output?: Output;
  readonly cwd?: string;
}

interface ProcessEnd {
  readonly code: number | null;
  readonly timedOut: boolean;
}

/** Runs a command to its end or to its deadline. */
export function runProcess(
  command: string,
  parameters: readonly string[],
  { deadlineMs, output = 'inherit', cwd = root }: ProcessOptions,
): Promise<ProcessEnd> {
  return new Promise((done) => {
    // A process group of its own, so that a deadline or an interrupt ends what it started too.
    const child = spawn(command, parameters, {
      cwd,
      stdio: ['ignore', output, output],
      env: cleanEnvironment(),
      detached: true,
    });
    let timedOut = false;
    const interrupt = (): never => {
      endGroup(child.pid);
      process.exit(130);
    };
    const deadline = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, deadlineMs);
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    const end = (code: number | null): void => {
      clearTimeout(deadline);
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      done({ code, timedOut });
    };
    child.once('error', () => end(null));
    child.once('exit', end);
  });
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) {
    return;
  }
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

/** The environment without what an outer make or mocha left for its own children. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _mflags, ...rest } = process.env;
  return rest;
}

function readTally(path: string): RunTally | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunTally;
  } catch {
    return undefined;
  }
}

/** Runs `files` under mocha with the settings of package.json. */
export function runSuite({ files, ...options }: SuiteOptions): Promise<SuiteResult> {
  return runTallied(options, (tallyPath) => {
    const reporter = ['--reporter', 'test/support/tally-reporter.ts', '--reporter-option', `tally=${tallyPath}`];
    return ['node_modules/mocha/bin/mocha.js', ...reporter, ...files];
  });
}

/** Runs a script of node that writes a tally to the file it is told. */
export async function runTallied(
  { name, deadlineMs, output = 'inherit', root: cwd = root }: Omit<SuiteOptions, 'files'>,
  parametersFor: (tallyPath: string) => readonly string[],
): Promise<SuiteResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'pbft-tally-'));
  try {
    const tallyPath = join(scratch, 'tally.json');
    const end = await runProcess(process.execPath, parametersFor(tallyPath), { deadlineMs, output, cwd });
    return judge(name, end, readTally(tallyPath), deadlineMs);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function judge(name: string, end: ProcessEnd, tally: RunTally | undefined, deadlineMs: number): SuiteResult {
  const { passed, failures: failedTests, skipped } = tally ?? { passed: 0, failures: [], skipped: [] };
  const failures = failedTests.map((title) => `${name}: ${title}`);
  for (const { title, reason } of skipped) {
    if (reason === undefined) {
      failures.push(`${name}: skipped without a reason: ${title}`);
    }
  }
  if (end.timedOut) {
    failures.push(`${name}: not finished after ${deadlineMs / 1000} s`);
  } else if (tally === undefined) {
    failures.push(`${name}: the run ended with code ${end.code} before its tests did`);
  } else if (end.code !== 0 && failedTests.length === 0) {
    failures.push(`${name}: the run ended with code ${end.code} although no test failed`);
  }
  const reasons = skipped.map(({ title, reason }) => `${name}: ${title}: ${reason ?? 'no reason given'}`);
  return { passed, failures, skipped: reasons };
}
