/** Table files are verified byte by byte: no flipped bit is opened. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { WriteOperation } from '../../../src/ports/key-value-store.js';
import { computeCrc32c } from '../../../src/storage/crc32c.js';
import { openLevelDb } from '../../../src/storage/leveldb-engine.js';
import { findDamagedTable, findTableDamage, readLiveTables } from '../../../src/storage/leveldb-tables.js';
import { storeErrorOf } from '../../../src/storage/store-error.js';
import { utf8 } from '../../../src/util/bytes.js';
import { openEngine, succeeded, TemporaryDirectories } from '../../support/storage.js';

/** Bit by bit, as the definition says. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

describe('CRC-32C', () => {
  it('has the published check value', () => {
    const bytes = utf8('123456789');
    assert.equal(computeCrc32c(bytes, 0, bytes.length), 0xe3069283);
  });

  it('equals the definition for any bytes and any part of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(60), (bytes, one, other) => {
        const first = Math.min(one, other, bytes.length);
        const end = Math.min(Math.max(one, other), bytes.length);
        assert.equal(computeCrc32c(bytes, first, end), slowCrc32c(bytes.subarray(first, end)));
      }),
    );
  });
});

describe("LevelDB's table files", () => {
  const directories = new TemporaryDirectories();
  let directory: string;
  let path: string;
  let table: Buffer;

  before(async () => {
    directory = await directories.create();
    const store = await openEngine(openLevelDb, directory);
    const operations: WriteOperation[] = Array.from({ length: 300 }, (_, index) => ({
      type: 'put',
      key: utf8(`key ${index % 290}`),
      value: utf8(`value ${index}`.repeat(5)),
    }));
    await succeeded<void>((done) => store.write(operations, { sync: true }, done));
    await succeeded<void>((done) => store.close(done));
    // The next opening puts the log into a table.
    const again = await openEngine(openLevelDb, directory);
    await succeeded<void>((done) => again.close(done));
    const name = (await readdir(directory)).find((file) => file.endsWith('.ldb'));
    path = join(directory, name ?? 'none');
    table = await readFile(path);
  });
  after(() => directories.remove());

  it('are whole as the engine writes them', async () => {
    assert.equal(findTableDamage(table), undefined);
    assert.equal(await findDamagedTable(directory), undefined);
    assert.equal(await findDamagedTable(join(directory, 'missing')), undefined);
  });

  it('are those that the manifest names: what a crash left unfinished is not judged', async () => {
    const unfinished = join(directory, '999999.ldb');
    await writeFile(unfinished, table.subarray(0, 1_000));
    assert.equal(await findDamagedTable(directory), undefined);
    const again = await openEngine(openLevelDb, directory);
    await succeeded<void>((done) => again.close(done));
    await assert.rejects(readFile(unfinished), /ENOENT/);
  });

  it('are known through many changes of them', async function () {
    this.timeout(30_000);
    const own = await directories.create();
    for (let round = 0; round < 6; round++) {
      const store = await openEngine(openLevelDb, own);
      const operations: WriteOperation[] = Array.from({ length: 40 }, (_, index) => ({
        type: 'put',
        key: utf8(`key ${(index * 7 + round) % 50}`),
        value: new Uint8Array(100_000).fill(round),
      }));
      for (let turn = 0; turn < 10; turn++) {
        await succeeded<void>((done) => store.write(operations, { sync: false }, done));
      }
      await succeeded<void>((done) => store.close(done));
      const there = (await readdir(own))
        .filter((file) => file.endsWith('.ldb'))
        .map((file) => Number.parseInt(file, 10));
      const live = await readLiveTables(own);
      assert.ok(live.length > 0 && live.every((number) => there.includes(number)), `${live} of ${there}`);
      assert.equal(await findDamagedTable(own), undefined);
    }
  });

  it('are all known: each opening after a write adds one', async () => {
    const own = await directories.create();
    for (let round = 0; round < 4; round++) {
      const store = await openEngine(openLevelDb, own);
      await succeeded<void>((done) =>
        store.write([{ type: 'put', key: utf8('key'), value: utf8(`${round}`) }], { sync: true }, done),
      );
      await succeeded<void>((done) => store.close(done));
      const there = (await readdir(own))
        .filter((file) => file.endsWith('.ldb'))
        .map((file) => Number.parseInt(file, 10));
      assert.deepEqual(
        await readLiveTables(own),
        there.sort((left, right) => left - right),
      );
      assert.equal(there.length, round);
    }
  });

  it('ST-03: show every flipped bit but in the unused bytes of the footer', () => {
    const unused: number[] = [];
    for (let place = 0; place < table.length; place++) {
      const damaged = Buffer.from(table);
      damaged[place] = (damaged[place] ?? 0) ^ (1 << (place % 8));
      if (findTableDamage(damaged) === undefined) {
        unused.push(place);
      }
    }
    const firstUnused = table.length - 48;
    assert.ok(
      unused.every((place) => place > firstUnused && table[place] === 0),
      `${unused}`,
    );
  });

  it('ST-03: show any cut, and no bytes make their reading throw', () => {
    for (let length = 0; length < table.length; length += 7) {
      assert.notEqual(findTableDamage(table.subarray(0, length)), undefined);
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 200 }), (bytes) => {
        const withFooter = Uint8Array.from([...bytes, ...table.subarray(-8)]);
        assert.notEqual(findTableDamage(withFooter), undefined);
      }),
    );
  });

  it('ST-03: make the engine refuse to open, naming the file', async () => {
    const damaged = Buffer.from(table);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    await writeFile(path, damaged);
    await assert.rejects(openEngine(openLevelDb, directory), (error: unknown) => {
      const { code, message } = storeErrorOf(error, 'opening');
      assert.equal(code, 'corrupt');
      assert.ok(message.includes(path), message);
      return true;
    });
    await writeFile(path, table);
  });
});
