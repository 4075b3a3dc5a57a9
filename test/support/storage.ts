/** Stores for tests: every adapter on a fresh directory, completions as promises. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Completion, KeyValueStore, StoreError } from '../../src/ports/key-value-store.js';
import { encodeBirthMark } from '../../src/storage/birth-mark.js';
import type { DirectoryIdentity } from '../../src/storage/directory-identity.js';
import { probeRocksDb } from '../../src/storage/engine-choice.js';
import { type OpenEngine, openLevelDb } from '../../src/storage/leveldb-engine.js';
import { openRocksDb } from '../../src/storage/rocksdb-engine.js';
import type { Result } from '../../src/util/result.js';
import { createMemoryDisk, createMemoryStore } from './memory-store.js';

/** Calls something with a completion and gives its result. */
export function completed<T>(call: (done: Completion<T>) => void): Promise<Result<T, StoreError>> {
  return new Promise((resolve) => call(resolve));
}

/** The value of a completion; throws the error's message. */
export async function succeeded<T>(call: (done: Completion<T>) => void): Promise<T> {
  const result = await completed(call);
  if (!result.ok) {
    throw new Error(`${result.error.code}: ${result.error.message}`);
  }
  return result.value;
}

/** The error of a completion; throws where there is none. */
export async function failedWith<T>(call: (done: Completion<T>) => void): Promise<StoreError> {
  const result = await completed(call);
  if (result.ok) {
    throw new Error('it succeeded');
  }
  return result.error;
}

/** An adapter under test. */
export interface StoreAdapter {
  readonly name: string;
  /** Why it can't run here, or undefined. */
  unavailable(): Promise<string | undefined>;
  /** Opens the store in a directory, which may hold one already. */
  open(directory: string): Promise<KeyValueStore>;
}

/** Opens an engine on disk. */
export function openEngine(open: OpenEngine, directory: string, createIfMissing = true): Promise<KeyValueStore> {
  return new Promise((resolve, reject) => {
    open({ directory, createIfMissing }, (error, store) => {
      if (store === undefined) {
        reject(error);
      } else {
        resolve(store);
      }
    });
  });
}

const memoryDisks = new Map<string, ReturnType<typeof createMemoryDisk>>();

/** Every adapter of the KeyValueStore port. */
export const STORE_ADAPTERS: readonly StoreAdapter[] = [
  {
    name: 'memory',
    unavailable: async () => undefined,
    open: async (directory) => {
      const disk = memoryDisks.get(directory) ?? createMemoryDisk();
      memoryDisks.set(directory, disk);
      return createMemoryStore({ disk, defer: setImmediate });
    },
  },
  {
    name: 'leveldb',
    unavailable: async () => undefined,
    open: (directory) => openEngine(openLevelDb, directory),
  },
  {
    name: 'rocksdb',
    unavailable: probeRocksDb,
    open: (directory) => openEngine(openRocksDb, directory),
  },
];

/** Directories of one test file, removed together. */
export class TemporaryDirectories {
  readonly #directories: string[] = [];

  /** A fresh one. */
  async create(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'pbft-storage-'));
    this.#directories.push(directory);
    return directory;
  }

  /** A copy of one, to damage. */
  async copyOf(directory: string): Promise<string> {
    const copy = await this.create();
    await cp(directory, copy, { recursive: true });
    return copy;
  }

  /** Removes all. */
  async remove(): Promise<void> {
    await Promise.all(this.#directories.map((directory) => rm(directory, { recursive: true, force: true })));
    this.#directories.length = 0;
  }
}

/** Makes a data directory as `pbft init` makes it: empty but for the mark of a first start. */
export async function makeNewborn(directory: string, identity: DirectoryIdentity): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'birth.json'), encodeBirthMark(identity), { mode: 0o600 });
}

/** The files below a directory with their contents, by their path in it. */
export async function filesOf(directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name);
    if ((await stat(path)).isFile()) {
      files.set(name, await readFile(path));
    }
  }
  return files;
}
