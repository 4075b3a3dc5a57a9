/** When the executor ends for good, and that it then does nothing any more. */
import assert from 'node:assert/strict';
import { sequence, view } from '../../../../src/protocol/identifiers.js';
import { AssertionError } from '../../../../src/util/assert.js';
import { bodyOf, script } from '../fakes.js';
import { ExecutorBench, get, NULL_DIGEST, put, request } from './executor-bench.js';

describe('the executor in trouble', () => {
  it('stops for good when the application throws or reads what it did not announce', () => {
    for (const operation of [script({ throws: 'out of luck' }), script({ get: 'a' })]) {
      const bench = new ExecutorBench();
      bench.order(bodyOf(1, [request(put('a', '1'), operation)]));
      bench.loop.run();
      assert.equal(bench.fatal.length, 1);
      assert.match(bench.fatal[0] ?? '', /out of luck|did not announce/);
      bench.order(bodyOf(1, [request(put('b', '1'))]));
      bench.loop.run();
      assert.deepEqual([bench.store.commits.length, bench.events.length, bench.fatal.length], [0, 0, 1]);
    }
  });

  it('lets nobody read what another operation announced', () => {
    const bench = new ExecutorBench();
    bench.order(bodyOf(1, [request(get('a'), script({ announce: ['b'], get: 'a' }))]));
    bench.loop.run();
    assert.match(bench.fatal[0] ?? '', /did not announce/);
  });

  it('stops for good on any error of the store', () => {
    const operations = [[put('a', '1')], [get('a')], [script({ ranges: [{ first: 'a', limit: 1 }] })]];
    for (const list of operations) {
      const bench = new ExecutorBench();
      bench.order(bodyOf(1, [request(...list)]));
      bench.store.failure = { code: 'io', message: 'the disk is gone' };
      bench.order(bodyOf(1, [request(...list)]));
      bench.loop.run();
      assert.equal(bench.fatal.length, 1);
      assert.match(bench.fatal[0] ?? '', /the disk is gone/);
      assert.ok(bench.results.length <= 1);
    }
  });

  it('asserts that sequences come without a gap', () => {
    const bench = new ExecutorBench();
    assert.throws(() => bench.executor.execute(sequence(2), view(0), NULL_DIGEST, undefined), AssertionError);
  });

  it('neither writes nor tells anything after it was stopped', () => {
    const bench = new ExecutorBench();
    bench.order(bodyOf(1, [request(get('a'))]));
    bench.executor.stop();
    bench.loop.run();
    assert.deepEqual([bench.store.commits.length, bench.results.length], [0, 0]);
  });
});
