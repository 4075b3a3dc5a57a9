import assert from 'node:assert/strict';
import { RENDERING_AGE_MAX_MS, SharedRendering } from '../../../src/observability/shared-rendering.js';
import type { Result } from '../../../src/util/result.js';

describe('the shared rendering', () => {
  let nowMs = 0;
  let renderings = 0;
  let fail = false;
  let shared: SharedRendering;
  beforeEach(() => {
    nowMs = 0;
    renderings = 0;
    fail = false;
    shared = new SharedRendering({
      nowMs: () => nowMs,
      render: async () => {
        renderings += 1;
        if (fail) {
          throw new Error('no');
        }
        return `rendering ${renderings}`;
      },
    });
  });

  const get = () => new Promise<Result<string, unknown>>((resolve) => shared.get(resolve));

  it('gives all who ask at the same time one rendering (OP-08)', async () => {
    const results = await Promise.all(Array.from({ length: 100 }, get));
    assert.equal(renderings, 1);
    assert.deepEqual(new Set(results.map((result) => result.ok && result.value)), new Set(['rendering 1']));
  });

  it('renders again once the last one is 250 ms old, not before', async () => {
    await get();
    nowMs = RENDERING_AGE_MAX_MS - 1;
    assert.deepEqual(await get(), { ok: true, value: 'rendering 1' });
    nowMs = RENDERING_AGE_MAX_MS;
    assert.deepEqual(await get(), { ok: true, value: 'rendering 2' });
  });

  it('tells all of a failure and tries again for the next', async () => {
    fail = true;
    assert.deepEqual(
      (await Promise.all([get(), get()])).map((result) => result.ok),
      [false, false],
    );
    fail = false;
    assert.equal((await get()).ok, true);
    assert.equal(renderings, 2);
  });
});
