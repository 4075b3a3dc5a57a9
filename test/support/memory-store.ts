/**
 * A KeyValueStore in memory, for tests and the simulator. The disk outlives the store: what a crash leaves of it is
 * everything up to the last synced write that completed, and of the later writes a prefix whose length the caller
 * chooses. Completions come when the caller's `defer` runs them.
 */
import type {
  Completion,
  KeyRange,
  KeyValueStore,
  StoreEntry,
  StoreError,
  WriteOperation,
} from '../../src/ports/key-value-store.js';
import { closedError } from '../../src/storage/store-error.js';
import { assert } from '../../src/util/assert.js';
import { failed, ok } from '../../src/util/result.js';

/** Runs something later, never before it returns; in the order of the calls for writes to stay in order. */
export type Defer = (run: () => void) => void;

/** What stays when a process ends. */
export interface MemoryDisk {
  readonly values: Map<string, Uint8Array>;
  /** All keys of `values`, ascending. */
  readonly keys: string[];
}

/** An open store in memory. */
export interface MemoryStore extends KeyValueStore {
  /**
   * Ends the store as a crash does: no completion comes any more. `chooseKept` gets the number of writes that are not
   * durable yet and says how many of them, from the oldest, are on the disk all the same.
   */
  crash(chooseKept: (unsyncedWrites: number) => number): void;
  /** From now on every write fails with this error. */
  failWrites(error: StoreError): void;
}

/** A way back: what the keys of one write held before. */
type UndoneWrite = readonly { readonly key: string; readonly value: Uint8Array | undefined }[];

/** An empty disk. */
export function createMemoryDisk(): MemoryDisk {
  return { values: new Map(), keys: [] };
}

/** Opens a disk, which no other open store has. */
export function createMemoryStore(options: { readonly disk: MemoryDisk; readonly defer: Defer }): MemoryStore {
  return new OrderedMemoryStore(options.disk, options.defer);
}

class OrderedMemoryStore implements MemoryStore {
  readonly engine = 'memory';
  readonly #disk: MemoryDisk;
  readonly #defer: Defer;
  /** Of the writes that are not durable, oldest first. */
  #unsynced: UndoneWrite[] = [];
  /** Writes that became durable, so that a write's place in #unsynced is its number less this. */
  #syncedCount = 0;
  #failure: StoreError | undefined;
  #isClosed = false;
  #isCrashed = false;

  constructor(disk: MemoryDisk, defer: Defer) {
    this.#disk = disk;
    this.#defer = defer;
  }

  getMany(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void {
    if (this.#isClosed) {
      this.#complete(() => done(failed(closedError('a read'))));
      return;
    }
    const values = keys.map((key) => this.#disk.values.get(textOf(key)));
    this.#complete(() => done(ok(values)));
  }

  read(range: KeyRange, done: Completion<readonly StoreEntry[]>): void {
    if (this.#isClosed) {
      this.#complete(() => done(failed(closedError('a read'))));
      return;
    }
    const entries = readRange(this.#disk, range);
    this.#complete(() => done(ok(entries)));
  }

  write(operations: readonly WriteOperation[], options: { readonly sync: boolean }, done: Completion<void>): void {
    const failure = this.#isClosed ? closedError('a write') : this.#failure;
    if (failure !== undefined) {
      this.#complete(() => done(failed(failure)));
      return;
    }
    this.#unsynced.push(operations.map((operation) => this.#apply(operation)));
    const written = this.#syncedCount + this.#unsynced.length;
    this.#complete(() => {
      if (options.sync) {
        this.#sync(written);
      }
      done(ok(undefined));
    });
  }

  close(done: Completion<void>): void {
    if (this.#isClosed) {
      this.#complete(() => done(failed(closedError('closing it again'))));
      return;
    }
    this.#isClosed = true;
    const written = this.#syncedCount + this.#unsynced.length;
    this.#complete(() => {
      this.#sync(written);
      done(this.#failure === undefined ? ok(undefined) : failed(this.#failure));
    });
  }

  crash(chooseKept: (unsyncedWrites: number) => number): void {
    assert(!this.#isCrashed, 'a store crashes once');
    const kept = chooseKept(this.#unsynced.length);
    assert(
      kept >= 0 && kept <= this.#unsynced.length,
      `${kept} of ${this.#unsynced.length} unsynced writes can't be kept`,
    );
    for (const write of this.#unsynced.slice(kept).reverse()) {
      for (const { key, value } of [...write].reverse()) {
        setValue(this.#disk, key, value);
      }
    }
    this.#unsynced = [];
    this.#isCrashed = true;
    this.#isClosed = true;
  }

  failWrites(error: StoreError): void {
    this.#failure ??= error;
  }

  #apply(operation: WriteOperation): { readonly key: string; readonly value: Uint8Array | undefined } {
    const key = textOf(operation.key);
    const value = this.#disk.values.get(key);
    setValue(this.#disk, key, operation.type === 'put' ? operation.value : undefined);
    return { key, value };
  }

  #sync(written: number): void {
    const durable = written - this.#syncedCount;
    if (durable > 0) {
      this.#unsynced.splice(0, durable);
      this.#syncedCount = written;
    }
  }

  #complete(run: () => void): void {
    this.#defer(() => {
      if (!this.#isCrashed) {
        run();
      }
    });
  }
}

function readRange(disk: MemoryDisk, range: KeyRange): readonly StoreEntry[] {
  const first = placeOf(disk.keys, textOf(range.first));
  const end = placeOf(disk.keys, textOf(range.end));
  const entries: StoreEntry[] = [];
  let sizeBytes = 0;
  for (let step = 0; step < end - first && entries.length < range.limit; step++) {
    const text = disk.keys[range.reverse === true ? end - 1 - step : first + step];
    const value = text === undefined ? undefined : disk.values.get(text);
    assert(text !== undefined && value !== undefined, 'every key has its value');
    sizeBytes += text.length + value.length;
    if (entries.length > 0 && range.bytesMax !== undefined && sizeBytes > range.bytesMax) {
      break;
    }
    entries.push({ key: new Uint8Array(Buffer.from(text, 'latin1')), value });
  }
  return entries;
}

function setValue(disk: MemoryDisk, key: string, value: Uint8Array | undefined): void {
  const isThere = disk.values.has(key);
  if (value === undefined) {
    if (isThere) {
      disk.values.delete(key);
      disk.keys.splice(placeOf(disk.keys, key), 1);
    }
    return;
  }
  if (!isThere) {
    disk.keys.splice(placeOf(disk.keys, key), 0, key);
  }
  disk.values.set(key, value);
}

/** The place of the first key that is not lower. */
function placeOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const candidate = keys[middle];
    if (candidate !== undefined && candidate < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** One character a byte, so that the order of strings is the order of bytes. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
