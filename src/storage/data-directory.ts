/**
 * A replica's data directory: an identity record, the engine's store, how far it had come, and the id of the process that
 * has it open.
 *
 * 1. It opens only for the replica, cluster, signing key, format and engine that it was made for.
 * 2. One process at a time has it open. The engine's own lock decides, which ends with the process; the process's id
 *    stands beside it only to be named.
 * 3. Nothing is changed before all of this is checked, and a store that was made once is never made again: a missing
 *    file is damage, not a new beginning (directory-inspection.ts).
 * 4. A first start needs the birth mark, and goes in this order, each step durable: the record, not complete; the store;
 *    how far it came; the record, complete; the mark removed. Cut short anywhere, the next start goes on.
 */
import { chmod, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyValueStore, StoreError } from '../ports/key-value-store.js';
import { failed, ok, type Result } from '../util/result.js';
import { errorCodeOf } from '../util/system-error.js';
import { isThere, pathIn, readText, replaceDurably, syncPath, writeDurably } from './directory-files.js';
import {
  type DirectoryIdentity,
  encodeIdentity,
  FORMAT_VERSION,
  type IdentityRecord,
  STORE_FOLDER,
} from './directory-identity.js';
import { type DataDirectoryError, findOtherStores, inspectStore, readRecord } from './directory-inspection.js';
import { judgeLogSpace, readDiskSpace } from './disk-space.js';
import { chooseEngine, type EngineChoice, probeRocksDb, tryOpeningRocksDb } from './engine-choice.js';
import type { EngineName } from './engine-name.js';
import { createRecordedStore } from './reached-recorder.js';
import { bindStore, readNewestGroup } from './store-binding.js';
import { corruptError, isLockedError, storeErrorOf } from './store-error.js';

/** What is asked for. */
export interface DataDirectoryOptions {
  readonly directory: string;
  /** The engine of a new directory; `auto`, the default, takes RocksDB where it can be loaded. */
  readonly engine?: EngineName | 'auto';
  readonly identity: DirectoryIdentity;
  /** Bytes that are set aside for batches: they must fit on the file system. Nothing is compared by default. */
  readonly logBytesMax?: number;
  /** Bytes of the cache of uncompressed blocks. 32 MiB by default. */
  readonly cacheBytes?: number;
  /** Files of the store that may be open at a time; 1,000 by default. */
  readonly filesMax?: number;
  /** Says why RocksDB can't be used, undefined where it can; a trial in a child process by default. */
  readonly probe?: () => Promise<string | undefined>;
}

/** An open data directory. Closing the store releases it. */
export interface DataDirectory {
  readonly store: KeyValueStore;
  /** Lines for the log. */
  readonly warnings: readonly string[];
  /** Nothing was there before: this replica remembers no vote. */
  readonly isNew: boolean;
  /** What the directory says of itself now. */
  readonly record: IdentityRecord;
}

const PRIVATE_FOLDER = 0o700;

/** Opens a data directory, or makes the store of one that `pbft init` marked as new. */
export function openDataDirectory(
  options: DataDirectoryOptions,
  done: (result: Result<DataDirectory, DataDirectoryError>) => void,
): void {
  openChecked(options).then(done, (error: unknown) => done(failed(storeErrorOf(error, 'opening the data directory'))));
}

/** What opening would find. */
export interface DirectoryReport {
  readonly engine: EngineName;
  /** It would be the first start. */
  readonly isNew: boolean;
  /** What opening would warn of. */
  readonly warnings: readonly string[];
}

/** Checks everything that opening checks before it changes anything. */
export async function judgeDataDirectory(
  options: DataDirectoryOptions,
): Promise<Result<DirectoryReport, DataDirectoryError>> {
  try {
    const judged = await judge(options);
    if (!judged.ok) {
      return judged;
    }
    const { choice, record, warnings } = judged.value;
    return ok({ engine: choice.name, isNew: record?.isComplete !== true, warnings });
  } catch (error) {
    return failed(storeErrorOf(error, 'opening the data directory'));
  }
}

interface Judged {
  readonly choice: EngineChoice;
  readonly record: IdentityRecord | undefined;
  /** The newest group of the log that the store must have. */
  readonly logGroup: number;
  readonly warnings: readonly string[];
}

async function judge(options: DataDirectoryOptions): Promise<Result<Judged, DataDirectoryError>> {
  const { directory } = options;
  const found = await readRecord(options);
  if (!found.ok) {
    return found;
  }
  const record = found.value;
  const wanted = options.engine === 'auto' ? undefined : options.engine;
  const choice = await chooseEngine({ existing: record?.engine, wanted }, options.probe ?? probeRocksDb);
  if (!choice.ok) {
    return failed({ code: 'refused', message: `${directory}: ${choice.error}` });
  }
  const reached = await inspectStore(directory, record ?? newRecord(options.identity, choice.value.name));
  if (!reached.ok) {
    const holder = await findHolder(directory);
    // Files change under a replica that runs; whether it is one, its lock would say.
    const hint =
      holder === undefined ? '' : `. Process ${holder} had it open last and runs: if it is a replica, stop it first`;
    return failed({ ...reached.error, message: `${reached.error.message}${hint}` });
  }
  const space = judgeLogSpace(options.logBytesMax ?? 0, { folder: directory, ...(await readDiskSpace(directory)) });
  if (!space.ok) {
    return failed({ code: 'refused', message: space.error });
  }
  const others = record === undefined ? [] : await findOtherStores(directory, record);
  const leftovers = others.map(
    (path) => `${path} is left of a conversion and not used: remove it; never put it back in the store's place`,
  );
  const warnings = [choice.value.warning, space.value, ...leftovers].filter((line) => line !== undefined);
  return ok({ choice: choice.value, record, logGroup: reached.value?.logGroup ?? 0, warnings });
}

async function openChecked(options: DataDirectoryOptions): Promise<Result<DataDirectory, DataDirectoryError>> {
  const { directory, identity } = options;
  const judged = await judge(options);
  if (!judged.ok) {
    return judged;
  }
  const mode = (await stat(directory)).mode & 0o777;
  if (mode !== PRIVATE_FOLDER) {
    await chmod(directory, PRIVATE_FOLDER);
  }
  const record = judged.value.record ?? newRecord(identity, judged.value.choice.name);
  if (judged.value.record === undefined) {
    await replaceDurably(pathIn(directory, 'identity'), encodeIdentity(record));
  }
  return openStore(options, judged.value, record);
}

async function openStore(
  options: DataDirectoryOptions,
  { choice, logGroup, warnings }: Judged,
  record: IdentityRecord,
): Promise<Result<DataDirectory, DataDirectoryError>> {
  const { directory, cacheBytes } = options;
  const folder = join(directory, record.storeFolder);
  const isNew = !record.isComplete;
  const damage = isNew ? undefined : await tryAfterBrokenOpening(directory, folder, choice.name);
  if (damage !== undefined) {
    return failed(damage);
  }
  const opening = pathIn(directory, 'opening');
  await writeDurably(opening, '');
  const opened = await openEngine(choice, {
    directory: folder,
    createIfMissing: isNew,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    ...(options.filesMax === undefined ? {} : { filesMax: options.filesMax }),
  });
  await rm(opening, { force: true });
  if (!opened.ok) {
    return failed(await describeOpenError(directory, folder, opened.error));
  }
  const store = opened.value;
  try {
    const ready = await readyStore(store, { options, record, logGroup });
    if (ready.ok) {
      return ok({ ...ready.value, warnings, isNew });
    }
    await closeQuietly(store);
    return ready;
  } catch (error) {
    await closeQuietly(store);
    throw error;
  }
}

/** What comes after the engine has opened the store: it is this replica's, it is as far as it was, and it is complete. */
async function readyStore(
  store: KeyValueStore,
  { options, record, logGroup }: { options: DataDirectoryOptions; record: IdentityRecord; logGroup: number },
): Promise<Result<Pick<DataDirectory, 'store' | 'record'>, DataDirectoryError>> {
  const { directory, identity } = options;
  const { storeFolder, isComplete } = record;
  const newest = await readNewestGroup(store);
  if (!newest.ok) {
    return newest;
  }
  if (newest.value < logGroup) {
    const what = `the log of ${join(directory, storeFolder)} ends at group ${newest.value} and had reached group ${logGroup}`;
    return failed(corruptError(`${what}; files were taken away, or put back from an older copy`));
  }
  if (!isComplete && newest.value > 0) {
    const path = pathIn(directory, 'birthMark');
    return failed(corruptError(`${path} says that nothing was voted yet, and the store holds votes`));
  }
  const bound = await bindStore(store, identity, !isComplete);
  if (!bound.ok) {
    return bound;
  }
  const recorded = await createRecordedStore(store, { directory, storeFolder, logGroup: newest.value });
  const complete = { ...record, isComplete: true };
  if (!isComplete) {
    await replaceDurably(pathIn(directory, 'identity'), encodeIdentity(complete));
  }
  if (await isThere(pathIn(directory, 'birthMark'))) {
    await rm(pathIn(directory, 'birthMark'));
    await syncPath(directory);
  }
  const processFile = pathIn(directory, 'processId');
  await writeDurably(processFile, `${process.pid}\n`);
  return ok({ store: releasing(recorded, processFile), record: complete });
}

function closeQuietly(store: KeyValueStore): Promise<unknown> {
  return new Promise((resolve) => store.close(resolve));
}

/** Some damage to RocksDB's files ends the process that opens them: after such an end a child process goes first. */
async function tryAfterBrokenOpening(
  directory: string,
  folder: string,
  engine: EngineName,
): Promise<StoreError | undefined> {
  if (engine !== 'rocksdb' || !(await isThere(pathIn(directory, 'opening')))) {
    return undefined;
  }
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

async function describeOpenError(directory: string, folder: string, error: unknown): Promise<DataDirectoryError> {
  if (!isLockedError(error)) {
    const { code, message } = storeErrorOf(error, `opening ${folder}`);
    return { code, message };
  }
  const text = await readText(pathIn(directory, 'processId'));
  const holder = /^\d+\n$/.test(text ?? '') ? `process ${text?.trim()}` : 'another process';
  return {
    code: 'inUse',
    message: `${directory} is in use by ${holder}; stop it first, or give this replica a data directory of its own`,
  };
}

function newRecord(identity: DirectoryIdentity, engine: EngineName): IdentityRecord {
  return { formatVersion: FORMAT_VERSION, engine, ...identity, isComplete: false, storeFolder: STORE_FOLDER };
}

/** The process that had the directory open last, where it is another one and still runs; it may be any by now. */
async function findHolder(directory: string): Promise<number | undefined> {
  const id = Number((await readText(pathIn(directory, 'processId'))) ?? '');
  if (!Number.isSafeInteger(id) || id < 1 || id === process.pid) {
    return undefined;
  }
  try {
    process.kill(id, 0);
    return id;
  } catch (error) {
    return errorCodeOf(error) === 'EPERM' ? id : undefined;
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
