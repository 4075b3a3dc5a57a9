/** What a client port remembers of long values (FU-05). */
import assert from 'node:assert/strict';
import { LongValues } from '../../../src/api/long-values.js';

describe('the long values that are remembered', () => {
  it('FU-05: tells how long a value was a moment ago, and of no short one', () => {
    const values = new LongValues();
    assert.equal(values.sizeOf('k', 0), 0);
    values.note('k', 100_000, 1_000);
    values.note('short', 16_384, 1_000);
    assert.deepEqual(
      [values.sizeOf('k', 10_999), values.sizeOf('k', 11_000), values.sizeOf('short', 1_000)],
      [100_000, 0, 0],
    );
    values.note('k', 200_000, 11_000);
    assert.equal(values.sizeOf('k', 12_000), 200_000);
    values.note('k', 10, 12_000);
    assert.deepEqual([values.sizeOf('k', 12_000), values.size], [0, 0]);
  });

  it('FU-05: forgets what may not be asked for', () => {
    const values = new LongValues();
    values.note('k', 100_000, 0);
    values.forget('k');
    assert.equal(values.sizeOf('k', 0), 0);
  });

  it('FU-05: is bounded, and forgets first what was noted longest ago', () => {
    const values = new LongValues();
    for (let index = 0; index < 4_096; index++) {
      values.note(`${index}`, 100_000, 0);
    }
    values.note('0', 100_000, 0);
    values.note('new', 100_000, 0);
    assert.equal(values.size, 4_096);
    assert.deepEqual([values.sizeOf('0', 0), values.sizeOf('1', 0), values.sizeOf('2', 0)], [100_000, 0, 100_000]);
  });
});
