/** Which engine is taken, and that a library which aborts takes only its trial down. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseEngine, probeRocksDb, runProbe } from '../../../src/storage/engine-choice.js';
import { TemporaryDirectories } from '../../support/storage.js';

const works = async (): Promise<string | undefined> => undefined;
const aborts = async (): Promise<string | undefined> => 'a trial ended with SIGABRT';

describe('the choice of the engine', () => {
  const directories = new TemporaryDirectories();
  after(() => directories.remove());

  async function libraryOf(source: string): Promise<string> {
    const path = join(await directories.create(), 'library.cjs');
    await writeFile(path, source);
    return path;
  }

  it('takes RocksDB where it works, without a word', async () => {
    const choice = await chooseEngine({ existing: undefined, wanted: undefined }, works);
    assert.ok(choice.ok);
    assert.deepEqual([choice.value.name, choice.value.warning], ['rocksdb', undefined]);
  });

  it('takes LevelDB where RocksDB does not work, and says so in one line with the reason', async () => {
    const choice = await chooseEngine({ existing: undefined, wanted: undefined }, aborts);
    assert.ok(choice.ok);
    assert.equal(choice.value.name, 'leveldb');
    assert.match(
      choice.value.warning ?? '',
      /^using LevelDB: RocksDB can't be used with Node\.js v.*: a trial ended with SIGABRT$/,
    );
  });

  it('keeps the engine of an existing directory: LevelDB also where RocksDB works', async () => {
    const choice = await chooseEngine({ existing: 'leveldb', wanted: undefined }, works);
    assert.ok(choice.ok);
    assert.deepEqual([choice.value.name, choice.value.warning], ['leveldb', undefined]);
  });

  it('refuses where the engine of an existing directory, or the wanted one, does not work', async () => {
    const existing = await chooseEngine({ existing: 'rocksdb', wanted: undefined }, aborts);
    assert.match(
      existing.ok ? '' : existing.error,
      /made with rocksdb, which can't be used .*SIGABRT.*Start the replica with/,
    );
    const wanted = await chooseEngine({ existing: undefined, wanted: 'rocksdb' }, aborts);
    assert.match(wanted.ok ? '' : wanted.error, /the configuration says rocksdb.*Set the engine to leveldb/);
  });

  it('refuses another engine than that of an existing directory, naming both', async () => {
    const choice = await chooseEngine({ existing: 'rocksdb', wanted: 'leveldb' }, works);
    assert.match(choice.ok ? '' : choice.error, /was made with rocksdb and the configuration says leveldb/);
  });

  it('outlives a library that aborts the process', async function () {
    this.timeout(40_000);
    const reason = await runProbe(await libraryOf('process.abort();'));
    assert.match(reason ?? '', /^a trial ended with SIG/);
  });

  it('says why a library fails, loses a write, or is not installed', async function () {
    this.timeout(40_000);
    assert.match(
      (await runProbe(await libraryOf("throw new Error('wrong ABI');"))) ?? '',
      /^a trial failed with exit code 1/,
    );
    const forgetful = `module.exports = () => ({
      open: (options, done) => done(), batch: (operations, options, done) => done(),
      getMany: (keys, done) => done(null, [undefined]), close: (done) => done() });`;
    assert.match((await runProbe(await libraryOf(forgetful))) ?? '', /it read back something else/);
    assert.equal(await runProbe(undefined), 'the package rocksdb is not installed');
  });

  it('tries once a process', () => {
    assert.equal(probeRocksDb(), probeRocksDb());
  });
});
