/**
 * A data directory's disk: what the directory takes, what is left, and whether that is the room that is set aside on it.
 * The measuring asks one file after another, so that it holds one thread of the pool at the most and never delays a vote's
 * write by more than one such question.
 */
import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { failed, ok, type Result } from '../util/result.js';

/** The unit of a file's `blocks`, whatever the file system's own blocks are. */
const STAT_BLOCK_BYTES = 512;

/** A file system as an operator sees it. */
export interface DiskSpace {
  readonly sizeBytes: number;
  /** What this process's user may still use. */
  readonly freeBytes: number;
}

/** The file system that a folder is on. */
export async function readDiskSpace(folder: string): Promise<DiskSpace> {
  const { bsize, blocks, bavail } = await statfs(folder);
  return { sizeBytes: bsize * blocks, freeBytes: bsize * bavail };
}

/**
 * Compares the room for batches (`storage.logBytesMax`) with the file system: what is larger than all of it can never
 * fit, what is larger than its free space is worth a warning. A size of 0 is that of a file system which doesn't tell.
 */
export function judgeLogSpace(
  logBytesMax: number,
  { folder, sizeBytes, freeBytes }: DiskSpace & { readonly folder: string },
): Result<string | undefined, string> {
  if (sizeBytes === 0) {
    return ok(undefined);
  }
  if (logBytesMax > sizeBytes) {
    return failed(
      `storage.logBytesMax is ${logBytesMax} bytes and the file system of ${folder} has ${sizeBytes} in all: give this ` +
        'replica a larger disk, or set less aside, at least window × batch limit of the genesis',
    );
  }
  return ok(
    logBytesMax > freeBytes
      ? `storage.logBytesMax sets ${logBytesMax} bytes aside and the file system of ${folder} has ${freeBytes} left of ` +
          `${sizeBytes}: this replica stops when it is full; free space or give it a larger disk`
      : undefined,
  );
}

/** A data directory and its file system, in bytes. */
export interface DiskUse extends DiskSpace {
  /** What the directory's files take. */
  readonly storeBytes: number;
}

/** Measures. Rejects where the directory or its file system can't be read. */
export async function measureDiskUse(directory: string): Promise<DiskUse> {
  const space = await readDiskSpace(directory);
  return { ...space, storeBytes: await sizeOf(directory) };
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
