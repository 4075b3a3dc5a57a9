import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { NoneAnswered, type StaggerOptions, stagger } from '../../../src/client/stagger.js';

const LONG_MS = 5_000;
const SLICE_MS = 20;

/** Attempts that end as told, each after its time; notes which were begun and which were given up. */
function attempts(...ends: readonly { readonly afterMs: number; readonly end: string | Error }[]) {
  const begun: number[] = [];
  const givenUp: number[] = [];
  const run = (options: Partial<StaggerOptions> = {}) =>
    stagger(
      { count: ends.length, sliceMs: () => SLICE_MS, mayMoveOn: () => true, ...options },
      async (index, signal) => {
        begun.push(index);
        signal.addEventListener('abort', () => givenUp.push(index));
        const { afterMs, end } = ends[index] ?? { afterMs: 0, end: new Error('never asked for') };
        await delay(afterMs, undefined, { ref: false });
        if (end instanceof Error) {
          throw end;
        }
        return end;
      },
    );
  return { run, begun, givenUp };
}

describe('attempts one after another', () => {
  it('begin one only where it answers within its slice', async () => {
    const { run, begun } = attempts({ afterMs: 0, end: 'a' }, { afterMs: 0, end: 'b' });
    assert.equal(await run(), 'a');
    assert.deepEqual(begun, [0]);
  });

  it('FU-10: begin the next after the slice of one that says nothing, and give that one up at the answer', async () => {
    const { run, begun, givenUp } = attempts({ afterMs: LONG_MS, end: 'a' }, { afterMs: 0, end: 'b' });
    assert.equal(await run(), 'b');
    assert.deepEqual(begun, [0, 1]);
    assert.deepEqual(givenUp, [0, 1]);
  });

  it('take the answer of a slow one that comes before those begun later', async () => {
    const { run } = attempts({ afterMs: 4 * SLICE_MS, end: 'slow' }, { afterMs: LONG_MS, end: 'later' });
    assert.equal(await run(), 'slow');
  });

  it('begin the next at once where one fails, and none where its failure is final', async () => {
    const failure = new Error('no');
    const moving = attempts({ afterMs: 0, end: failure }, { afterMs: 0, end: 'b' });
    assert.equal(await moving.run({ sliceMs: () => LONG_MS }), 'b');
    const final = attempts({ afterMs: 0, end: failure }, { afterMs: 0, end: 'b' });
    await assert.rejects(final.run({ mayMoveOn: () => false }), failure);
    assert.deepEqual(final.begun, [0]);
  });

  it('wait for the end of each where the slice is infinite', async () => {
    const { run, begun } = attempts({ afterMs: 3 * SLICE_MS, end: 'a' }, { afterMs: 0, end: 'b' });
    assert.equal(await run({ sliceMs: () => Number.POSITIVE_INFINITY }), 'a');
    assert.deepEqual(begun, [0]);
  });

  it('report every failure where none is answered, also of those that end in one moment', async () => {
    const failures = ['a', 'b', 'c'].map((text) => new Error(text));
    const { run } = attempts(...failures.map((end, index) => ({ afterMs: 3 * SLICE_MS - index * SLICE_MS, end })));
    await assert.rejects(run(), (error) => {
      assert.ok(error instanceof NoneAnswered);
      assert.deepEqual(new Set(error.failures), new Set(failures));
      return true;
    });
  });
});
