/** A run is a function of its seed. */
import assert from 'node:assert/strict';
import { runSeed } from './run.js';

describe('a simulated run', function () {
  this.timeout(60_000);

  it('of one seed is the same twice, event for event', () => {
    const first = runSeed({ seed: 5, keepsTrace: true });
    const second = runSeed({ seed: 5, keepsTrace: true });
    assert.ok(first.traceLines.length > 1_000);
    assert.deepEqual(second.traceLines, first.traceLines);
    assert.equal(second.traceHash, first.traceHash);
  });

  it('of another seed is another run', () => {
    assert.notEqual(
      runSeed({ seed: 6, keepsTrace: false }).traceHash,
      runSeed({ seed: 5, keepsTrace: false }).traceHash,
    );
  });

  it('holds every invariant and answers its callers', () => {
    for (const seed of [1, 2, 3]) {
      const { violation, operations, sequences } = runSeed({ seed, keepsTrace: false });
      assert.equal(violation, undefined);
      assert.ok(operations > 20 && sequences > 20);
    }
  });
});
