/** A data directory opens for its own replica only, for one process at a time, and never anew. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import {
  type DataDirectory,
  type DataDirectoryOptions,
  openDataDirectory,
} from '../../../src/storage/data-directory.js';
import type { DataDirectoryError } from '../../../src/storage/directory-inspection.js';
import { probeRocksDb } from '../../../src/storage/engine-choice.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { Result } from '../../../src/util/result.js';
import { skip } from '../../support/skip.js';
import { filesOf, makeNewborn, succeeded, TemporaryDirectories } from '../../support/storage.js';

const IDENTITY = {
  clusterId: sha256(utf8('a cluster')),
  replica: replicaId(1),
  keyFingerprint: sha256(utf8('a key')),
};

function tryOpen(options: DataDirectoryOptions): Promise<Result<DataDirectory, DataDirectoryError>> {
  return new Promise((resolve) => openDataDirectory(options, resolve));
}

describe('the data directory', () => {
  const directories = new TemporaryDirectories();
  let directory: string;

  beforeEach(async () => {
    directory = join(await directories.create(), 'data');
    await makeNewborn(directory, IDENTITY);
  });
  after(() => directories.remove());

  async function openIt(options: Partial<DataDirectoryOptions> = {}): Promise<DataDirectory> {
    const opened = await tryOpen({ directory, engine: 'leveldb', identity: IDENTITY, ...options });
    assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
    return opened.value;
  }

  async function refusalOf(options: Partial<DataDirectoryOptions> = {}): Promise<DataDirectoryError> {
    const opened = await tryOpen({ directory, identity: IDENTITY, ...options });
    assert.ok(!opened.ok, 'it opened');
    return opened.error;
  }

  async function makeOne(): Promise<void> {
    const { store } = await openIt();
    await succeeded<void>((done) => store.close(done));
  }

  it('says once that it is new, and keeps its files private', async () => {
    const first = await openIt();
    assert.equal(first.isNew, true);
    assert.equal((await stat(join(directory, 'identity.json'))).mode & 0o777, 0o600);
    await succeeded<void>((done) => first.store.close(done));
    const second = await openIt();
    assert.equal(second.isNew, false);
    await succeeded<void>((done) => second.store.close(done));
  });

  it('is made private again where someone opened it up', async () => {
    await makeOne();
    await chmod(directory, 0o755);
    await makeOne();
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
  });

  const others = [
    ['OP-02: replica', { replica: replicaId(2) }, /its replica is 1 and the configuration's is 2/],
    [
      'ST-10: cluster',
      { clusterId: sha256(utf8('another')) },
      /its cluster id is [0-9a-f]{64} and the configuration's is [0-9a-f]{64}/,
    ],
    [
      'OP-02: signing key',
      { keyFingerprint: sha256(utf8('another key')) },
      /its signing key fingerprint is [0-9a-f]{64} and/,
    ],
  ] as const;
  for (const [title, difference, message] of others) {
    it(`${title}: is refused where it is of another, with both values and what to do, and stays as it is`, async () => {
      await makeOne();
      const before = await filesOf(directory);
      const error = await refusalOf({ identity: { ...IDENTITY, ...difference } });
      assert.equal(error.code, 'refused');
      assert.match(error.message, message);
      assert.match(error.message, /Give this replica its own data directory/);
      assert.deepEqual(await filesOf(directory), before);
    });
  }

  it('ST-10: is refused with another format version, naming both', async () => {
    await makeOne();
    const path = join(directory, 'identity.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"formatVersion": 2', '"formatVersion": 3'));
    const error = await refusalOf();
    assert.equal(error.code, 'refused');
    assert.match(error.message, /format version 3 and this program reads version 2/);
  });

  it('ST-10: keeps its engine, and is refused where that engine does not load', async () => {
    await makeOne();
    const path = join(directory, 'identity.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"leveldb"', '"rocksdb"'));
    const before = await filesOf(directory);
    const error = await refusalOf({ probe: async () => 'a trial ended with SIGABRT' });
    assert.match(error.message, /made with rocksdb, which can't be used with Node\.js/);
    assert.match(
      (await refusalOf({ engine: 'leveldb' })).message,
      /made with rocksdb and the configuration says leveldb/,
    );
    assert.deepEqual(await filesOf(directory), before);
  });

  it("OP-02: is refused where another replica's store was put into it", async () => {
    await makeOne();
    const other = join(await directories.create(), 'data');
    const identity = { ...IDENTITY, replica: replicaId(3) };
    await makeNewborn(other, identity);
    const opened = await tryOpen({ directory: other, engine: 'leveldb', identity });
    assert.ok(opened.ok);
    await succeeded<void>((done) => opened.value.store.close(done));
    await rm(join(directory, 'store'), { recursive: true });
    await cp(join(other, 'store'), join(directory, 'store'), { recursive: true });
    const error = await refusalOf();
    assert.equal(error.code, 'refused');
    assert.match(error.message, /another replica's/);
  });

  it('is refused while this process has it open, naming the process, and opens afterwards', async () => {
    const { store } = await openIt();
    const error = await refusalOf();
    assert.equal(error.code, 'inUse');
    assert.match(error.message, new RegExp(`in use by process ${process.pid}; stop it first`));
    await succeeded<void>((done) => store.close(done));
    await makeOne();
  });

  it('is refused while another process has it open, and opens when that process was killed', async function () {
    this.timeout(30_000);
    const script = fileURLToPath(new URL('../../support/storage-holder.ts', import.meta.url));
    const child = fork(script, [directory, JSON.stringify(IDENTITY)], { execArgv: ['--import', 'tsx'] });
    try {
      await once(child, 'message');
      const error = await refusalOf();
      assert.equal(error.code, 'inUse');
      assert.match(error.message, new RegExp(`in use by process ${child.pid}; stop it first`));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const { store, isNew } = await openIt();
    assert.equal(isNew, false);
    assert.equal(await readFile(join(directory, 'process-id'), 'utf8'), `${process.pid}\n`);
    await succeeded<void>((done) => store.close(done));
  });

  it('goes on where making it was cut off', async () => {
    await makeOne();
    const path = join(directory, 'identity.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"isComplete": true', '"isComplete": false'));
    await makeNewborn(directory, IDENTITY);
    for (const name of await readdir(join(directory, 'store'))) {
      // What a store has before its first write.
      if (!name.startsWith('MANIFEST')) {
        await rm(join(directory, 'store', name));
      }
    }
    await rm(join(directory, 'reached.json'));
    const { store, isNew } = await openIt();
    assert.equal(isNew, true);
    await succeeded<void>((done) => store.close(done));
  });

  const damages = [
    ['identity.json', 'lost', /partly missing: \S+identity\.json is missing and reached\.json is there/],
    ['reached.json', 'corrupt', /reached\.json can't be used: it is missing/],
    ['store/CURRENT', 'corrupt', /CURRENT is missing/],
    ['store', 'corrupt', /CURRENT is missing/],
  ] as const;
  for (const [path, code, message] of damages) {
    it(`ST-03: is not made anew where ${path} was deleted`, async () => {
      await makeOne();
      await rm(join(directory, path), { recursive: true });
      const before = await filesOf(directory);
      const error = await refusalOf();
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.deepEqual(await filesOf(directory), before);
    });
  }

  it('ST-03: is refused with the reason where opening it ended the process before', async function () {
    this.timeout(60_000);
    const reason = await probeRocksDb();
    if (reason !== undefined) {
      skip(this, reason);
    }
    const { store } = await openIt({ engine: 'rocksdb' });
    const value = new Uint8Array(100_000);
    await succeeded<void>((done) => store.write([{ type: 'put', key: utf8('key'), value }], { sync: true }, done));
    await succeeded<void>((done) => store.close(done));
    // The second opening puts the log into a table.
    await succeeded<void>((done) => openIt({ engine: 'rocksdb' }).then((opened) => opened.store.close(done)));
    for (const [name, bytes] of await filesOf(directory)) {
      // A table's properties: the library asserts that they make sense, and has no other way to say so.
      const place = bytes.indexOf('raw.key.size');
      if (name.endsWith('.sst') && place >= 0) {
        bytes[place] = 'v'.charCodeAt(0);
        await writeFile(join(directory, name), bytes);
      }
    }
    await writeFile(join(directory, 'opening'), '');
    const error = await refusalOf();
    assert.equal(error.code, 'corrupt');
    assert.match(error.message, /store can't be opened: a trial ended with SIGABRT \(.*Assertion/);
  });

  it('says where the process that had a damaged directory open last still runs', async () => {
    await makeOne();
    await rm(join(directory, 'store', 'CURRENT'));
    await writeFile(join(directory, 'process-id'), `${process.ppid}\n`);
    assert.match((await refusalOf()).message, new RegExp(`Process ${process.ppid} had it open last and runs`));
    await writeFile(join(directory, 'process-id'), '0\n');
    assert.doesNotMatch((await refusalOf()).message, /had it open last/);
  });

  it('opens after an opening that was killed', async function () {
    this.timeout(60_000);
    await makeOne();
    await writeFile(join(directory, 'opening'), '');
    await makeOne();
    await assert.rejects(stat(join(directory, 'opening')), /ENOENT/);
  });

  it('ST-03: is refused with an identity record that is not readable', async () => {
    await makeOne();
    await writeFile(join(directory, 'identity.json'), '{"formatVersion": 2,');
    assert.match((await refusalOf()).message, /identity\.json can't be used: it is not JSON/);
  });
});
