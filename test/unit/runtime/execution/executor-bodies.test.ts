/** What the executor waits for: the body of a batch and the record of it. */
import assert from 'node:assert/strict';
import { sequence } from '../../../../src/protocol/identifiers.js';
import type { Digest } from '../../../../src/util/digest.js';
import { bodyOf, text } from '../fakes.js';
import { ExecutorBench, get, NULL_DIGEST, put, request } from './executor-bench.js';

describe('the executor and the bodies of batches', () => {
  it('reports a missing body once and goes on when it is there', () => {
    const bench = new ExecutorBench();
    const body = bodyOf(1, [request(put('a', '1'))]);
    bench.orderDigest(body.batch.digest);
    bench.loop.run();
    bench.order(bodyOf(1, [request(put('b', '1'))]));
    bench.loop.run();
    assert.deepEqual([bench.missing, bench.results.length], [[1], 0]);
    bench.bodies.put(body.batch, body.requests);
    bench.executor.retry();
    bench.loop.run();
    assert.equal(bench.executor.executed.lastExecuted, 2);
    assert.deepEqual([bench.missing, bench.fatal], [[1], []]);
  });

  it('executes no batch before its record is written, and those after it no earlier', () => {
    const bench = new ExecutorBench();
    const [first, second] = [bodyOf(1, [request(put('a', '1'))]), bodyOf(1, [request(put('b', '1'))])];
    bench.bodies.markPending(sequence(2), second.batch.digest);
    bench.order(first);
    bench.order(second);
    bench.orderDigest(NULL_DIGEST);
    bench.loop.run();
    assert.equal(bench.executor.executed.lastExecuted, 1);
    bench.executor.retry();
    bench.loop.run();
    assert.deepEqual([bench.executor.executed.lastExecuted, bench.missing], [1, []]);
    bench.bodies.markPersisted(sequence(2), second.batch.digest);
    bench.executor.retry();
    bench.loop.run();
    assert.equal(bench.executor.executed.lastExecuted, 3);
  });

  it('lets no group reach over a batch whose record is on its way', () => {
    const bench = new ExecutorBench();
    const bodies = ['a', 'b', 'c'].map((name) => bodyOf(1, [request(get(name))]));
    bench.bodies.markPending(sequence(3), bodies[2]?.batch.digest as Digest);
    bodies.forEach((body) => {
      bench.order(body);
    });
    bench.loop.run();
    assert.equal(bench.executor.executed.lastExecuted, 2);
  });

  it('takes bodies that were evicted from the store', () => {
    const bench = new ExecutorBench();
    const body = bodyOf(1, [request(put('a', '1'))]);
    bench.store.batches.set(`1 ${body.batch.digest}`, body.batch.bytes);
    bench.orderDigest(body.batch.digest);
    bench.loop.run();
    assert.equal(text(bench.store.state.get('a')), '1');
  });
});
