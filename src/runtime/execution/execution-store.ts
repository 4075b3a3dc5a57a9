/**
 * The application's state while a group of batches is executed: what was read ahead from the store, with the group's
 * own writes above it. Reads are synchronous; the executor sees to it that what an operation announced is here.
 *
 * 1. An operation sees what it announced and nothing else, so that what it can read never depends on what happened to
 *    be read ahead for others: anything else throws.
 * 2. A batch's writes are one for each key it changed, the last, in the order in which the keys were first written.
 */
import type { StoreEntry, WriteOperation } from '../../ports/key-value-store.js';
import type { ApplicationRange, ExecutionStore, Key } from '../../ports/state-machine.js';
import { equalBytes } from '../../util/bytes.js';

/** The longest key of an application. */
const APPLICATION_KEY_BYTES_MAX = 4_096;

/** A key as a string of its bytes: to be found in maps, and ordered as the bytes are. */
export type KeyName = string;

/** The name of a key. */
export function nameOfKey(key: Key): KeyName {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/** What an operation announced. */
export interface Announcement {
  readonly keys: readonly Key[];
  readonly names: readonly KeyName[];
  readonly ranges: readonly ApplicationRange[];
}

/** An application did what its contract forbids; the replica stops. */
class ApplicationError extends Error {
  override readonly name = 'ApplicationError';
}

/** The overlay over the stored state. */
export class GroupExecutionStore implements ExecutionStore {
  private readonly written = new Map<KeyName, WriteOperation>();
  private readAhead: ReadonlyMap<KeyName, Uint8Array | undefined> = new Map<KeyName, Uint8Array | undefined>();
  private batchWrites = new Map<KeyName, WriteOperation>();
  private announcement: Announcement = { keys: [], names: [], ranges: [] };
  private rangeEntries: readonly (readonly StoreEntry[])[] = [];
  private writes = 0;

  /** Replaces what was read ahead. The group's own writes stay. */
  setReadAhead(names: readonly KeyName[], values: readonly (Uint8Array | undefined)[]): void {
    this.readAhead = new Map(names.map((name, index) => [name, values[index]]));
  }

  /** Whether the group wrote the key, so that the store's value no longer counts. */
  isWritten(name: KeyName): boolean {
    return this.written.has(name);
  }

  /** Begins an operation; `rangeEntries` are what its ranges hold, one list each. */
  beginOperation(announcement: Announcement, rangeEntries: readonly (readonly StoreEntry[])[]): void {
    this.announcement = announcement;
    this.rangeEntries = rangeEntries;
    this.writes = 0;
  }

  /** Whether the operation that began last has written anything. */
  get hasWritten(): boolean {
    return this.writes > 0;
  }

  /** The writes since the last call, a batch's, in a fixed order. */
  takeBatchWrites(): readonly WriteOperation[] {
    const writes = [...this.batchWrites.values()];
    this.batchWrites = new Map();
    return writes;
  }

  /** The group's writes to keys of a range, ordered by key. */
  writesIn(range: { readonly first: Key; readonly end: Key | undefined }): readonly WriteOperation[] {
    const first = nameOfKey(range.first);
    const end = range.end === undefined ? undefined : nameOfKey(range.end);
    const names: KeyName[] = [];
    for (const name of this.written.keys()) {
      if (name >= first && (end === undefined || name < end)) {
        names.push(name);
      }
    }
    names.sort();
    return names.flatMap((name) => this.written.get(name) ?? []);
  }

  get(key: Key): Uint8Array | undefined {
    const name = nameOfKey(key);
    if (!this.announcement.names.includes(name)) {
      throw new ApplicationError('the application read a key that its operation did not announce');
    }
    const write = this.written.get(name);
    if (write !== undefined) {
      return write.type === 'put' ? write.value : undefined;
    }
    return this.readAhead.get(name);
  }

  range(range: ApplicationRange): readonly StoreEntry[] {
    const index = this.announcement.ranges.findIndex((announced) => isSameRange(announced, range));
    const entries = this.rangeEntries[index];
    if (entries === undefined) {
      throw new ApplicationError('the application read a range that its operation did not announce');
    }
    return entries;
  }

  put(key: Key, value: Uint8Array): void {
    this.write({ type: 'put', key, value });
  }

  delete(key: Key): void {
    this.write({ type: 'delete', key });
  }

  private write(write: WriteOperation): void {
    if (write.key.length > APPLICATION_KEY_BYTES_MAX) {
      throw new ApplicationError(`the application wrote a key of ${write.key.length} bytes`);
    }
    const name = nameOfKey(write.key);
    this.writes++;
    this.written.set(name, write);
    this.batchWrites.set(name, write);
  }
}

function isSameRange(left: ApplicationRange, right: ApplicationRange): boolean {
  return (
    left === right ||
    (equalBytes(left.first, right.first) &&
      left.limit === right.limit &&
      left.bytesMax === right.bytesMax &&
      (left.end === undefined || right.end === undefined ? left.end === right.end : equalBytes(left.end, right.end)))
  );
}
