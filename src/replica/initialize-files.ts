/**
 * Writing a new cluster's folder, and replacing a file of one.
 *
 * 1. Nothing that exists is overwritten: the folder must be missing or empty.
 * 2. A marker stands in it while it is incomplete, so that a folder whose making was cut short is told from a cluster.
 *    `genesis.json` comes last: where it is, everything is.
 * 3. A file appears whole and synced, or not at all. Private ones are never readable by others, not for a moment.
 * 4. After an error, what was made is removed again.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigurationError } from '../util/configuration-error.js';
import { shellCommand } from '../util/shell.js';
import { describeFileFault } from '../util/system-error.js';
import { GENESIS_FILE } from './initialize-check.js';

/** Stands in the folder while it is being made. */
const MARKER_FILE = '.initializing';
/** What a file system may put into an empty folder by itself. */
const IGNORED: ReadonlySet<string> = new Set(['lost+found']);

const DIRECTORY_MODE = 0o700;
/** For files that are not secret. */
export const PUBLIC_MODE = 0o644;
/** For private keys. */
export const PRIVATE_MODE = 0o600;

function refuse(file: string, message: string, remedy: string): never {
  throw new ConfigurationError({ file, path: '', message, remedy });
}

/** What errors mean where a folder is made, and nowhere else. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['EEXIST', 'something else has this name'],
  ['ENOENT', 'no folder can be made there'],
]);

/** Says what to do about an error of the file system. */
function wrapError(file: string, error: unknown): unknown {
  if (error instanceof ConfigurationError || !(error instanceof Error) || !('code' in error)) {
    return error;
  }
  const code = String(error.code);
  const reason = REASONS.get(code);
  const remedy = 'Choose a folder on a disk with space where this user may write, then repeat';
  const fault =
    reason === undefined
      ? describeFileFault(error, 'written', remedy)
      : { message: `it can not be written: ${reason} (${code})`, remedy };
  return new ConfigurationError({ file, path: '', ...fault });
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeWhole(file: string, bytes: Uint8Array, mode: number): void {
  const descriptor = openSync(file, 'wx', mode);
  try {
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Replaces a file: whole and synced or not at all, with the mode and owner that it had. Where the name is a link, the
 * file that it points to. Throws a ConfigurationError.
 */
export function replaceFile(name: string, content: string): void {
  try {
    const file = realpathSync(name);
    const { mode, uid, gid } = statSync(file);
    const partial = `${file}.partial`;
    rmSync(partial, { force: true });
    try {
      writeWhole(partial, new TextEncoder().encode(content), mode & 0o777);
      // The process's umask may have taken something away.
      chmodSync(partial, mode & 0o777);
      const made = statSync(partial);
      if (made.uid !== uid || made.gid !== gid) {
        chownSync(partial, uid, gid);
      }
      renameSync(partial, file);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    syncDirectory(dirname(file));
  } catch (error) {
    throw wrapError(name, error);
  }
}

function judgeFolder(directory: string, names: readonly string[]): void {
  if (names.includes(GENESIS_FILE)) {
    const remedy = 'Start it, or name another folder for a new one';
    refuse(join(directory, GENESIS_FILE), 'there is a cluster in this folder already', remedy);
  }
  if (names.includes(MARKER_FILE)) {
    const remedy = `If no other \`pbft init\` runs, remove it with \`${shellCommand('rm', '-r', '--', directory)}\` and repeat`;
    refuse(join(directory, MARKER_FILE), 'an earlier `pbft init` in this folder did not finish', remedy);
  }
  const [first] = names.filter((name) => !IGNORED.has(name));
  if (first !== undefined) {
    refuse(join(directory, first), 'the folder for a new cluster is not empty', 'Name an empty or a new folder');
  }
}

/** The folder and those above it that are missing, the uppermost first. */
function missingFolders(directory: string): readonly string[] {
  const missing: string[] = [];
  for (let path = directory; !isThere(path); path = dirname(path)) {
    missing.unshift(path);
  }
  return missing;
}

/** A link that leads nowhere is there, too: nothing can be made in its place. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined || dirname(path) === path;
}

/** A folder that is being filled. */
export class NewFolder {
  private readonly directory: string;
  /** What was made, in order. */
  private readonly made: string[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes or takes the empty folder and marks it. Throws a ConfigurationError where it is not free. */
  static open(directory: string): NewFolder {
    const folder = new NewFolder(directory);
    try {
      // One by one: where a file system makes no folders, such as /proc, making all at once never ends.
      for (const path of missingFolders(directory)) {
        folder.make(path, () => mkdirSync(path, { mode: DIRECTORY_MODE }));
      }
      judgeFolder(directory, readdirSync(directory));
      folder.make(join(directory, MARKER_FILE), (file) => writeWhole(file, new Uint8Array(), PUBLIC_MODE));
      return folder;
    } catch (error) {
      folder.undo();
      throw wrapError(directory, error);
    }
  }

  private make(path: string, make: (path: string) => void): void {
    try {
      make(path);
      this.made.push(path);
    } catch (error) {
      throw wrapError(path, error);
    }
  }

  /** Makes a folder in it that only this user enters. */
  makeDirectory(name: string): void {
    this.make(join(this.directory, name), (path) => mkdirSync(path, { mode: DIRECTORY_MODE }));
  }

  /** Writes a file that must not exist, whole and synced. */
  write(name: string, content: string | Uint8Array, mode: number): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.make(join(this.directory, name), (file) => {
      const partial = `${file}.partial`;
      try {
        writeWhole(partial, bytes, mode);
        renameSync(partial, file);
      } catch (error) {
        rmSync(partial, { force: true });
        throw error;
      }
      syncDirectory(dirname(file));
    });
  }

  /** Removes the marker: the folder is complete. */
  complete(): void {
    rmSync(join(this.directory, MARKER_FILE));
    syncDirectory(this.directory);
  }

  /** Removes what was made. What can't be removed stays with the marker, which says so. */
  undo(): void {
    for (const path of this.made.toReversed()) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}
