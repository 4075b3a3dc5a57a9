import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureDiskUse } from '../../../src/storage/disk-use.js';

describe('what a data directory takes on its disk', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-disk-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is what its files take, in all folders, and not what links point to', async () => {
    const before = await measureDiskUse(directory);
    mkdirSync(join(directory, 'store'));
    writeFileSync(join(directory, 'store', '000001.sst'), new Uint8Array(1_000_000).fill(7));
    writeFileSync(join(directory, 'identity.json'), 'x'.repeat(100_000));
    symlinkSync('/usr', join(directory, 'elsewhere'));
    const { storeBytes } = await measureDiskUse(directory);
    const grownBytes = storeBytes - before.storeBytes;
    assert.ok(grownBytes >= 1_100_000 && grownBytes < 1_200_000, `${grownBytes}`);
  });

  it('tells the size and the free space of its file system', async () => {
    const { availableBytes, sizeBytes } = await measureDiskUse(directory);
    const { blocks, bsize } = statfsSync(directory);
    assert.equal(sizeBytes, blocks * bsize);
    assert.ok(availableBytes > 0 && availableBytes < sizeBytes);
  });

  it('counts on where the engine removes a file meanwhile, and fails where the directory is gone', async () => {
    for (let index = 0; index < 200; index++) {
      writeFileSync(join(directory, `${index}`), 'x');
    }
    const measuring = measureDiskUse(directory);
    for (let index = 0; index < 200; index += 2) {
      rmSync(join(directory, `${index}`));
    }
    assert.ok((await measuring).storeBytes > 0);
    await assert.rejects(measureDiskUse(join(directory, 'missing')), /ENOENT/);
  });
});
