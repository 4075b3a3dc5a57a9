/**
 * An ordered store of byte strings. Completions, not promises: the shell schedules them, so that the simulator decides
 * when each happens. A completion is called exactly once, never before the call returns.
 *
 * 1. A write is atomic: after a crash all of it is there or nothing.
 * 2. Writes take effect in the order of the calls. What is kept of them after a crash is a prefix that holds at least
 *    everything up to the last synced write that completed.
 * 3. A read sees every write that completed before it was called.
 */
import type { Result } from '../util/result.js';

/** What went wrong in the machine. None of them is retried: the replica stops voting and says so. */
export interface StoreError {
  readonly code: 'corrupt' | 'full' | 'closed' | 'io';
  /** Says what failed, where, and what to do. */
  readonly message: string;
}

/** Called once with the outcome. */
export type Completion<T> = (result: Result<T, StoreError>) => void;

/** One change of a write. */
export type WriteOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/** A key with its value. */
export interface StoreEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Keys from `first` (included) to `end` (excluded), ordered by bytes. */
export interface KeyRange {
  readonly first: Uint8Array;
  readonly end: Uint8Array;
  /** The most entries. */
  readonly limit: number;
  /** From the end downwards. */
  readonly reverse?: boolean;
  /** Stop before the keys and values read so far exceed this; at least one entry is read. */
  readonly bytesMax?: number;
}

/** An open store. */
export interface KeyValueStore {
  /** `rocksdb`, `leveldb` or `memory`. */
  readonly engine: string;
  /** The values of keys, undefined for those that are absent, in the order of the keys. */
  getMany(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void;
  /** The entries of a range, as of one moment. */
  read(range: KeyRange, done: Completion<readonly StoreEntry[]>): void;
  /** Applies all operations in one atomic write. With `sync` it completes when they are durable. */
  write(operations: readonly WriteOperation[], options: { readonly sync: boolean }, done: Completion<void>): void;
  /** Completes when everything written is durable and the files are released. */
  close(done: Completion<void>): void;
}
