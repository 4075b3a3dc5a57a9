/** What is set aside for batches is compared with the file system, with figures. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { judgeLogSpace, readDiskSpace } from '../../../src/storage/disk-space.js';

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
