/**
 * Looks at an engine's files before the engine does. What is missing or may not be read, an engine may take for empty, or
 * leave out without a word (RocksDB's binding ignores a write-ahead log that it can't read), and what it clears away
 * afterwards is gone: so everything that makes a store is looked for here first, and nothing is changed.
 *
 * 1. Whatever the operating system refuses is thrown as it is.
 * 2. The manifest names the tables with their sizes, and the first write-ahead log that still counts: an open store always
 *    has one from there on.
 */
import { access, constants, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFolder, readIfThere, sizeOf } from './directory-files.js';
import type { EngineName } from './engine-name.js';
import { findDamagedTable } from './leveldb-tables.js';
import { readManifest, readManifestName } from './manifest.js';
import { findOlderFile, listLogs, type StoreFiles } from './reached.js';

/** As many as an engine opens at once. */
const DESCRIPTORS = 16;

/** Throws what keeps this process from reading and writing a folder and the files in it. */
export async function checkAccess(folder: string): Promise<void> {
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile()) {
      await access(join(folder, entry.name), constants.R_OK | constants.W_OK);
    }
  }
}

/** Throws where this process can't open a few files more. */
export async function checkDescriptors(file: string): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: DESCRIPTORS }, () => open(file, 'r')));
  await Promise.all(opened.map(async (one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
  const refused = opened.find((one) => one.status === 'rejected');
  if (refused !== undefined) {
    throw refused.reason;
  }
}

/** A store that was complete once. */
export interface JudgedStore {
  /** The engine's folder. */
  readonly folder: string;
  readonly engine: EngineName;
  /** What is known of its files; undefined where nothing is. */
  readonly reached: StoreFiles | undefined;
  /** The last opening was cut short: it may have ended between two logs. */
  readonly isHalfOpened: boolean;
}

/** Says what is missing, damaged or older than it was; undefined for nothing. Throws what the operating system refuses. */
export async function findStoreDamage({
  folder,
  engine,
  reached,
  isHalfOpened,
}: JudgedStore): Promise<string | undefined> {
  const name = await isFolder(folder).then((is) => (is ? readManifestName(folder) : undefined));
  if (name === undefined || name === '') {
    const current = join(folder, 'CURRENT');
    return name === undefined ? `${current} is missing` : `${current} does not name a manifest`;
  }
  const manifest = await readManifest(folder);
  if (manifest === undefined) {
    return `${join(folder, name)} is missing`;
  }
  const logs = await listLogs(folder);
  const older =
    reached === undefined
      ? undefined
      : findOlderFile(reached, { manifest: name, sizeBytes: manifest.sizeBytes, newestLog: logs.at(-1) ?? 0 });
  if (older !== undefined) {
    return `${folder} is not as it was: ${older}; files were taken away, or put back from an older copy`;
  }
  const live = logs.filter((number) => number >= manifest.logNumber);
  if (live.length === 0 && !isHalfOpened) {
    return `the write-ahead log ${manifest.logNumber} of ${folder}, or a later one, is missing`;
  }
  for (const number of live) {
    // To its end, as the engine will: what the disk refuses here would be left out there.
    await readIfThere(join(folder, `${String(number).padStart(6, '0')}.log`));
  }
  return (
    (await findMissingTable(folder, manifest.tables)) ?? (engine === 'leveldb' ? findDamagedTable(folder) : undefined)
  );
}

/** Says what shows that a store whose making wasn't finished had been in use; undefined for nothing. */
export async function findEarlierLife(folder: string): Promise<string | undefined> {
  if (!(await isFolder(folder)) || (await readManifestName(folder)) !== undefined) {
    return undefined;
  }
  for (const name of await readdir(folder)) {
    const isLog = name.endsWith('.log') && (await stat(join(folder, name))).size > 0;
    if (isLog || /\.(?:ldb|sst)$/.test(name)) {
      return `${join(folder, name)} is there and ${join(folder, 'CURRENT')} is missing`;
    }
  }
  return undefined;
}

async function findMissingTable(folder: string, tables: ReadonlyMap<number, number>): Promise<string | undefined> {
  for (const [number, expectedBytes] of tables) {
    const path = join(folder, String(number).padStart(6, '0'));
    const sizeBytes = (await sizeOf(`${path}.sst`)) ?? (await sizeOf(`${path}.ldb`));
    if (sizeBytes === undefined) {
      return `the table ${path} is missing`;
    }
    if (sizeBytes !== expectedBytes) {
      return `the table ${path} has ${sizeBytes} bytes and had ${expectedBytes}`;
    }
  }
  return undefined;
}
