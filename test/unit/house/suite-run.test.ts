/**
 * The runner counts what happened and takes no silence for success: proved on small test files in a temporary folder,
 * each run by a mocha process as `make test` runs them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runSuite, type SuiteResult } from '../../support/suite-run.js';

const skipModule = resolve(import.meta.dirname, '../../support/skip.ts');

async function run(text: string, deadlineMs = 30_000): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-runner-'));
  try {
    const file = join(folder, 'sample.test.ts');
    writeFileSync(file, text);
    return await runSuite({ name: 'sample', files: [file], deadlineMs, output: 'ignore' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the runner of suites', function () {
  this.timeout(60_000);

  it('counts what passed and names what failed', async () => {
    const result = await run(`
      describe('a', () => {
        it('one', () => {});
        it('two', () => {});
        it('three', () => { throw new Error('no'); });
      });`);
    assert.deepEqual(result, { passed: 2, failures: ['sample: a three'], skipped: [] });
  });

  it('says why a test or a whole group was skipped', async () => {
    const result = await run(`
      import { skip } from '${skipModule}';
      it('one', function () { skip(this, 'there is no disk'); });
      describe('a', () => {
        before(function () { skip(this, 'there is no network'); });
        it('two', () => {});
      });
      it('three', () => {});`);
    assert.deepEqual(result, {
      passed: 1,
      failures: [],
      skipped: ['sample: one: there is no disk', 'sample: a two: there is no network'],
    });
  });

  it('counts a test that was skipped without a reason as failed', async () => {
    const result = await run(`it.skip('one', () => {}); it('two', () => {});`);
    assert.deepEqual(result.failures, ['sample: skipped without a reason: one']);
  });

  it('counts a failed hook', async () => {
    const result = await run(
      `describe('a', () => { before(() => { throw new Error('no'); }); it('one', () => {}); });`,
    );
    assert.deepEqual(result, { passed: 0, failures: ['sample: a "before all" hook for "one"'], skipped: [] });
  });

  it('counts a file that does not load', async () => {
    const result = await run(`throw new Error('no');`);
    assert.deepEqual(result, {
      passed: 0,
      failures: ['sample: the run ended with code 1 before its tests did'],
      skipped: [],
    });
  });

  it('counts a run without tests', async () => {
    const result = await run('export {};');
    assert.equal(result.failures.length, 1);
  });

  it('counts tests that were narrowed down by only()', async () => {
    const result = await run(`it.only('one', () => {}); it('two', () => {});`);
    assert.notDeepEqual(result.failures, []);
  });

  it('counts a process that its tests ended', async () => {
    const result = await run(`it('one', () => { process.exit(0); });`);
    assert.deepEqual(result.failures, ['sample: the run ended with code 0 before its tests did']);
  });

  it('ends a run that hangs', async () => {
    const result = await run(`it('one', () => { setInterval(() => {}, 1000); });`, 4_000);
    assert.deepEqual(result.failures, ['sample: not finished after 4 s']);
  });
});
