/**
 * A process that is killed at any moment, also while its engine goes from one log to the next: its data directory opens
 * again, with every group that was durable. What guards against lost files never refuses what a crash leaves.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { probeRocksDb } from '../../../src/storage/engine-choice.js';
import { ENGINE_NAMES } from '../../../src/storage/engine-name.js';
import { readNewestGroup } from '../../../src/storage/store-binding.js';
import { IDENTITY, tryOpen } from '../../support/data-directory.js';
import { skip } from '../../support/skip.js';
import { makeNewborn, succeeded, TemporaryDirectories } from '../../support/storage.js';

const SCRIPT = fileURLToPath(new URL('../../support/storage-writer.ts', import.meta.url));
const ROUNDS = Number(process.env['PBFT_TEST_ROUNDS'] ?? '2');
/** With 16 MiB of buffer, a new log and table every few writes. */
const ENTRY_BYTES = 4 * 1024 * 1024;

describe('a data directory whose writer is killed', function () {
  this.timeout(60_000 + ROUNDS * 20_000);
  const directories = new TemporaryDirectories();
  after(() => directories.remove());

  /** Lets it write for a while and kills it; gives the last group that was durable. */
  async function writeUntilKilled(child: ChildProcess, count: number): Promise<number> {
    let last = 0;
    let seen = 0;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the writer ended by itself')));
      child.on('message', (group) => {
        last = Number(group);
        seen++;
        if (seen === count) {
          setTimeout(resolve, Math.random() * 40);
        }
      });
    });
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    await once(child, 'exit');
    return last;
  }

  for (const engine of ENGINE_NAMES) {
    it(`CR-01: opens again with ${engine}, and has what was durable`, async function () {
      const reason = engine === 'rocksdb' ? await probeRocksDb() : undefined;
      if (reason !== undefined) {
        skip(this, reason);
      }
      const directory = join(await directories.create(), 'data');
      await makeNewborn(directory, IDENTITY);
      for (let round = 0; round < ROUNDS; round++) {
        const line = [directory, engine, String(ENTRY_BYTES)];
        const child = fork(SCRIPT, line, { execArgv: ['--import', 'tsx'] });
        const last = await writeUntilKilled(child, 1 + Math.floor(Math.random() * 25));
        const opened = await tryOpen({ directory, identity: IDENTITY });
        assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
        const newest = await readNewestGroup(opened.value.store);
        assert.ok(newest.ok && newest.value >= last, `group ${last} is lost`);
        await succeeded<void>((done) => opened.value.store.close(done));
      }
    });
  }
});
