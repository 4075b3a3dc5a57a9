/**
 * Reading a range of the application's state while a group of batches is executed: stored entries merged with the
 * group's own writes.
 *
 * What comes out follows from the state alone: the first entries up to the limit, ending before their keys and values
 * exceed the range's `bytesMax`, but holding at least one. How many writes are in the store already and how many only in
 * the group makes no difference, or replicas that group differently would execute differently.
 */
import type { Completion, StoreEntry, WriteOperation } from '../../ports/key-value-store.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { ApplicationRange, Key } from '../../ports/state-machine.js';
import { compareBytes, concatBytes } from '../../util/bytes.js';
import { ok } from '../../util/result.js';

/** Reads one range. `writes` are the group's in it, ordered by key. */
export function readMergedRange(
  store: Pick<ReplicaStore, 'readApplication'>,
  range: ApplicationRange,
  writes: readonly WriteOperation[],
  done: Completion<readonly StoreEntry[]>,
): void {
  const merge = new RangeMerge(range, writes);
  const readPage = (first: Key): void => {
    // Stored entries that the group deleted or replaced don't count, so as many more are read.
    const limit = merge.missing + merge.writesLeft;
    const bytes = range.bytesMax === undefined ? {} : { bytesMax: range.bytesMax };
    store.readApplication({ first, end: range.end, limit, ...bytes }, (result) => {
      if (!result.ok) {
        done(result);
        return;
      }
      const last = result.value.at(-1);
      merge.addStored(result.value);
      // A page may end early by its bytes, so only an empty one or one without a bound in bytes shows the end.
      const isEnd = last === undefined || (range.bytesMax === undefined && result.value.length < limit);
      if (isEnd) {
        merge.addWritesUpTo(undefined);
      }
      if (isEnd || merge.isFull) {
        done(ok(merge.entries));
        return;
      }
      readPage(keyAfter(last.key));
    });
  };
  readPage(range.first);
}

/** Merges in the order of keys until the range's bounds are reached. */
class RangeMerge {
  readonly entries: StoreEntry[] = [];
  isFull = false;
  private sizeBytes = 0;
  private nextWrite = 0;

  constructor(
    private readonly range: ApplicationRange,
    private readonly writes: readonly WriteOperation[],
  ) {}

  get missing(): number {
    return this.range.limit - this.entries.length;
  }

  get writesLeft(): number {
    return this.writes.length - this.nextWrite;
  }

  addStored(stored: readonly StoreEntry[]): void {
    for (const entry of stored) {
      if (!this.addWritesUpTo(entry.key)) {
        this.add(entry);
      }
    }
  }

  /** Adds the writes at or before `key`, all where it is undefined; returns whether one was of just that key. */
  addWritesUpTo(key: Key | undefined): boolean {
    for (;;) {
      const write = this.writes[this.nextWrite];
      const order = write === undefined ? 1 : key === undefined ? -1 : compareBytes(write.key, key);
      if (write === undefined || order > 0) {
        return false;
      }
      this.nextWrite++;
      if (write.type === 'put') {
        this.add(write);
      }
      if (order === 0) {
        return true;
      }
    }
  }

  private add({ key, value }: StoreEntry): void {
    const sizeBytes = this.sizeBytes + key.length + value.length;
    const isTooLong = this.entries.length > 0 && sizeBytes > (this.range.bytesMax ?? Number.POSITIVE_INFINITY);
    this.isFull ||= isTooLong || this.entries.length === this.range.limit;
    if (this.isFull) {
      return;
    }
    this.sizeBytes = sizeBytes;
    this.entries.push({ key, value });
    this.isFull = this.entries.length === this.range.limit;
  }
}

/** The smallest key above `key`. */
function keyAfter(key: Key): Key {
  return concatBytes([key, new Uint8Array(1)]);
}
