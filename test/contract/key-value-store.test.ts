/** What every KeyValueStore does, whatever its engine. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Completion, KeyValueStore, WriteOperation } from '../../src/ports/key-value-store.js';
import { compareBytes, toHex, utf8 } from '../../src/util/bytes.js';
import { skip } from '../support/skip.js';
import { completed, failedWith, STORE_ADAPTERS, succeeded, TemporaryDirectories } from '../support/storage.js';

const FIRST = Uint8Array.of(0);
const END = Uint8Array.of(255, 255, 255, 255);

function put(key: string, value: string): WriteOperation {
  return { type: 'put', key: utf8(key), value: utf8(value) };
}

function write(store: KeyValueStore, operations: readonly WriteOperation[], sync = false): Promise<void> {
  return succeeded((done) => store.write(operations, { sync }, done));
}

async function get(store: KeyValueStore, ...keys: string[]): Promise<(string | undefined)[]> {
  const values = await succeeded<readonly (Uint8Array | undefined)[]>((done) => store.getMany(keys.map(utf8), done));
  return values.map((value) => (value === undefined ? undefined : Buffer.from(value).toString()));
}

interface Reading {
  readonly first?: Uint8Array;
  readonly end?: Uint8Array;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly bytesMax?: number;
}

async function keysOf(store: KeyValueStore, reading: Reading): Promise<string[]> {
  const range = { first: FIRST, end: END, limit: 10_000, ...reading };
  const entries = await succeeded<readonly { key: Uint8Array }[]>((done) => store.read(range, done));
  return entries.map((entry) => Buffer.from(entry.key).toString());
}

for (const adapter of STORE_ADAPTERS) {
  describe(`KeyValueStore: ${adapter.name}`, () => {
    const directories = new TemporaryDirectories();
    let directory: string;
    let store: KeyValueStore;

    before(async function () {
      this.timeout(40_000);
      const reason = await adapter.unavailable();
      if (reason !== undefined) {
        skip(this, reason);
      }
    });
    beforeEach(async () => {
      directory = await directories.create();
      store = await adapter.open(directory);
    });
    afterEach(async () => {
      await completed((done) => store?.close(done));
      await directories.remove();
    });

    it('says its name', () => {
      assert.equal(store.engine, adapter.name);
    });

    it('gives values in the order of the keys and undefined for absent ones', async () => {
      await write(store, [put('a', '1'), put('b', ''), put('c', '3')]);
      assert.deepEqual(await get(store, 'c', 'x', 'b', 'a', 'a'), ['3', undefined, '', '1', '1']);
      assert.deepEqual(await get(store), []);
    });

    it('applies a write in the order of its operations', async () => {
      await write(store, [put('a', '1'), { type: 'delete', key: utf8('a') }, put('b', '1'), put('b', '2')]);
      assert.deepEqual(await get(store, 'a', 'b'), [undefined, '2']);
    });

    it('applies writes in the order of the calls, without waiting in between', async () => {
      const order: number[] = [];
      const writes: Promise<void>[] = [];
      for (let number = 0; number < 200; number++) {
        const value = number % 3 === 0 ? 'x'.repeat(20_000) + number : `${number}`;
        writes.push(write(store, [put('last', value)], number % 7 === 0).then(() => void order.push(number)));
      }
      await Promise.all(writes);
      assert.deepEqual(await get(store, 'last'), ['199']);
      assert.deepEqual(
        order,
        [...order].sort((left, right) => left - right),
      );
    });

    it('calls no completion before the call returns', async () => {
      const calls: string[] = [];
      const noting =
        <T>(name: string, done: Completion<T>): Completion<T> =>
        (result) => {
          calls.push(name);
          done(result);
        };
      const range = { first: FIRST, end: END, limit: 0 };
      const all: Promise<unknown>[] = [
        succeeded<void>((done) => store.write([put('a', '1')], { sync: true }, noting('write', done))),
        succeeded<unknown>((done) => store.getMany([utf8('a')], noting('get', done))),
        succeeded<unknown>((done) => store.read(range, noting('read', done))),
      ];
      assert.deepEqual(calls, []);
      await Promise.all(all);
      assert.equal(calls.length, 3);
    });

    it('accepts a write of nothing', async () => {
      await write(store, [], true);
      assert.deepEqual(await keysOf(store, {}), []);
    });

    it('reads a range from its first key to before its end', async () => {
      await write(
        store,
        ['a', 'b', 'c', 'd', 'e'].map((key) => put(key, key)),
      );
      assert.deepEqual(await keysOf(store, { first: utf8('b'), end: utf8('d') }), ['b', 'c']);
      assert.deepEqual(await keysOf(store, { first: utf8('bb'), end: utf8('z') }), ['c', 'd', 'e']);
      assert.deepEqual(await keysOf(store, { first: utf8('x'), end: utf8('z') }), []);
      assert.deepEqual(await keysOf(store, { first: utf8('c'), end: utf8('c') }), []);
      assert.deepEqual(await keysOf(store, { first: utf8('d'), end: utf8('b') }), []);
    });

    it('reads as many entries as the limit says, from either end', async () => {
      await write(
        store,
        ['a', 'b', 'c', 'd', 'e'].map((key) => put(key, key)),
      );
      assert.deepEqual(await keysOf(store, { limit: 2 }), ['a', 'b']);
      assert.deepEqual(await keysOf(store, { limit: 2, reverse: true }), ['e', 'd']);
      assert.deepEqual(await keysOf(store, { first: utf8('b'), end: utf8('e'), reverse: true }), ['d', 'c', 'b']);
      assert.deepEqual(await keysOf(store, { limit: 0 }), []);
    });

    it('stops before the bytes exceed their maximum, with one entry at least', async () => {
      await write(
        store,
        ['a', 'b', 'c', 'd'].map((key) => put(key, 'x'.repeat(99))),
      );
      assert.deepEqual(await keysOf(store, { bytesMax: 300 }), ['a', 'b', 'c']);
      assert.deepEqual(await keysOf(store, { bytesMax: 299 }), ['a', 'b']);
      assert.deepEqual(await keysOf(store, { bytesMax: 1 }), ['a']);
      assert.deepEqual(await keysOf(store, { bytesMax: 1, reverse: true }), ['d']);
    });

    it('reads long ranges and large values whole', async () => {
      const operations: WriteOperation[] = [];
      for (let index = 0; index < 3_000; index++) {
        operations.push(put(`k${String(index).padStart(6, '0')}`, `v${index}`));
      }
      const large = new Uint8Array(2 * 1024 * 1024).map((_, index) => index * 31);
      await write(store, [...operations, { type: 'put', key: utf8('large'), value: large }], true);
      const keys = await keysOf(store, { first: utf8('k'), end: utf8('l') });
      assert.equal(keys.length, 3_000);
      assert.equal(keys[2_999], 'k002999');
      const [value] = await succeeded<readonly (Uint8Array | undefined)[]>((done) =>
        store.getMany([utf8('large')], done),
      );
      assert.ok(value !== undefined && compareBytes(value, large) === 0);
    });

    it('orders keys by their bytes', async () => {
      const property = fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 6 }), { selector: toHex, maxLength: 30 }),
        async (keys) => {
          const prefixed = keys.map((key) => Uint8Array.of(7, ...key));
          await write(
            store,
            prefixed.map((key) => ({ type: 'put', key, value: key })),
          );
          const range = { first: Uint8Array.of(7), end: Uint8Array.of(8), limit: 1_000 };
          const entries = await succeeded<readonly { key: Uint8Array; value: Uint8Array }[]>((done) =>
            store.read(range, done),
          );
          assert.deepEqual(
            entries.map((entry) => toHex(entry.key)),
            [...prefixed].sort(compareBytes).map(toHex),
          );
          assert.deepEqual(
            entries.map((entry) => toHex(entry.value)),
            entries.map((entry) => toHex(entry.key)),
          );
          await write(
            store,
            prefixed.map((key) => ({ type: 'delete', key })),
          );
        },
      );
      await fc.assert(property, { numRuns: 20 });
    });

    it('reads a range as of one moment', async () => {
      await write(
        store,
        Array.from({ length: 2_000 }, (_, index) => put(`a${index}`, '1')),
      );
      const reading = succeeded<readonly { value: Uint8Array }[]>((done) =>
        store.read({ first: FIRST, end: END, limit: 10_000 }, done),
      );
      const writing = write(
        store,
        Array.from({ length: 2_000 }, (_, index) => put(`a${index}`, '2')),
      );
      const values = new Set((await reading).map((entry) => Buffer.from(entry.value).toString()));
      await writing;
      assert.equal(values.size, 1);
    });

    it('keeps everything over closing and opening, synced or not', async () => {
      await write(store, [put('a', '1')], true);
      const unsynced = write(store, [put('b', '2')]);
      await succeeded((done) => store.close(done));
      await unsynced;
      store = await adapter.open(directory);
      assert.deepEqual(await get(store, 'a', 'b'), ['1', '2']);
    });

    it('answers `closed` to whatever is asked after closing', async () => {
      const late = succeeded((done) => store.getMany([utf8('a')], done));
      await succeeded((done) => store.close(done));
      await late;
      assert.equal((await failedWith((done) => store.write([put('a', '1')], { sync: true }, done))).code, 'closed');
      assert.equal((await failedWith((done) => store.getMany([utf8('a')], done))).code, 'closed');
      assert.equal((await failedWith((done) => store.read({ first: FIRST, end: END, limit: 1 }, done))).code, 'closed');
      assert.equal((await failedWith((done) => store.close(done))).code, 'closed');
    });
  });
}
