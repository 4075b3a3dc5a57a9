/**
 * RocksDB by `rocksdb`, an optional dependency: its prebuilt binary aborts the process on many versions of Node.js, so it
 * is loaded only where a probe in a child process succeeded (engine-choice.ts).
 *
 * A sync covers all of its write-ahead logs, so unsynced writes in between are never lost alone.
 */
import { createRequire } from 'node:module';
import type { KeyRange, StoreEntry } from '../ports/key-value-store.js';
import { createEngineStore, type Engine } from './engine-store.js';
import { ENGINE_FILES_MAX, type OpenEngine, WRITE_BUFFER_BYTES } from './leveldb-engine.js';

type Callback = (error?: Error | null) => void;

interface RocksIterator {
  next(callback: (error: Error | null | undefined, key?: Buffer, value?: Buffer) => void): unknown;
  end(callback: Callback): unknown;
}

interface RocksBatch {
  put(key: Buffer, value: Buffer): unknown;
  del(key: Buffer): unknown;
  write(options: { readonly sync: boolean }, callback: Callback): unknown;
}

/** What is used of the library, which has no types of its own. */
interface Rocks {
  open(options: Readonly<Record<string, unknown>>, callback: Callback): void;
  close(callback: Callback): void;
  batch(): RocksBatch;
  getMany(keys: Buffer[], callback: (error: Error | null | undefined, values?: (Buffer | undefined)[]) => void): void;
  iterator(options: Readonly<Record<string, unknown>>): RocksIterator;
}

const BYTES_PER_STEP = 1024 * 1024;

/** The library's path, or undefined where it isn't installed. */
export function resolveRocksDb(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('rocksdb');
  } catch {
    return undefined;
  }
}

/**
 * Bytes of the cache where nothing is said. It has 64 parts, and a block that is larger than a part is never kept: a short
 * row that shares its block with a long value of 1 MiB would be read, checked and taken apart anew each time.
 */
const CACHE_BYTES = 128 * 1024 * 1024;

/** Opens RocksDB. Only where the probe succeeded: loading it may end the process. */
export const openRocksDb: OpenEngine = ({ directory, createIfMissing, cacheBytes, filesMax }, done) => {
  let rocks: Rocks;
  try {
    const create: (location: string) => Rocks = createRequire(import.meta.url)('rocksdb');
    rocks = create(directory);
  } catch (error) {
    queueMicrotask(() => done(error, undefined));
    return;
  }
  const options = {
    createIfMissing,
    cacheSize: cacheBytes ?? CACHE_BYTES,
    maxOpenFiles: filesMax ?? ENGINE_FILES_MAX,
    writeBufferSize: WRITE_BUFFER_BYTES,
  };
  rocks.open(options, (error) => {
    if (error) {
      done(error, undefined);
    } else {
      done(undefined, createEngineStore(createRocksEngine(rocks)));
    }
  });
};

function createRocksEngine(rocks: Rocks): Engine {
  return {
    name: 'rocksdb',
    syncsEveryWrite: false,
    batch: (operations, sync, done) => {
      const batch = rocks.batch();
      for (const operation of operations) {
        if (operation.type === 'put') {
          batch.put(bufferOf(operation.key), bufferOf(operation.value));
        } else {
          batch.del(bufferOf(operation.key));
        }
      }
      batch.write({ sync }, done);
    },
    getMany: (keys, done) => {
      rocks.getMany(keys.map(bufferOf), (error, values) => done(error, values ?? []));
    },
    iterate: (range, take, done) => iterateRocks(rocks, range, take, done),
    close: (done) => rocks.close(done),
  };
}

function iterateRocks(
  rocks: Rocks,
  range: KeyRange,
  take: (entry: StoreEntry) => boolean,
  done: (error: unknown) => void,
): void {
  const iterator = rocks.iterator({
    gte: bufferOf(range.first),
    lt: bufferOf(range.end),
    limit: range.limit,
    reverse: range.reverse ?? false,
    highWaterMark: Math.min(range.bytesMax ?? BYTES_PER_STEP, BYTES_PER_STEP),
  });
  const end = (error: unknown): void => {
    iterator.end((endError) => done(error ?? endError));
  };
  const step = (): void => {
    iterator.next((error, key, value) => {
      if (error) {
        end(error);
      } else if (key === undefined || value === undefined || !take({ key, value })) {
        end(undefined);
      } else {
        step();
      }
    });
  };
  step();
}

/** The same bytes as a Buffer, which the library asks for; nothing is copied. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
