import assert from 'node:assert/strict';
import { computeCallBudgetMs } from '../../../src/api/call-limits.js';

const TIMES = { defaultMs: 10_000, maxMs: 60_000 };
const NOW_MS = 1_700_000_000_000;

describe('the time that a call may take', () => {
  const cases: readonly (readonly [string, number | Date, number])[] = [
    ['is the default without a deadline', Number.POSITIVE_INFINITY, 10_000],
    ['is a tenth less than a short deadline', NOW_MS + 1_000, 900],
    ['is 250 ms less than a long deadline', NOW_MS + 20_000, 19_750],
    ['is the same for a deadline given as a date', new Date(NOW_MS + 20_000), 19_750],
    ['is capped', NOW_MS + 3_600_000, 60_000],
    ['is nothing at the deadline', NOW_MS, 0],
    ['is the default where the deadline is not a time', Number.NaN, 10_000],
  ];
  for (const [sentence, deadline, expectedMs] of cases) {
    it(sentence, () => assert.equal(computeCallBudgetMs(deadline, NOW_MS, TIMES), expectedMs));
  }

  it('is not positive after the deadline', () => {
    assert.ok(computeCallBudgetMs(NOW_MS - 5_000, NOW_MS, TIMES) <= 0);
  });
});
