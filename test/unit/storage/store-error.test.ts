/** What the engines' errors mean: what the operating system refused comes before damage, whatever wraps it. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLockedError, storeErrorOf } from '../../../src/storage/store-error.js';
import { IDENTITY, tryOpen } from '../../support/data-directory.js';
import { makeNewborn, TemporaryDirectories } from '../../support/storage.js';

/** What the engines report on Linux, with what an operator must read. */
const REPORTED: readonly (readonly [text: string, code: string, ...says: RegExp[]])[] = [
  ['IO error: /d/store/MANIFEST-000002: Permission denied', 'io', /\/d\/store\/MANIFEST-000002: .*EACCES/, /user \d+/],
  ['IO error: While opening a file: /d/store/CURRENT: Operation not permitted', 'io', /CURRENT: .*EPERM/, /chown/],
  ['IO error: While lock file: /d/store/LOCK: Permission denied', 'io', /LOCK: .*EACCES/],
  ['IO error: While lock file: /d/store/LOCK: Read-only file system', 'io', /EROFS/, /mount it for writing/],
  ['IO error: /d/store/000005.ldb: Too many open files', 'io', /EMFILE/, /the disk is not at fault/, /ulimit -n/],
  ['IO error: /d/store/000005.sst: Too many open files in system', 'io', /ENFILE/, /the disk is not at fault/],
  ['IO error: While appending to file: /d/store/000004.log: No space left on device', 'full', /disk is full/],
  ['IO error: /d/store/000004.log: Disk quota exceeded', 'full', /EDQUOT/, /quota/],
  ['IO error: /d/store/000004.log: File too large', 'full', /EFBIG/, /ulimit -f/],
  ['IO error: /d/store/000004.log: Input/output error', 'io', /the disk failed \(EIO\)/],
  ['IO error: /d/store: Not a directory', 'io', /ENOTDIR/],
  ['IO error: /d/store: Too many levels of symbolic links', 'io', /ELOOP/],
  ['IO error: While lock file: /d/store/LOCK: No locks available', 'io', /ENOLCK/, /local disk/],
  ['IO error: While mmap: /d/store/000004.sst: Cannot allocate memory', 'io', /ENOMEM/, /the disk is not at fault/],
];

describe('what the errors of engines mean', () => {
  const directories = new TemporaryDirectories();
  after(() => directories.remove());

  for (const [text, code, ...says] of REPORTED) {
    it(`FU-01, FU-07: names the operating system's reason in "${text}", and no damage`, () => {
      const causes = [new Error(text), new Error('Database failed to open', { cause: new Error(text) })];
      for (const cause of causes) {
        const error = storeErrorOf(cause, 'opening');
        assert.equal(error.code, code);
        for (const words of says) {
          assert.match(error.message, words);
        }
        assert.doesNotMatch(error.message, /damaged|restore|from its peers/);
        assert.equal(isLockedError(cause), false);
      }
    });
  }

  it("names Node.js's own errors by code and path", () => {
    const error = Object.assign(new Error("EACCES: permission denied, open '/d/identity.json'"), {
      code: 'EACCES',
      path: '/d/identity.json',
    });
    assert.match(
      storeErrorOf(error, 'opening').message,
      /^\/d\/identity\.json: this process may not use it \(EACCES\)/,
    );
  });

  it('ST-03: calls damage what the engine calls so, and what is missing', () => {
    for (const text of [
      'Corruption: checksum mismatch',
      'Corruption: CURRENT file does not end with newline',
      'IO error: /d/store/000005.sst: No such file or directory',
      'Corruption: 1 missing files; e.g.: /d/store/000005.ldb',
    ]) {
      const { code, message } = storeErrorOf(new Error(text), 'opening');
      assert.equal(code, 'corrupt', text);
      assert.match(message, /Don't make it anew.*can't rebuild a replica from its peers/);
    }
  });

  it('tells a store that another process has open', () => {
    for (const text of [
      'IO error: lock /d/store/LOCK: Resource temporarily unavailable',
      'IO error: While lock file: /d/store/LOCK: Resource temporarily unavailable',
      'IO error: lock /d/store/LOCK: already held by process',
      'IO error: lock hold by current process, acquire time 1 acquiring thread 2: /d/store/LOCK: No locks available',
    ]) {
      assert.equal(isLockedError(new Error(text)), true, text);
    }
  });

  it('FU-01: a path through a file, or links in a circle, is no damage', async () => {
    const folder = await directories.create();
    await writeFile(join(folder, 'file'), '');
    await symlink('loop', join(folder, 'loop'));
    await mkdir(join(folder, 'data'));
    for (const [path, words] of [
      ['file/data', /ENOTDIR/],
      ['loop/data', /ELOOP/],
    ] as const) {
      const opened = await tryOpen({ directory: join(folder, path), identity: IDENTITY });
      assert.ok(!opened.ok);
      assert.match(opened.error.message, words);
      assert.doesNotMatch(opened.error.message, /damaged/);
    }
  });

  it('refuses to set more aside than the file system has, and warns where it has not so much left', async () => {
    const directory = join(await directories.create(), 'data');
    await makeNewborn(directory, IDENTITY);
    const opened = await tryOpen({
      directory,
      engine: 'leveldb',
      identity: IDENTITY,
      logBytesMax: 1_152_921_504_606_847_000,
    });
    assert.ok(!opened.ok);
    assert.equal(opened.error.code, 'refused');
    assert.match(opened.error.message, /storage\.logBytesMax is 1152921504606847000 bytes .* has \d+ in all/);
  });
});
