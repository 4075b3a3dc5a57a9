/** Operations are looked at once, and what was looked at is kept no longer than it is of use. */
import assert from 'node:assert/strict';
import { PreparedOperations } from '../../../../src/runtime/execution/prepared-operations.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { bodyOf } from '../fakes.js';
import { ExecutorBench, put, request } from './executor-bench.js';

const LIMITS = { requestCostMax: 4_000, batchCostMax: 10_000 };

/** An application whose operations cost 1,000, and the operations that it looked at, as texts. */
function counting(): { readonly operations: PreparedOperations; readonly seen: string[] } {
  const seen: string[] = [];
  const operations = new PreparedOperations(
    {
      name: 'counting',
      prepare(operation) {
        seen.push(new TextDecoder().decode(operation));
        return { keys: [], cost: 1_000, execute: () => operation };
      },
    },
    LIMITS,
  );
  return { operations, seen };
}

const requestWith = (...texts: readonly string[]) => ({ operations: texts.map(utf8) });

describe('operations', () => {
  it('are looked at once a request, whoever asks what of them', () => {
    const { operations, seen } = counting();
    const one = requestWith('a', 'b');
    assert.equal(operations.isRequestTooCostly(one), false);
    assert.equal(operations.isBatchTooCostly([{ request: one }]), false);
    assert.equal(operations.costOf(one), 2_000);
    assert.equal(operations.of(one).length, 2);
    assert.deepEqual(seen, ['a', 'b']);
    assert.deepEqual([operations.takeLooks(), operations.takeLooks()], [2, 0]);
  });

  it('are not looked at again when the door has', () => {
    const { operations, seen } = counting();
    const one = requestWith('a');
    operations.remember(
      one,
      one.operations.map((operation) => operations.prepare(operation)),
    );
    assert.equal(operations.costOf(one), 1_000);
    assert.deepEqual(seen, ['a']);
  });

  it('FU-08: are looked at no further than shows that they cost too much', () => {
    const { operations, seen } = counting();
    const many = requestWith(...'abcdefgh');
    assert.equal(operations.isRequestTooCostly(many), true);
    assert.equal(seen.join(''), 'abcde');
    assert.equal(operations.isBatchTooCostly([{ request: requestWith('x') }, { request: many }]), true);
    assert.equal(seen.join(''), 'abcdexabcde');
  });

  it('FU-05: are forgotten when they are executed: bodies that are kept for others hold bytes alone', () => {
    const bench = new ExecutorBench();
    const executed = request(put('a', '1'), put('b', '2'));
    bench.order(bodyOf(1, [executed]));
    bench.loop.run();
    assert.equal(bench.results.length, 1);
    const before = bench.looks;
    bench.operations.of(executed);
    assert.equal(bench.looks - before, 2);
  });
});
