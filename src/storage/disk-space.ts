/** Whether a file system has the room that is set aside on it. */
import { statfs } from 'node:fs/promises';
import { failed, ok, type Result } from '../util/result.js';

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
