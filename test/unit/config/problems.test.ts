/** Finding the key that was meant. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { computeEditDistance, nearestKey } from '../../../src/config/problems.js';

describe('the nearest known key', () => {
  it('is the one with the fewest edits, whatever the case', () => {
    const known = ['pipeline', 'peers', 'replica', 'requestTimeoutMs'];
    assert.equal(nearestKey('piepline', known), 'pipeline');
    assert.equal(nearestKey('REPLICA', known), 'replica');
    assert.equal(nearestKey('requestTimeout', known), 'requestTimeoutMs');
    assert.equal(nearestKey('completelyElse', known), undefined);
    assert.equal(nearestKey('x', []), undefined);
  });

  it('is found by a distance that is zero for equal words, symmetric, and obeys the triangle', () => {
    assert.equal(computeEditDistance('kitten', 'sitting'), 3);
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, word, (left, right, middle) => {
        const distance = computeEditDistance(left, right);
        assert.equal(distance === 0, left === right);
        assert.equal(distance, computeEditDistance(right, left));
        assert.ok(distance <= computeEditDistance(left, middle) + computeEditDistance(middle, right));
      }),
    );
  });

  it('is looked for in bounded time, however long the key', () => {
    assert.equal(nearestKey('x'.repeat(1_000_000), ['pipeline']), undefined);
  });
});
