/** Data moves to another engine whole or not at all, and never while a replica runs on it. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConversionProgress, convertDirectory } from '../../../src/storage/conversion.js';
import { probeRocksDb } from '../../../src/storage/engine-choice.js';
import type { EngineName } from '../../../src/storage/engine-name.js';
import { findIn, IDENTITY, live, tryOpen } from '../../support/data-directory.js';
import { skip } from '../../support/skip.js';
import { filesOf, makeNewborn, succeeded, TemporaryDirectories } from '../../support/storage.js';
import { lifeUpTo } from '../../support/storage-records.js';

const SCRIPT = fileURLToPath(new URL('../../support/storage-converter.ts', import.meta.url));
const LIFE = lifeUpTo(9, 2_000);

describe('converting a data directory', function () {
  this.timeout(60_000);
  const directories = new TemporaryDirectories();
  let directory: string;

  before(async function () {
    const reason = await probeRocksDb();
    if (reason !== undefined) {
      skip(this, reason);
    }
  });
  beforeEach(async () => {
    directory = join(await directories.create(), 'data');
    await makeNewborn(directory, IDENTITY);
  });
  after(() => directories.remove());

  const convert = (engine: EngineName, keepsOld = false, onProgress?: (progress: ConversionProgress) => void) =>
    convertDirectory({ directory, identity: IDENTITY, engine, keepsOld, ...(onProgress ? { onProgress } : {}) });

  async function converted(engine: EngineName, keepsOld = false) {
    const result = await convert(engine, keepsOld);
    assert.ok(result.ok, result.ok ? '' : result.error.message);
    return result.value;
  }

  async function refusal(engine: EngineName): Promise<string> {
    const result = await convert(engine);
    assert.ok(!result.ok, 'it converted');
    return result.error.message;
  }

  const names = async (): Promise<readonly string[]> => (await readdir(directory)).sort();

  const pairs: readonly (readonly [EngineName, EngineName])[] = [
    ['rocksdb', 'leveldb'],
    ['leveldb', 'rocksdb'],
  ];
  for (const [from, to] of pairs) {
    it(`finds with ${to} everything that was there with ${from}, and goes on; and back again`, async () => {
      await live(directory, from, LIFE.slice(0, 20));
      const before = await findIn(directory, from);
      assert.ok(before.ok);
      const steps: ConversionProgress['step'][] = [];
      const result = await convert(to, false, ({ step }) => steps.push(step));
      assert.ok(result.ok, result.ok ? '' : result.error.message);
      assert.equal(result.value.from, from);
      assert.ok(result.value.entries > 20 && result.value.bytes > 10_000);
      assert.deepEqual([...new Set(steps)], ['copying', 'checking']);
      assert.deepEqual(await names(), ['identity.json', 'reached.json', `store-${to}`]);
      assert.deepEqual(await findIn(directory, to), before);
      await live(directory, to, LIFE.slice(20));
      const later = await findIn(directory, to);
      assert.ok(later.ok);
      assert.notDeepEqual(later, before);
      await converted(from);
      assert.deepEqual(await findIn(directory, from), later);
      await converted(to);
      assert.deepEqual(await findIn(directory, to), later);
    });
  }

  it('keeps the old store where asked to, says so at a start, and clears it away later', async () => {
    await live(directory, 'rocksdb', LIFE);
    assert.deepEqual((await converted('leveldb', true)).kept, [join(directory, 'store')]);
    const opened = await tryOpen({ directory, identity: IDENTITY });
    assert.ok(opened.ok);
    assert.match(opened.value.warnings.join(), /data\/store is left of a conversion and not used/);
    await succeeded<void>((done) => opened.value.store.close(done));
    assert.deepEqual(await converted('leveldb'), { from: 'leveldb', entries: 0, bytes: 0, kept: [] });
    assert.deepEqual(await names(), ['identity.json', 'reached.json', 'store-leveldb']);
  });

  it('begins again where an earlier conversion was cut short, and a start takes no notice of that one', async () => {
    await live(directory, 'rocksdb', LIFE);
    const before = await findIn(directory, 'rocksdb');
    await mkdir(join(directory, 'store-leveldb'));
    await writeFile(join(directory, 'store-leveldb', '000003.log'), 'half');
    assert.deepEqual(await findIn(directory, 'rocksdb'), before);
    await converted('leveldb');
    assert.deepEqual(await findIn(directory, 'leveldb'), before);
  });

  it('leaves everything in the old store or in the new one where it is killed, and then goes on', async () => {
    await live(directory, 'rocksdb', lifeUpTo(20, 100_000));
    let [from, to]: [EngineName, EngineName] = ['rocksdb', 'leveldb'];
    const before = await findIn(directory, from);
    assert.ok(before.ok);
    for (let round = 0; round < 3; round++) {
      const child = fork(SCRIPT, [directory, to], { execArgv: ['--import', 'tsx'] });
      await once(child, 'message');
      setTimeout(() => child.kill('SIGKILL'), round * 80);
      await once(child, 'exit');
      // The engine that the record names: whatever it is, everything is there.
      const opened = await tryOpen({ directory, identity: IDENTITY });
      assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
      await succeeded<void>((done) => opened.value.store.close(done));
      assert.deepEqual(await findIn(directory, opened.value.record.engine), before);
      await converted(to);
      assert.deepEqual(await findIn(directory, to), before);
      assert.deepEqual(await names(), ['identity.json', 'reached.json', `store-${to}`]);
      [from, to] = [to, from];
    }
  });

  it('clears away the old store where the one before was cut short after the change', async () => {
    await live(directory, 'leveldb', LIFE);
    await converted('rocksdb', true);
    await rm(join(directory, 'store', 'CURRENT'));
    const before = await findIn(directory, 'rocksdb');
    assert.ok(before.ok);
    await converted('rocksdb');
    assert.deepEqual(await names(), ['identity.json', 'reached.json', 'store-rocksdb']);
    assert.deepEqual(await findIn(directory, 'rocksdb'), before);
  });

  it('is refused while the directory is in use', async () => {
    const opened = await tryOpen({ directory, engine: 'leveldb', identity: IDENTITY });
    assert.ok(opened.ok);
    assert.match(await refusal('rocksdb'), /in use by process \d+; stop it first/);
    await succeeded<void>((done) => opened.value.store.close(done));
  });

  it('is refused before a first start, and changes nothing', async () => {
    const before = await filesOf(directory);
    assert.match(await refusal('leveldb'), /has no data yet: set storage\.engine to leveldb/);
    assert.deepEqual(await filesOf(directory), before);
  });

  it("FU-01: is refused for a lost directory and for another replica's", async () => {
    await rm(join(directory, 'birth.json'));
    assert.match(await refusal('leveldb'), /is empty\. Is the volume mounted/);
  });

  it('is refused for damaged data, which stays as it was', async () => {
    await live(directory, 'leveldb', LIFE);
    await live(directory, 'leveldb', []);
    const table = (await readdir(join(directory, 'store'))).find((name) => name.endsWith('.ldb')) ?? 'none';
    const bytes = await readFile(join(directory, 'store', table));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(join(directory, 'store', table), bytes);
    const before = await filesOf(directory);
    assert.match(await refusal('rocksdb'), /damaged/);
    assert.deepEqual(await filesOf(directory), before);
  });

  it('is refused where the new engine can not be used, and changes nothing', async () => {
    await live(directory, 'leveldb', LIFE);
    const before = await filesOf(directory);
    const probe = async (): Promise<string> => 'a trial ended with SIGABRT';
    const result = await convertDirectory({ directory, identity: IDENTITY, engine: 'rocksdb', keepsOld: false, probe });
    assert.match(result.ok ? '' : result.error.message, /rocksdb, which can't be used with Node\.js .*SIGABRT/);
    assert.deepEqual(await filesOf(directory), before);
  });
});
