/** What a data directory takes on its disk; what is set aside for batches is compared with the file system, with figures. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgeLogSpace, measureDiskUse, readDiskSpace } from '../../../src/storage/disk-space.js';

const MIB = 1024 * 1024;
const disk = (sizeMib: number, freeMib: number) => ({
  folder: '/data',
  sizeBytes: sizeMib * MIB,
  freeBytes: freeMib * MIB,
});

describe('the room that is set aside on a disk', () => {
  it('fits where that much is free', () => {
    assert.deepEqual(judgeLogSpace(1024 * MIB, disk(2048, 1024)), { ok: true, value: undefined });
  });

  it('is refused where it is more than the whole file system, with both figures', () => {
    const judged = judgeLogSpace(1024 * MIB, disk(24, 20));
    assert.match(judged.ok ? '' : judged.error, /logBytesMax is 1073741824 bytes .* of \/data has 25165824 in all/);
  });

  it('is warned of where less than that is free, with the figures', () => {
    const judged = judgeLogSpace(1024 * MIB, disk(2048, 512));
    assert.match(
      (judged.ok ? judged.value : '') ?? '',
      /sets 1073741824 bytes aside .* has 536870912 left of 2147483648/,
    );
  });

  it('is not judged where a file system does not tell its size', () => {
    assert.deepEqual(judgeLogSpace(1024 * MIB, disk(0, 0)), { ok: true, value: undefined });
  });

  it('is read from the file system', async () => {
    const { sizeBytes, freeBytes } = await readDiskSpace(tmpdir());
    assert.ok(sizeBytes > 0 && freeBytes > 0 && freeBytes <= sizeBytes);
  });
});

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
    const { freeBytes, sizeBytes } = await measureDiskUse(directory);
    const { blocks, bsize } = statfsSync(directory);
    assert.equal(sizeBytes, blocks * bsize);
    assert.ok(freeBytes > 0 && freeBytes < sizeBytes);
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
