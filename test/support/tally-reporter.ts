/**
 * mocha's spec reporter, which also writes what happened to the file named by the option `tally`, so that the runs of
 * all suites can be summed (suite-run.ts).
 */
import { writeFileSync } from 'node:fs';
import { type MochaOptions, type Runnable, type Runner, reporters, type Suite } from 'mocha';
import { skipReasonOf } from './skip.js';

/** What one mocha run did. */
export interface RunTally {
  readonly passed: number;
  /** Titles of the tests and hooks that failed. */
  readonly failures: readonly string[];
  /** What was skipped, and why; without a reason it counts as a failure. */
  readonly skipped: readonly { readonly title: string; readonly reason: string | undefined }[];
}

/** The reason given for the test or for a suite it stands in. */
function reasonFor(test: Runnable): string | undefined {
  let owner: Runnable | Suite | undefined = test;
  while (owner !== undefined) {
    const reason = skipReasonOf(owner);
    if (reason !== undefined) {
      return reason;
    }
    owner = owner.parent;
  }
  return undefined;
}

class TallyReporter extends reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    const failures: string[] = [];
    const skipped: { title: string; reason: string | undefined }[] = [];
    let passed = 0;
    runner.on('pass', () => {
      passed += 1;
    });
    runner.on('fail', (test) => failures.push(test.fullTitle()));
    runner.on('pending', (test) => skipped.push({ title: test.fullTitle(), reason: reasonFor(test) }));
    runner.on('end', () => {
      const path: unknown = options.reporterOptions?.tally;
      if (typeof path === 'string') {
        writeFileSync(path, JSON.stringify({ passed, failures, skipped } satisfies RunTally));
      }
    });
  }
}

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter only as a module's default export.
export default TallyReporter;
