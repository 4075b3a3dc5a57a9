/**
 * A replica's data directory: an identity record, the engine's store, and the id of the process that has it open.
 *
 * 1. It opens only for the replica, cluster, signing key, format and engine that it was made for.
 * 2. One process at a time has it open. The engine's own lock decides, which ends with the process; the process's id
 *    stands beside it only to be named.
 * 3. Nothing is changed before all of this is checked, and a store that was made once is never made again: a missing
 *    file is damage, not a new beginning.
 */
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyValueStore, StoreError } from '../ports/key-value-store.js';
import { failed, ok, type Result } from '../util/result.js';
import {
  type DirectoryIdentity,
  decodeIdentity,
  describeDifference,
  encodeIdentity,
  FORMAT_VERSION,
  type IdentityRecord,
} from './directory-identity.js';
import { chooseEngine, type EngineChoice, type EngineName, probeRocksDb, tryOpeningRocksDb } from './engine-choice.js';
import { bindStore } from './store-binding.js';
import { corruptError, isLockedError, storeErrorOf } from './store-error.js';

/** Why a data directory isn't opened. `refused`: it is another's, or of another kind; `inUse`: another process has it. */
export interface DataDirectoryError {
  readonly code: StoreError['code'] | 'refused' | 'inUse';
  /** Says what is wrong, with the values that differ, and what to do. */
  readonly message: string;
}

/** What is asked for. */
export interface DataDirectoryOptions {
  readonly directory: string;
  /** The engine of a new directory; `auto`, the default, takes RocksDB where it can be loaded. */
  readonly engine?: EngineName | 'auto';
  readonly identity: DirectoryIdentity;
  /** Bytes of the cache of uncompressed blocks. 32 MiB by default. */
  readonly cacheBytes?: number;
  /** Says why RocksDB can't be used, undefined where it can; a trial in a child process by default. */
  readonly probe?: () => Promise<string | undefined>;
}

/** An open data directory. Closing the store releases it. */
export interface DataDirectory {
  readonly store: KeyValueStore;
  /** A line for the log, undefined for none. */
  readonly warning: string | undefined;
  /** Nothing was there before: this replica remembers no vote. */
  readonly isNew: boolean;
}

const IDENTITY_FILE = 'identity.json';
const STORE_FOLDER = 'store';
const PROCESS_FILE = 'process-id';
/** There while the engine opens the store; left behind where that ended the process. */
const OPENING_FILE = 'opening';
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** Opens a data directory, or makes a new one where there is none or an empty one. */
export function openDataDirectory(
  options: DataDirectoryOptions,
  done: (result: Result<DataDirectory, DataDirectoryError>) => void,
): void {
  openChecked(options).then(done, (error: unknown) => done(failed(storeErrorOf(error, 'opening the data directory'))));
}

async function openChecked(options: DataDirectoryOptions): Promise<Result<DataDirectory, DataDirectoryError>> {
  const { directory, identity } = options;
  const found = await readIdentity(directory);
  if (!found.ok) {
    return found;
  }
  const difference = found.value === undefined ? undefined : describeDifference(found.value, identity);
  if (difference !== undefined) {
    return refused(
      `${directory} belongs to another replica: ${difference}. ` +
        "Give this replica its own data directory; never start it on another's",
    );
  }
  const wanted = options.engine === 'auto' ? undefined : options.engine;
  const choice = await chooseEngine({ existing: found.value?.engine, wanted }, options.probe ?? probeRocksDb);
  if (!choice.ok) {
    return refused(`${directory}: ${choice.error}`);
  }
  const damage = found.value?.isComplete === true ? await findDamage(directory) : undefined;
  if (damage !== undefined) {
    return failed(damage);
  }
  await mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER });
  await chmod(directory, PRIVATE_FOLDER);
  const record = found.value ?? newRecord(identity, choice.value.name);
  if (found.value === undefined) {
    await writeIdentity(directory, record);
  }
  return openStore(options, choice.value, record);
}

async function openStore(
  options: DataDirectoryOptions,
  choice: EngineChoice,
  record: IdentityRecord,
): Promise<Result<DataDirectory, DataDirectoryError>> {
  const { directory, cacheBytes } = options;
  const isNew = !record.isComplete;
  const damage = isNew ? undefined : await tryAfterBrokenOpening(directory, choice.name);
  if (damage !== undefined) {
    return failed(damage);
  }
  const opening = join(directory, OPENING_FILE);
  await writeDurably(opening, '');
  const opened = await openEngine(choice, {
    directory: join(directory, STORE_FOLDER),
    createIfMissing: isNew,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  });
  await rm(opening, { force: true });
  if (!opened.ok) {
    return failed(await describeOpenError(directory, opened.error));
  }
  const store = opened.value;
  const bound = await bindStore(store, options.identity, isNew);
  if (!bound.ok) {
    await new Promise((resolve) => store.close(resolve));
    return bound;
  }
  if (isNew) {
    await writeIdentity(directory, { ...record, isComplete: true });
  }
  const processFile = join(directory, PROCESS_FILE);
  await writeDurably(processFile, `${process.pid}\n`);
  return ok({ store: releasing(store, processFile), warning: choice.warning, isNew });
}

/** Some damage to RocksDB's files ends the process that opens them: after such an end a child process goes first. */
async function tryAfterBrokenOpening(directory: string, engine: EngineName): Promise<StoreError | undefined> {
  const isBroken = (await statOf(join(directory, OPENING_FILE))) !== undefined;
  if (!isBroken || engine !== 'rocksdb') {
    return undefined;
  }
  const folder = join(directory, STORE_FOLDER);
  const reason = await tryOpeningRocksDb(folder);
  return reason === undefined || isLockedError(new Error(reason))
    ? undefined
    : corruptError(`${folder} can't be opened: ${reason}`);
}

function openEngine(
  choice: EngineChoice,
  options: Parameters<EngineChoice['open']>[0],
): Promise<Result<KeyValueStore, unknown>> {
  return new Promise((resolve) => {
    choice.open(options, (error, store) => resolve(store === undefined ? failed(error) : ok(store)));
  });
}

async function describeOpenError(directory: string, error: unknown): Promise<DataDirectoryError> {
  if (!isLockedError(error)) {
    const { code, message } = storeErrorOf(error, `opening ${join(directory, STORE_FOLDER)}`);
    return { code, message };
  }
  const text = await readText(join(directory, PROCESS_FILE));
  const holder = /^\d+\n$/.test(text ?? '') ? `process ${text?.trim()}` : 'another process';
  return {
    code: 'inUse',
    message: `${directory} is in use by ${holder}; stop it first, or give this replica a data directory of its own`,
  };
}

/** The record, undefined in a directory that is missing or empty. */
async function readIdentity(directory: string): Promise<Result<IdentityRecord | undefined, DataDirectoryError>> {
  const path = join(directory, IDENTITY_FILE);
  const text = await readText(path);
  if (text === undefined) {
    const hasStore = (await statOf(join(directory, STORE_FOLDER))) !== undefined;
    return hasStore ? failed(corruptError(`${path} is missing and a store is there`)) : ok(undefined);
  }
  const record = decodeIdentity(text);
  if (record.ok) {
    return record;
  }
  return refused(`${path} can't be used: ${record.error}. Start the replica with the version of pbft that wrote it`);
}

/** What an engine would take for an empty store, and fill, though the store was complete once. */
async function findDamage(directory: string): Promise<StoreError | undefined> {
  const path = join(directory, STORE_FOLDER, 'CURRENT');
  const current = await readText(path);
  if (current === undefined) {
    return corruptError(`${path} is missing`);
  }
  const name = current.trim();
  if (!/^MANIFEST-\d+$/.test(name)) {
    return corruptError(`${path} does not name a manifest`);
  }
  const manifest = join(directory, STORE_FOLDER, name);
  return (await statOf(manifest)) === undefined ? corruptError(`${manifest} is missing`) : undefined;
}

function newRecord(identity: DirectoryIdentity, engine: EngineName): IdentityRecord {
  return { formatVersion: FORMAT_VERSION, engine, ...identity, isComplete: false };
}

async function writeIdentity(directory: string, record: IdentityRecord): Promise<void> {
  const path = join(directory, IDENTITY_FILE);
  await writeDurably(`${path}.new`, encodeIdentity(record));
  await rename(`${path}.new`, path);
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', PRIVATE_FILE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The store, which takes the process's id away when it is closed. */
function releasing(store: KeyValueStore, processFile: string): KeyValueStore {
  return {
    engine: store.engine,
    getMany: (keys, done) => store.getMany(keys, done),
    read: (range, done) => store.read(range, done),
    write: (operations, options, done) => store.write(operations, options, done),
    close: (done) => {
      // Before the lock is released: afterwards it may be another's.
      rm(processFile, { force: true }).then(
        () => store.close(done),
        () => store.close(done),
      );
    },
  };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

async function statOf(path: string): Promise<unknown> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function refused(message: string): Result<never, DataDirectoryError> {
  return failed({ code: 'refused', message });
}
