/**
 * A KeyValueStore over an engine on disk: order of writes, latching, range limits and closing are the same for all
 * engines and stand here; an engine's own file only translates its library.
 *
 * Callers leave keys and values alone until the write completes: nothing is copied on the way to the engine.
 */
import type { Completion, KeyRange, KeyValueStore, StoreEntry, WriteOperation } from '../ports/key-value-store.js';
import { failed, ok } from '../util/result.js';
import { closedError, storeErrorOf } from './store-error.js';
import { WriteQueue } from './write-queue.js';

/** What a library does, with its own errors. Each `done` is called exactly once. */
export interface Engine {
  readonly name: string;
  /**
   * True where a power failure can lose an older unsynced write and keep a later synced one; then every write is synced,
   * so that what is left is always a prefix.
   */
  readonly syncsEveryWrite: boolean;
  batch(operations: readonly WriteOperation[], sync: boolean, done: (error: unknown) => void): void;
  getMany(
    keys: readonly Uint8Array[],
    done: (error: unknown, values: readonly (Uint8Array | undefined)[]) => void,
  ): void;
  /** Calls `entry` in order until it returns false or the range ends, then `done`. */
  iterate(range: KeyRange, entry: (entry: StoreEntry) => boolean, done: (error: unknown) => void): void;
  close(done: (error: unknown) => void): void;
}

/** A key that no room uses: deleting it makes a write that changes nothing. */
const NOTHING: WriteOperation = { type: 'delete', key: Uint8Array.of(0) };

/** A store over an open engine. */
export function createEngineStore(engine: Engine): KeyValueStore {
  return new EngineStore(engine);
}

class EngineStore implements KeyValueStore {
  readonly engine: string;
  private readonly database: Engine;
  private readonly writes: WriteQueue;
  private readsUnderWay = 0;
  private isClosing = false;
  private whenRead: (() => void) | undefined;

  constructor(engine: Engine) {
    this.engine = engine.name;
    this.database = engine;
    this.writes = new WriteQueue((operations, sync, done) => {
      // An engine leaves out an empty write, and its sync with it.
      const work = operations.length === 0 ? [NOTHING] : operations;
      engine.batch(work, sync || engine.syncsEveryWrite, (error) => {
        done(isError(error) ? storeErrorOf(error, 'writing') : undefined);
      });
    });
  }

  getMany(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void {
    const end = this.startRead(done);
    if (end === undefined) {
      return;
    }
    this.database.getMany(keys, (error, values) => {
      done(isError(error) ? failed(storeErrorOf(error, 'reading keys')) : ok(values));
      end();
    });
  }

  read(range: KeyRange, done: Completion<readonly StoreEntry[]>): void {
    const end = this.startRead(done);
    if (end === undefined) {
      return;
    }
    const entries: StoreEntry[] = [];
    let sizeBytes = 0;
    const take = (entry: StoreEntry): boolean => {
      sizeBytes += entry.key.length + entry.value.length;
      if (entries.length > 0 && range.bytesMax !== undefined && sizeBytes > range.bytesMax) {
        return false;
      }
      entries.push(entry);
      return entries.length < range.limit;
    };
    if (range.limit < 1) {
      queueMicrotask(() => {
        done(ok([]));
        end();
      });
      return;
    }
    this.database.iterate(range, take, (error) => {
      done(isError(error) ? failed(storeErrorOf(error, 'reading a range')) : ok(entries));
      end();
    });
  }

  write(operations: readonly WriteOperation[], options: { readonly sync: boolean }, done: Completion<void>): void {
    if (this.isClosing) {
      queueMicrotask(() => done(failed(closedError('a write'))));
      return;
    }
    this.writes.push(operations, options.sync, done);
  }

  close(done: Completion<void>): void {
    if (this.isClosing) {
      queueMicrotask(() => done(failed(closedError('closing it again'))));
      return;
    }
    this.isClosing = true;
    const finish: Completion<void> = (synced) =>
      this.afterReads(() =>
        this.database.close((error) => {
          done(synced.ok && isError(error) ? failed(storeErrorOf(error, 'closing')) : synced);
        }),
      );
    if (this.writes.isDurable) {
      // A store that was only read stays as it is.
      queueMicrotask(() => finish(ok(undefined)));
    } else {
      // The last write: an empty one that syncs whatever isn't yet.
      this.writes.push([], true, finish);
    }
  }

  private startRead(done: Completion<never>): (() => void) | undefined {
    if (this.isClosing) {
      queueMicrotask(() => done(failed(closedError('a read'))));
      return undefined;
    }
    this.readsUnderWay++;
    return () => {
      this.readsUnderWay--;
      if (this.readsUnderWay === 0) {
        this.whenRead?.();
      }
    };
  }

  private afterReads(then: () => void): void {
    if (this.readsUnderWay === 0) {
      then();
    } else {
      this.whenRead = then;
    }
  }
}

function isError(error: unknown): boolean {
  return error !== undefined && error !== null;
}
