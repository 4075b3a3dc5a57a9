/** The operator's choice of an engine, and the engines that there are. */
import assert from 'node:assert/strict';
import { SETTING_GROUPS } from '../../../src/config/settings.js';
import { ENGINE_NAMES } from '../../../src/storage/engine-name.js';

describe('the setting of the storage engine', () => {
  it('names every engine that there is, and auto', () => {
    const { engine } = SETTING_GROUPS.storage.schema.shape;
    for (const name of ['auto', ...ENGINE_NAMES]) {
      assert.equal(engine.safeParse(name).success, true, name);
    }
    assert.equal(engine.safeParse('another').success, false);
  });
});
