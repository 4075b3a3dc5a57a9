/** No value is handed out but the one that was written under its key. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { KeyValueStore } from '../../../src/ports/key-value-store.js';
import { createChecksummedStore } from '../../../src/storage/checksummed-store.js';
import { utf8 } from '../../../src/util/bytes.js';
import { createMemoryDisk, createMemoryStore, type MemoryDisk } from '../../support/memory-store.js';
import { completed, failedWith, succeeded } from '../../support/storage.js';

const ALL = { first: Uint8Array.of(0), end: Uint8Array.of(255, 255), limit: 10 };

describe('the checksummed store', () => {
  let disk: MemoryDisk;
  let store: KeyValueStore;

  beforeEach(() => {
    disk = createMemoryDisk();
    const memory = createMemoryStore({ disk, defer: setImmediate });
    store = createChecksummedStore(memory, (key) => `the part ${key[0]}`);
  });

  function put(key: string, value: Uint8Array): Promise<void> {
    return succeeded<void>((done) => store.write([{ type: 'put', key: utf8(key), value }], { sync: true }, done));
  }

  it('gives back what was written, byte for byte, as plain bytes', async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (value) => {
      await put('key', value);
      const [found] = await succeeded<readonly (Uint8Array | undefined)[]>((done) =>
        store.getMany([utf8('key')], done),
      );
      assert.deepEqual(found, value);
      assert.ok(!Buffer.isBuffer(found));
      assert.deepEqual(await succeeded<unknown>((done) => store.read(ALL, done)), [{ key: utf8('key'), value }]);
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('ST-03: says `corrupt` with the part and the key for any flipped bit and any cut', async () => {
    await put('key', utf8('value'));
    const sealed = disk.values.get('key') ?? new Uint8Array(0);
    const damaged: Uint8Array[] = [];
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      damaged.push(sealed.map((byte, place) => (place === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)));
    }
    for (let length = 0; length < sealed.length; length++) {
      damaged.push(sealed.slice(0, length));
    }
    for (const bytes of damaged) {
      disk.values.set('key', bytes);
      for (const error of [
        await failedWith<unknown>((done) => store.getMany([utf8('key')], done)),
        await failedWith<unknown>((done) => store.read(ALL, done)),
      ]) {
        assert.equal(error.code, 'corrupt');
        assert.match(error.message, /a wrong checksum in the part 107, key 6b6579/);
      }
    }
  });

  it("ST-03: refuses another key's value", async () => {
    await put('one', utf8('value'));
    await put('two', utf8('other'));
    disk.values.set('one', disk.values.get('two') ?? new Uint8Array(0));
    assert.equal((await failedWith<unknown>((done) => store.getMany([utf8('one')], done))).code, 'corrupt');
    const other = await completed<unknown>((done) => store.getMany([utf8('two'), utf8('three')], done));
    assert.deepEqual(other, { ok: true, value: [utf8('other'), undefined] });
  });
});
