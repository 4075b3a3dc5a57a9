/**
 * FU-01: a replica starts for the first time where `pbft init` marked its data directory as new, and nowhere else: what is
 * empty or missing is lost, and nothing is made in its place.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import type { DirectoryIdentity } from '../../../src/storage/directory-identity.js';
import { utf8 } from '../../../src/util/bytes.js';
import { findIn, IDENTITY, live, tryOpen } from '../../support/data-directory.js';
import { filesOf, makeNewborn, succeeded, TemporaryDirectories } from '../../support/storage.js';
import { lifeUpTo } from '../../support/storage-records.js';

describe('the first start on a data directory', function () {
  this.timeout(20_000);
  const directories = new TemporaryDirectories();
  let parent: string;
  let directory: string;

  beforeEach(async () => {
    parent = await directories.create();
    directory = join(parent, 'data');
  });
  after(() => directories.remove());

  async function assertRefused(code: string, message: RegExp): Promise<void> {
    const before = await filesOf(parent);
    const names = (await readdir(parent, { recursive: true })).sort();
    const opened = await tryOpen({ directory, engine: 'leveldb', identity: IDENTITY });
    assert.ok(!opened.ok, 'it started');
    assert.equal(opened.error.code, code, opened.error.message);
    assert.match(opened.error.message, message);
    assert.deepEqual((await readdir(parent, { recursive: true })).sort(), names);
    assert.deepEqual(await filesOf(parent), before);
  }

  async function assertGoesOn(isNew: boolean): Promise<void> {
    const opened = await tryOpen({ directory, engine: 'leveldb', identity: IDENTITY });
    assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
    assert.equal(opened.value.isNew, isNew);
    await succeeded<void>((done) => opened.value.store.close(done));
    assert.deepEqual((await readdir(directory)).sort(), ['identity.json', 'reached.json', 'store']);
  }

  it('FU-01: is refused where there is no data directory, and makes none', async () => {
    await assertRefused('lost', /data is missing\. Is the volume mounted/);
    assert.deepEqual(await readdir(parent), []);
  });

  for (const [title, names] of [
    ['empty', []],
    ['a new file system', ['lost+found']],
  ] as const) {
    it(`FU-01: is refused where the data directory is ${title}`, async () => {
      await mkdir(directory);
      await Promise.all(names.map((name) => mkdir(join(directory, name))));
      await assertRefused('lost', /data is empty\. Is the volume mounted.*Don't make it anew.*birth\.json/);
    });
  }

  it('is refused where the data directory is a file', async () => {
    await writeFile(directory, '');
    await assertRefused('refused', /data is no folder/);
  });

  it('consumes the mark, and the next start is no first one', async () => {
    await makeNewborn(directory, IDENTITY);
    await assertGoesOn(true);
    await assertGoesOn(false);
  });

  const others: readonly (readonly [string, DirectoryIdentity, RegExp])[] = [
    ['replica', { ...IDENTITY, replica: replicaId(2) }, /its replica is 2 and the configuration's is 1/],
    ['cluster', { ...IDENTITY, clusterId: sha256(utf8('another')) }, /its cluster id is/],
    ['key', { ...IDENTITY, keyFingerprint: sha256(utf8('another')) }, /its signing key fingerprint is/],
  ];
  for (const [what, identity, message] of others) {
    it(`FU-01: is refused with the mark of another ${what}`, async () => {
      await makeNewborn(directory, identity);
      await assertRefused('refused', message);
    });
  }

  it('FU-01: is refused with a mark that is not readable, or that a person wrote', async () => {
    await makeNewborn(directory, IDENTITY);
    for (const text of ['', '{', '{}', 'null']) {
      await writeFile(join(directory, 'birth.json'), text);
      await assertRefused('refused', /birth\.json is not the mark that `pbft init` made/);
    }
  });

  it('FU-01: goes on wherever a first start was cut short', async () => {
    await makeNewborn(directory, IDENTITY);
    const mark = await readFile(join(directory, 'birth.json'));
    await assertGoesOn(true);
    const whole = await directories.copyOf(directory);
    const begun = (await readFile(join(whole, 'identity.json'), 'utf8')).replace('true', 'false');
    const steps: readonly (readonly [files: readonly string[], isComplete: boolean])[] = [
      [[], false],
      [['identity.json'], false],
      [['identity.json', 'store/000001.dbtmp'], false],
      [['identity.json', 'store'], false],
      [['identity.json', 'store', 'reached.json'], false],
      [['identity.json', 'store', 'reached.json'], true],
    ];
    for (const [files, isComplete] of steps) {
      await rm(directory, { recursive: true });
      await mkdir(join(directory, 'store'), { recursive: true });
      await writeFile(join(directory, 'birth.json'), mark);
      for (const file of files) {
        await (file.endsWith('dbtmp')
          ? writeFile(join(directory, file), '')
          : cp(join(whole, file), join(directory, file), { recursive: true }));
      }
      if (!files.includes('store') && !files.includes('store/000001.dbtmp')) {
        await rm(join(directory, 'store'), { recursive: true });
      }
      if (files.length > 0 && !isComplete) {
        await writeFile(join(directory, 'identity.json'), begun);
      }
      await assertGoesOn(!isComplete);
    }
  });

  it('FU-01: is none where the mark is put back beside votes: they stay, or it is refused', async () => {
    await makeNewborn(directory, IDENTITY);
    const newborn = await directories.copyOf(directory);
    await live(directory, 'leveldb', lifeUpTo(3));
    const all = await findIn(await directories.copyOf(directory), 'leveldb');
    const putBack = (): Promise<void> => cp(newborn, directory, { recursive: true });

    await putBack();
    assert.deepEqual(await findIn(directory, 'leveldb'), all);
    await assertGoesOn(false);

    await putBack();
    const path = join(directory, 'identity.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"isComplete": true', '"isComplete": false'));
    const opened = await tryOpen({ directory, identity: IDENTITY });
    assert.ok(!opened.ok);
    assert.match(opened.error.message, /nothing was voted yet, and the store holds votes/);
    await rm(join(directory, 'store', 'CURRENT'));
    await assertRefused('corrupt', /CURRENT is missing/);
    await rm(join(directory, 'reached.json'));
    await assertRefused('corrupt', /CURRENT is missing/);

    await writeFile(path, text);
    await rm(join(directory, 'store'), { recursive: true });
    await assertRefused('corrupt', /reached\.json can't be used/);
  });
});
