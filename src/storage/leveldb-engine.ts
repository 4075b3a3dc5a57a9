/**
 * LevelDB by `classic-level`: the engine where RocksDB's binary can't be loaded. It is loaded when it is opened: whoever
 * only asks other replicas needs no binary.
 *
 * LevelDB doesn't sync a write-ahead log that it leaves for a new one: after a power failure an older unsynced write may
 * be gone while a later synced one is there. So every write is synced.
 */
import type { ClassicLevel } from 'classic-level';
import type { KeyRange, KeyValueStore, StoreEntry } from '../ports/key-value-store.js';
import { failed, ok, type Result } from '../util/result.js';
import { createEngineStore, type Engine } from './engine-store.js';
import { findDamagedTable } from './leveldb-tables.js';

/** How an engine on disk is opened. */
export interface EngineOptions {
  readonly directory: string;
  /** False for a store that must be there. */
  readonly createIfMissing: boolean;
  /** Bytes of the cache of uncompressed blocks. 32 MiB by default. */
  readonly cacheBytes?: number;
  /** How many files of the store may be open at a time. ENGINE_FILES_MAX by default. */
  readonly filesMax?: number;
}

/** Opens a store; the error is the library's. */
export type OpenEngine = (
  options: EngineOptions,
  done: (error: unknown, store: KeyValueStore | undefined) => void,
) => void;

/** Bytes of the cache where nothing is said. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** Files of a store that are open at a time where nothing is said, at both engines. */
export const ENGINE_FILES_MAX = 1000;
/** Bytes in memory before they go to a table file: several of the largest batches. */
export const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;

const ENTRIES_PER_STEP = 1000;
const BYTES_PER_STEP = 1024 * 1024;

type Level = ClassicLevel<Uint8Array, Uint8Array>;

/** The library, or why its binary can't be loaded, in one sentence. */
export async function loadLevelDb(): Promise<Result<typeof ClassicLevel, string>> {
  try {
    const library = await import('classic-level');
    return ok(library.ClassicLevel);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    return failed(
      `LevelDB can't be loaded (the package classic-level: ${reason}); install the package anew on this machine, ` +
        'with its binary for this system and Node.js',
    );
  }
}

/** Opens LevelDB. */
export const openLevelDb: OpenEngine = (options, done) => {
  openVerified(options).then(
    (level) => done(undefined, createEngineStore(createLevelEngine(level))),
    (error: unknown) => done(error, undefined),
  );
};

async function openVerified({ directory, createIfMissing, cacheBytes, filesMax }: EngineOptions): Promise<Level> {
  const damage = await findDamagedTable(directory);
  if (damage !== undefined) {
    throw new Error(`Corruption: ${damage}`);
  }
  const library = await loadLevelDb();
  if (!library.ok) {
    throw new Error(library.error);
  }
  // Made only now: the library begins to open a store when it is made.
  const level: Level = new library.value(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing,
    cacheSize: cacheBytes ?? CACHE_BYTES,
    maxOpenFiles: filesMax ?? ENGINE_FILES_MAX,
    writeBufferSize: WRITE_BUFFER_BYTES,
    // What is stored is mostly signatures and digests; and leveldb-tables.ts reads uncompressed indexes.
    compression: false,
  });
  await level.open();
  return level;
}

function createLevelEngine(level: Level): Engine {
  return {
    name: 'leveldb',
    syncsEveryWrite: true,
    batch: (operations, sync, done) => {
      const batch = level.batch();
      for (const operation of operations) {
        if (operation.type === 'put') {
          batch.put(operation.key, operation.value);
        } else {
          batch.del(operation.key);
        }
      }
      batch.write({ sync }).then(() => done(undefined), done);
    },
    getMany: (keys, done) => {
      level.getMany([...keys]).then(
        (values) => done(undefined, values),
        (error: unknown) => done(error, []),
      );
    },
    iterate: (range, entry, done) => {
      iterateLevel(level, range, entry).then(() => done(undefined), done);
    },
    close: (done) => {
      level.close().then(() => done(undefined), done);
    },
  };
}

async function iterateLevel(level: Level, range: KeyRange, take: (entry: StoreEntry) => boolean): Promise<void> {
  const iterator = level.iterator({
    gte: range.first,
    lt: range.end,
    limit: range.limit,
    reverse: range.reverse ?? false,
    highWaterMarkBytes: Math.min(range.bytesMax ?? BYTES_PER_STEP, BYTES_PER_STEP),
  });
  try {
    for (;;) {
      const entries = await iterator.nextv(Math.min(range.limit, ENTRIES_PER_STEP));
      for (const [key, value] of entries) {
        if (!take({ key, value })) {
          return;
        }
      }
      if (entries.length === 0) {
        return;
      }
    }
  } finally {
    await iterator.close();
  }
}
