/**
 * What a data directory takes on its disk, and how much that disk has left. Asked one file after another, so that it
 * holds one thread of the pool at the most and never delays a vote's write by more than one such question.
 */
import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** The unit of a file's `blocks`, whatever the file system's own blocks are. */
const STAT_BLOCK_BYTES = 512;

/** A data directory and its file system, in bytes. */
export interface DiskUse {
  /** What the directory's files take. */
  readonly storeBytes: number;
  /** What a process without privileges may still write. */
  readonly availableBytes: number;
  readonly sizeBytes: number;
}

/** Measures. Rejects where the directory or its file system can't be read. */
export async function measureDiskUse(directory: string): Promise<DiskUse> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { storeBytes: await sizeOf(directory), availableBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    bytes += entry.isDirectory() ? await unlessGone(sizeOf(path)) : await unlessGone(takenBy(path));
  }
  return bytes;
}

async function takenBy(path: string): Promise<number> {
  const { blocks, size } = await lstat(path);
  // Where the system doesn't count blocks there are none.
  return blocks > 0 ? blocks * STAT_BLOCK_BYTES : size;
}

/** The engine removes files while they are counted. */
async function unlessGone(bytes: Promise<number>): Promise<number> {
  try {
    return await bytes;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return 0;
    }
    throw error;
  }
}
