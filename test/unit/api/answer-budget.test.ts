/** The memory for answers under way (FU-03). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AnswerBudget } from '../../../src/api/answer-budget.js';

const MIB = 1_048_576;

describe('the budget of answers', () => {
  it('FU-03: has room for so many bytes in all, trimmed to what an answer has, until it is written out', () => {
    const budget = new AnswerBudget(8 * MIB);
    const calls = Array.from({ length: 10 }, (_, index) => budget.open(`peer ${index}`));
    assert.deepEqual(
      calls.map((call) => call.hold(MIB)),
      [true, true, true, true, true, true, true, false, false, false],
    );
    calls[0]?.trim(1_000);
    assert.equal(calls[8]?.hold(MIB), false);
    calls[1]?.release();
    assert.equal(calls[8]?.hold(MIB), true);
    calls[1]?.release();
    assert.equal(budget.heldBytes, 6 * MIB + 1_000);
  });

  it('FU-03: gives one connection a quarter, and leaves a part to short answers', () => {
    const budget = new AnswerBudget(8 * MIB);
    const greedy = budget.open('a');
    assert.deepEqual([greedy.hold(MIB), greedy.hold(MIB), greedy.hold(1)], [true, true, false]);
    for (const peer of ['b', 'c', 'd', 'e', 'f']) {
      assert.equal(budget.open(peer).hold(MIB), true);
    }
    assert.equal(budget.open('g').hold(MIB), false);
    assert.equal(budget.open('g').hold(16_384), true);
  });

  it('FU-03: lets an answer of any length pass that has the budget to itself', () => {
    const budget = new AnswerBudget(1_000);
    const call = budget.open('a');
    assert.equal(call.hold(5_000), true);
    assert.equal(budget.open('b').hold(2_000), false);
    call.release();
    assert.equal(budget.open('b').hold(2_000), true);
  });

  it('FU-03: comes back to nothing when all calls are over, whatever they held', () => {
    const step = fc.record({
      call: fc.nat({ max: 5 }),
      what: fc.constantFrom('hold' as const, 'trim' as const, 'release' as const),
      sizeBytes: fc.integer({ min: 0, max: 4_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const budget = new AnswerBudget(10_000);
        const calls = Array.from({ length: 6 }, (_, index) => budget.open(`peer ${index % 3}`));
        for (const { call, what, sizeBytes } of steps) {
          const one = calls[call];
          if (what === 'release') {
            one?.release();
          } else {
            one?.[what](sizeBytes);
          }
          assert.ok(budget.heldBytes >= 0 && budget.heldBytes <= 10_000);
        }
        for (const call of calls) {
          call.release();
        }
        assert.deepEqual([budget.heldBytes, budget.connections], [0, 0]);
      }),
    );
  });
});
