/** FU-07: a process that runs out of file descriptors has no failed disk, and an engine leaves nothing out for it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { probeRocksDb } from '../../../src/storage/engine-choice.js';
import { ENGINE_NAMES } from '../../../src/storage/engine-name.js';
import { findIn, IDENTITY, live } from '../../support/data-directory.js';
import { skip } from '../../support/skip.js';
import { makeNewborn, TemporaryDirectories } from '../../support/storage.js';
import { lifeUpTo } from '../../support/storage-records.js';

const SCRIPT = fileURLToPath(new URL('../../support/storage-starved.ts', import.meta.url));

describe('a process without file descriptors', function () {
  this.timeout(120_000);
  const directories = new TemporaryDirectories();
  after(() => directories.remove());

  for (const engine of ENGINE_NAMES) {
    it(`FU-07: is told so where it opens ${engine}, never of a disk or of damage, and loses nothing`, async function () {
      const reason = engine === 'rocksdb' ? await probeRocksDb() : undefined;
      if (reason !== undefined) {
        skip(this, reason);
      }
      const directory = join(await directories.create(), 'data');
      await makeNewborn(directory, IDENTITY);
      await live(directory, engine, lifeUpTo(6));
      const before = await findIn(directory, engine);
      assert.ok(before.ok);
      const line = [process.execPath, '--import', 'tsx', SCRIPT, directory, engine];
      const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -n 300; exec "$@"', 'sh', ...line], {
        encoding: 'utf8',
      });
      assert.notEqual(stdout, '', stderr);
      const { results, last }: { results: readonly string[]; last: string } = JSON.parse(stdout);
      const refusals = results.filter((result) => result !== 'opened');
      assert.ok(refusals.length > 3, 'it had enough');
      for (const message of refusals) {
        assert.match(message, /no file descriptors left \(EMFILE\); the disk is not at fault: raise the limit/);
        assert.doesNotMatch(message, /damaged|the disk failed|can't be used with Node/);
      }
      assert.equal(last, 'opened');
      assert.ok(isDeepStrictEqual(await findIn(directory, engine), before), 'something is lost');
    });
  }
});
