/** Batches executed together come out as each by itself. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bodyOf, requestOf, script } from '../fakes.js';
import { ExecutorBench, get, put, request } from './executor-bench.js';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const bounds = fc.record(
  { first: key, end: key, limit: fc.integer({ min: 1, max: 4 }), bytesMax: fc.integer({ min: 1, max: 12 }) },
  { requiredKeys: ['first', 'limit'] },
);
const operation = fc.oneof(
  fc.tuple(key, fc.constantFrom('', '1', 'long value')).map(([name, value]) => put(name, value)),
  key.map((name) => script({ delete: name })),
  key.map(get),
  fc.tuple(key, fc.constantFrom('x', 'y')).map(([name, value]) => script({ append: [name, value] })),
  fc.array(bounds, { minLength: 1, maxLength: 2 }).map((ranges) => script({ ranges })),
);
const requests = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });

describe('grouping', () => {
  it('executes what gathers meanwhile as one group, with one read and one write', () => {
    const bench = new ExecutorBench();
    bench.order(bodyOf(1, [request(put('x', '0'))]));
    for (const value of ['1', '2', '3']) {
      bench.order(bodyOf(1, [request(script({ append: ['x', value] }), get('y'), get('x'))]));
    }
    bench.loop.run();
    assert.deepEqual(
      bench.store.commits.map((group) => group.length),
      [1, 3],
    );
    assert.deepEqual(bench.store.reads, [['x', 'y']]);
    assert.deepEqual(bench.texts.at(-1), [['0123 @4.0.1', '- @4.1.1', '0123 @4.2.1']]);
  });

  it('makes no difference to results, headers and writes', () => {
    fc.assert(
      fc.property(fc.array(requests, { minLength: 1, maxLength: 6 }), fc.array(fc.boolean()), (batches, pauses) => {
        const bodies = batches.map((lists, index) =>
          bodyOf(
            index,
            lists.map((operations, at) => requestOf({ client: at + 1, number: index + 1, operations })),
          ),
        );
        const [alone, grouped] = [new ExecutorBench(), new ExecutorBench()];
        for (const [index, body] of bodies.entries()) {
          alone.order(body);
          alone.loop.run();
          grouped.order(body);
          if (pauses[index] === true) {
            grouped.loop.step();
          }
        }
        grouped.loop.run();
        assert.deepEqual(grouped.texts, alone.texts);
        assert.deepEqual(grouped.writes, alone.writes);
        assert.deepEqual(grouped.events, alone.events);
        assert.deepEqual(grouped.store.state, alone.store.state);
      }),
      { numRuns: 300 },
    );
  });
});
