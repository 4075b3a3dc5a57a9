/** What stands in a data directory, and how its small files are read and written: whole and durable, or not at all. */
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCodeOf } from '../util/system-error.js';

/** The files and folders of a data directory, by what they are. */
export const DIRECTORY_FILES = {
  /** Made by `pbft init`, consumed by the first start (birth-mark.ts). */
  birthMark: 'birth.json',
  /** Whose data it is, and which engine keeps it (directory-identity.ts). */
  identity: 'identity.json',
  /** How far the store had come (reached.ts). */
  reached: 'reached.json',
  /** The engine's folder, unless the identity record names another. */
  store: 'store',
  /** The process that has it open; only to be named. */
  processId: 'process-id',
  /** There while the engine opens the store; left behind where that ended the process. */
  opening: 'opening',
} as const;

/** What a file system puts into an empty folder by itself. */
export const IGNORED_FILES: ReadonlySet<string> = new Set(['lost+found']);

const PRIVATE_FILE = 0o600;

/** A file's text, undefined where it is missing. Anything else throws. */
export async function readText(path: string): Promise<string | undefined> {
  return whereMissing(() => readFile(path, 'utf8'));
}

/** The bytes of a file, undefined where it is missing. Anything else throws. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return whereMissing(() => readFile(path));
}

/** Whether something has this path. */
export async function isThere(path: string): Promise<boolean> {
  return (await whereMissing(() => stat(path))) !== undefined;
}

/** Whether a folder has this path. */
export async function isFolder(path: string): Promise<boolean> {
  return (await whereMissing(() => stat(path)))?.isDirectory() ?? false;
}

/** The size of a file, undefined where it is missing. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await whereMissing(() => stat(path)))?.size;
}

/** Writes a file and syncs it. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', PRIVATE_FILE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts a file in place of what was there: after a crash it is the old one or the new one. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  await writeDurably(`${path}.new`, text);
  await rename(`${path}.new`, path);
  await syncPath(dirname(path));
}

/** Makes durable what was written to a file, or which files a folder has. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The path of a data directory's own file. */
export function pathIn(directory: string, file: keyof typeof DIRECTORY_FILES): string {
  return join(directory, DIRECTORY_FILES[file]);
}

/** What a call gives, undefined where the file is missing. */
async function whereMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
