/**
 * Moves a data directory's store to another engine, while no replica runs on it: for data of an engine that another
 * Node.js can't load.
 *
 * 1. Every entry is copied, with its checksum checked, into a new folder beside the old one. The new store is then opened
 *    again and read to its end: as many entries, with the same digest over all keys and values.
 * 2. One atomic step changes over: the identity record names the new engine and its folder. Before it the old store
 *    counts, after it the new one; a crash leaves either, and the next conversion clears away what is left.
 * 3. The old store is removed when the new one has opened as a replica opens it; never before.
 */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyValueStore, StoreEntry, StoreError } from '../ports/key-value-store.js';
import { failed, ok, type Result } from '../util/result.js';
import { createChecksummedStore } from './checksummed-store.js';
import { type DataDirectory, type DataDirectoryOptions, openDataDirectory } from './data-directory.js';
import { pathIn, replaceDurably, sizeOf, syncPath } from './directory-files.js';
import { convertedFolder, encodeIdentity, type IdentityRecord } from './directory-identity.js';
import { type DataDirectoryError, findOtherStores, readRecord } from './directory-inspection.js';
import { readDiskSpace } from './disk-space.js';
import { chooseEngine, type EngineChoice } from './engine-choice.js';
import type { EngineName } from './engine-name.js';
import { keyAfter, nameOfKeySpace } from './key-space.js';
import { storeErrorOf } from './store-error.js';

/** What is to be done. */
export interface ConversionOptions extends Pick<DataDirectoryOptions, 'directory' | 'identity' | 'probe'> {
  readonly engine: EngineName;
  /** The old store stays beside the new one. It must never be put back once a replica ran on the new one. */
  readonly keepsOld: boolean;
  /** Called now and then. */
  readonly onProgress?: (progress: ConversionProgress) => void;
}

/** How far it is. */
export interface ConversionProgress {
  readonly step: 'copying' | 'checking';
  readonly entries: number;
  readonly bytes: number;
}

/** What was done. */
export interface Conversion {
  /** The engine that it had. The same as now where nothing was to be done but clearing away. */
  readonly from: EngineName;
  readonly entries: number;
  readonly bytes: number;
  /** Folders of old stores that are still there. */
  readonly kept: readonly string[];
}

/** A store's entries, in sum. */
interface Sum {
  readonly entries: number;
  readonly bytes: number;
  /** SHA-256 over lengths, keys and values, in the order of the keys. */
  readonly digest: string;
}

type Outcome<T> = Result<T, DataDirectoryError>;

/** Before and after every key of a store. */
const EVERYTHING = { first: Uint8Array.of(0), end: Uint8Array.of(0xff) };
const BYTES_PER_STEP = 4 * 1024 * 1024;
const ENTRIES_PER_STEP = 1_000;

/** Converts a data directory. Never throws. */
export async function convertDirectory(options: ConversionOptions): Promise<Outcome<Conversion>> {
  try {
    return await convert(options);
  } catch (error) {
    return failed(storeErrorOf(error, 'converting the data directory'));
  }
}

async function convert(options: ConversionOptions): Promise<Outcome<Conversion>> {
  const { directory, engine } = options;
  const found = await readRecord(options);
  if (!found.ok) {
    return found;
  }
  const record = found.value;
  if (record?.isComplete !== true) {
    return refused(`${directory} has no data yet: set storage.engine to ${engine} and start the replica`);
  }
  if (record.engine === engine) {
    const opened = await openIt(options);
    return opened.ok ? finish(options, opened.value, { from: engine, entries: 0, bytes: 0 }) : opened;
  }
  const choice = await chooseEngine({ existing: undefined, wanted: engine }, options.probe);
  if (!choice.ok) {
    return refused(choice.error);
  }
  // Holds the old store's lock until the change is made.
  const source = await openIt(options);
  if (!source.ok) {
    return source;
  }
  const next: IdentityRecord = { ...record, engine, storeFolder: convertedFolder(engine) };
  let copied: Outcome<Sum>;
  try {
    copied = await copy(options, {
      source: source.value.store,
      choice: choice.value,
      record,
      folder: next.storeFolder,
    });
    if (copied.ok) {
      await replaceDurably(pathIn(directory, 'identity'), encodeIdentity(next));
    }
  } finally {
    await close(source.value.store);
  }
  if (!copied.ok) {
    await rm(join(directory, next.storeFolder), { recursive: true, force: true });
    return copied;
  }
  const confirmed = await openIt(options);
  if (!confirmed.ok) {
    // Nothing ran on the new store: the old one is as good as it was.
    await replaceDurably(pathIn(directory, 'identity'), encodeIdentity(record));
    return confirmed;
  }
  return finish(options, confirmed.value, { from: record.engine, ...copied.value });
}

/** Clears away the stores that the directory doesn't use, and releases it. */
async function finish(
  { keepsOld, directory }: ConversionOptions,
  { store, record }: DataDirectory,
  { from, entries, bytes }: Omit<Conversion, 'kept'>,
): Promise<Outcome<Conversion>> {
  const others = await findOtherStores(directory, record);
  try {
    for (const folder of keepsOld ? [] : others) {
      await rm(folder, { recursive: true });
    }
  } finally {
    await close(store);
  }
  return ok({ from, entries, bytes, kept: keepsOld ? others : [] });
}

/** What a copy is made of, and where. */
interface Copying {
  readonly source: KeyValueStore;
  readonly choice: EngineChoice;
  readonly record: IdentityRecord;
  /** The new store's folder. */
  readonly folder: string;
}

/** Fills the new store and reads it back. */
async function copy(options: ConversionOptions, { source, choice, record, folder }: Copying): Promise<Outcome<Sum>> {
  const { directory, onProgress = () => undefined } = options;
  const path = join(directory, folder);
  // What an interrupted conversion left.
  await rm(path, { recursive: true, force: true });
  const room = await findLackOfRoom(directory, record);
  if (room !== undefined) {
    return refused(room);
  }
  const target = await openEngine(choice, path, true);
  const written = await pour(source, target, (sum) => onProgress({ step: 'copying', ...sum }));
  const closed = await close(target);
  if (!written.ok) {
    return written;
  }
  if (!closed.ok) {
    return closed;
  }
  await syncPath(path);
  await syncPath(directory);
  const again = await openEngine(choice, path, false);
  const read = await pour(again, undefined, (sum) => onProgress({ step: 'checking', ...sum }));
  await close(again);
  if (!read.ok) {
    return read;
  }
  const isSame = read.value.entries === written.value.entries && read.value.digest === written.value.digest;
  return isSame
    ? read
    : refused(
        `the copy in ${path} is not what was written: ${read.value.entries} entries of ${written.value.entries}, or ` +
          'another digest; the data stays as it was. Check the disk',
      );
}

/** Reads every entry of a store, writes it to another where there is one, and sums up. */
async function pour(
  from: KeyValueStore,
  to: KeyValueStore | undefined,
  onProgress: (sum: Pick<Sum, 'entries' | 'bytes'>) => void,
): Promise<Result<Sum, StoreError>> {
  const source = createChecksummedStore(from, nameOfKeySpace);
  const target = to === undefined ? undefined : createChecksummedStore(to, nameOfKeySpace);
  const hash = createHash('sha256');
  let [entries, bytes] = [0, 0];
  let first: Uint8Array = EVERYTHING.first;
  for (;;) {
    const range = { first, end: EVERYTHING.end, limit: ENTRIES_PER_STEP, bytesMax: BYTES_PER_STEP };
    const read = await new Promise<Parameters<Parameters<KeyValueStore['read']>[1]>[0]>((resolve) =>
      source.read(range, resolve),
    );
    if (!read.ok) {
      return read;
    }
    const last = read.value.at(-1);
    for (const { key, value } of read.value) {
      hash.update(`${key.length}/${value.length}/`).update(key).update(value);
      bytes += key.length + value.length;
    }
    entries += read.value.length;
    const written = await write(target, read.value, last === undefined);
    if (!written.ok) {
      return written;
    }
    onProgress({ entries, bytes });
    if (last === undefined) {
      return ok({ entries, bytes, digest: hash.digest('hex') });
    }
    first = keyAfter(last.key);
  }
}

/** Writes entries; `isEnd`: and makes all of them durable. */
function write(
  store: KeyValueStore | undefined,
  entries: readonly StoreEntry[],
  isEnd: boolean,
): Promise<Result<void, StoreError>> {
  return new Promise((resolve) => {
    if (store === undefined) {
      resolve(ok(undefined));
      return;
    }
    const operations = entries.map(({ key, value }) => ({ type: 'put' as const, key, value }));
    store.write(operations, { sync: isEnd }, resolve);
  });
}

/** Says what is missing where the copy would not fit beside the old store. */
async function findLackOfRoom(directory: string, { storeFolder }: IdentityRecord): Promise<string | undefined> {
  const folder = join(directory, storeFolder);
  const sizes = await Promise.all((await readdir(folder)).map((name) => sizeOf(join(folder, name))));
  const neededBytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const { freeBytes } = await readDiskSpace(directory);
  return freeBytes < neededBytes
    ? `the old store has ${neededBytes} bytes, and beside it only ${freeBytes} are free in ${directory}; make room first`
    : undefined;
}

function openIt({ directory, identity, probe }: ConversionOptions): Promise<Outcome<DataDirectory>> {
  const options = { directory, identity, ...(probe === undefined ? {} : { probe }) };
  return new Promise((resolve) => openDataDirectory(options, resolve));
}

function openEngine(choice: EngineChoice, directory: string, createIfMissing: boolean): Promise<KeyValueStore> {
  return new Promise((resolve, reject) => {
    choice.open({ directory, createIfMissing }, (error, store) =>
      store === undefined ? reject(error) : resolve(store),
    );
  });
}

function close(store: KeyValueStore): Promise<Result<void, StoreError>> {
  return new Promise((resolve) => store.close(resolve));
}

function refused(message: string): Result<never, DataDirectoryError> {
  return failed({ code: 'refused', message });
}
