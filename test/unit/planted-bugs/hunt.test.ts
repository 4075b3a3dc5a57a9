/** A bug is caught only where the patched code fails and the unpatched one doesn't: proved on checkouts in miniature. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Hunter } from '../../planted-bugs/hunt.js';
import { PatchedCopy } from '../../planted-bugs/patched-copy.js';
import type { PlantedBug } from '../../planted-bugs/planted-bug.js';
import type { SuiteResult } from '../../support/suite-run.js';

const PATCH = 'Rule: r\nCaught by: x\n\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1,2 +1,2 @@\n first\n-good\n+bad\n';

describe('planting a bug', function () {
  this.timeout(120_000);
  let checkout: string;
  let patch: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'pbft-checkout-'));
    for (const folder of ['src', 'test/planted-bugs']) {
      mkdirSync(join(checkout, folder), { recursive: true });
    }
    symlinkSync(resolve('node_modules'), join(checkout, 'node_modules'));
    writeFileSync(join(checkout, 'src/a.ts'), 'first\ngood\n');
    writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
    patch = join(checkout, 'bug.patch');
    writeFileSync(patch, PATCH);
  });

  afterEach(() => rmSync(checkout, { recursive: true, force: true }));

  it('changes a copy and never the checkout, and the copy is as before when it is taken out', () => {
    const copy = new PatchedCopy(checkout);
    const contents = () => [copy.root, checkout].map((root) => readFileSync(join(root, 'src/a.ts'), 'utf8'));
    for (let times = 0; times < 2; times++) {
      assert.equal(copy.plant(patch), undefined);
      assert.deepEqual(contents(), ['first\nbad\n', 'first\ngood\n']);
      copy.restore();
      assert.deepEqual(contents(), ['first\ngood\n', 'first\ngood\n']);
    }
    copy.remove();
    assert.ok(!existsSync(copy.root));
  });

  it('is refused where the patch does not apply, or touches nothing in src/', () => {
    writeFileSync(join(checkout, 'src/a.ts'), 'first\nanother\n');
    assert.match(refusalOf(), /does not apply: error: patch failed: src\/a\.ts:1/);
    writeFileSync(patch, PATCH.replaceAll('src/a.ts', 'test/a.ts'));
    assert.match(refusalOf(), /does not apply/);
  });

  it('is caught by a test that fails with it and passes without', async () => {
    const verdict = await huntByTest((root) => results(root === checkout ? [] : ['a.test.ts: is good']));
    assert.deepEqual(verdict, { kind: 'caught', by: 'a.test.ts', shown: 'is good', seeds: [] });
  });

  it('is not caught by a test that passes, that fails without it, or that does not run', async () => {
    assert.match(await reasonOf(() => results([])), /a\.test\.ts passes/);
    assert.match(await reasonOf(() => results(['a.test.ts: good'])), /the unpatched code fails too: a\.test\.ts: good/);
    assert.match(await reasonOf(() => ({ ...results(['a.test.ts: ended']), passed: 0 })), /it may not even run/);
  });

  it('is caught by the first seed that shows it with the patch alone', async () => {
    serveSeeds("isPatched && seed >= 12 ? { invariant: 4, text: 'no' } : undefined");
    assert.deepEqual(await huntBySeeds([10, 20]), {
      kind: 'caught',
      by: 'invariant 4',
      shown: 'seed 12: no',
      seeds: [3, 1],
    });
  });

  it('is not caught where no seed shows it, the unpatched code fails too, or the run itself breaks', async () => {
    serveSeeds('undefined');
    assert.deepEqual(await huntBySeeds([10]), { kind: 'missed', reason: '5 seeds from 10 show nothing' });
    serveSeeds("seed === 12 ? { invariant: 4, text: 'no' } : undefined");
    assert.deepEqual(await huntBySeeds([10]), {
      kind: 'missed',
      reason: 'the unpatched code fails too with seed 12: no',
    });
    serveSeeds('process.exit(3)');
    assert.deepEqual(await huntBySeeds([10]), { kind: 'missed', reason: 'seed 10 ended its process: it said nothing' });
  });

  it('is not caught by seeds that do not end', async () => {
    serveSeeds('(() => { for (;;); })()');
    const verdict = await hunt(
      { kind: 'simulator', quickSeed: 7 },
      { startingPoints: 'quick', seedsMax: 2, seedMsMax: 100 },
    );
    assert.deepEqual(verdict, { kind: 'missed', reason: '2 seeds from 7 show nothing' });
  });

  function refusalOf(): string {
    const copy = new PatchedCopy(checkout);
    const refusal = copy.plant(patch);
    copy.remove();
    return refusal ?? assert.fail('it applies');
  }

  /** In place of the simulator: what each seed shows, with `seed` and `isPatched` at hand. */
  function serveSeeds(violation: string): void {
    writeFileSync(
      join(checkout, 'test/planted-bugs/seed-server.ts'),
      `import { readFileSync } from 'node:fs';
       const isPatched = readFileSync('src/a.ts', 'utf8').includes('bad');
       process.on('message', (seed) => process.send({ violation: ${violation} }));`,
    );
  }

  async function hunt(catcher: PlantedBug['catcher'], options: Partial<ConstructorParameters<typeof Hunter>[0]>) {
    const hunter = new Hunter({
      checkout,
      startingPoints: 'quick',
      seedsMax: 5,
      seedMsMax: 60_000,
      runTest: () => assert.fail('no test is asked for'),
      controlTests: new Map(),
      ...options,
    });
    try {
      return (await hunter.hunt({ name: 'a-bug', path: patch, rule: 'r', catcher })).verdict;
    } finally {
      hunter.stop();
    }
  }

  function huntBySeeds(startingPoints: readonly number[]) {
    return hunt({ kind: 'simulator', quickSeed: 1 }, { startingPoints });
  }

  function huntByTest(runTest: (root: string) => SuiteResult) {
    return hunt({ kind: 'test', file: 'a.test.ts' }, { runTest: (root) => Promise.resolve(runTest(root)) });
  }

  async function reasonOf(runTest: (root: string) => SuiteResult): Promise<string> {
    const verdict = await huntByTest(runTest);
    assert.ok(verdict.kind === 'missed');
    return verdict.reason;
  }
});

function results(failures: readonly string[]): SuiteResult {
  return { passed: 1, failures, skipped: [] };
}
