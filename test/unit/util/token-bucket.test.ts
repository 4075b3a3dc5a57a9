import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TokenBucket } from '../../../src/util/token-bucket.js';

describe('a token bucket', () => {
  it('gives what was saved up, then so much a second, and saves no more than its bound', () => {
    let nowMs = 0;
    const bucket = new TokenBucket({ max: 3, perSecond: 2 }, nowMs);
    const takeAll = (): number => {
      let count = 0;
      while (bucket.take(nowMs)) {
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

  it('gives nothing more before a debt is paid, and says how long that takes', () => {
    const bucket = new TokenBucket({ max: 100, perSecond: 10 }, 0);
    bucket.charge(150);
    assert.equal(bucket.isEmpty, true);
    assert.equal(bucket.waitMs, 5_001);
    bucket.fill(4_999);
    assert.equal(bucket.isEmpty, true);
    bucket.fill(5_001);
    assert.deepEqual([bucket.isEmpty, bucket.waitMs], [false, 0]);
  });

  it('has something left after the time that it names, whatever was taken', () => {
    fc.assert(
      fc.property(
        fc.record({ max: fc.integer({ min: 1, max: 1e6 }), perSecond: fc.integer({ min: 1, max: 1e7 }) }),
        fc.integer({ min: 0, max: 1e9 }),
        (limits, cost) => {
          const bucket = new TokenBucket(limits, 0);
          bucket.charge(cost);
          const { waitMs } = bucket;
          bucket.fill(waitMs);
          assert.equal(bucket.isEmpty, false);
        },
      ),
    );
  });

  it('begins with the first look at the time where none is given', () => {
    const bucket = new TokenBucket({ max: 1, perSecond: 1 });
    bucket.charge(1);
    bucket.fill(1e9);
    assert.equal(bucket.isEmpty, true);
  });
});
