import assert from 'node:assert/strict';
import { RateLimit } from '../../../src/util/rate-limit.js';

describe('a rate limit', () => {
  it('lets a burst through, then so many a second, and saves no more than a burst', () => {
    let nowMs = 0;
    const limit = new RateLimit({ burst: 3, perSecond: 2, elapsedMs: () => nowMs });
    const takeAll = (): number => {
      let count = 0;
      while (limit.take()) {
        count += 1;
      }
      return count;
    };
    assert.equal(takeAll(), 3);
    nowMs += 499;
    assert.equal(takeAll(), 0);
    nowMs += 1;
    assert.equal(takeAll(), 1);
    nowMs += 60_000;
    assert.equal(takeAll(), 3);
  });
});
