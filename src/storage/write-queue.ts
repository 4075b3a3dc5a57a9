/**
 * Hands writes to an engine one after the other. The engines' bindings run writes on a pool of threads, where a later one
 * may overtake an earlier one; here at most one is under way, and what waits behind it goes along in one atomic write.
 *
 * 1. Writes take effect in the order of the calls: what a crash leaves is a prefix.
 * 2. After an error every later write fails. A failed sync leaves it unknown what is on the disk, and a second sync that
 *    succeeds proves nothing about the first: nothing is retried.
 */
import type { Completion, StoreError, WriteOperation } from '../ports/key-value-store.js';
import { failed, ok } from '../util/result.js';

/** Does one atomic write and calls `done` once, later. */
export type ApplyWrite = (
  operations: readonly WriteOperation[],
  sync: boolean,
  done: (error: StoreError | undefined) => void,
) => void;

/** What goes into one write of the engine: beyond it the rest waits for the next. */
const MERGED_BYTES_MAX = 8 * 1024 * 1024;

interface WaitingWrite {
  readonly operations: readonly WriteOperation[];
  readonly sync: boolean;
  readonly done: Completion<void>;
}

/** The order of the writes to one engine. */
export class WriteQueue {
  private readonly apply: ApplyWrite;
  private waiting: WaitingWrite[] = [];
  private isWriting = false;
  private failure: StoreError | undefined;
  private hasUnsynced = false;

  constructor(apply: ApplyWrite) {
    this.apply = apply;
  }

  /** Whether nothing waits, and everything that was written is synced. */
  get isDurable(): boolean {
    return !this.isWriting && !this.hasUnsynced && this.failure === undefined;
  }

  /** Queues a write. */
  push(operations: readonly WriteOperation[], sync: boolean, done: Completion<void>): void {
    this.waiting.push({ operations, sync, done });
    if (!this.isWriting) {
      this.isWriting = true;
      // Later in this turn, so that all that a turn writes is one write, and no completion comes before its call returns.
      queueMicrotask(() => this.writeNext());
    }
  }

  private writeNext(): void {
    if (this.waiting.length === 0) {
      this.isWriting = false;
      return;
    }
    if (this.failure !== undefined) {
      this.failAll(this.failure);
      return;
    }
    const writes = this.takeWrites();
    const sync = writes.some((write) => write.sync);
    const [first] = writes;
    const operations =
      writes.length === 1 && first !== undefined ? first.operations : writes.flatMap((write) => write.operations);
    this.hasUnsynced = !sync;
    this.apply(operations, sync, (error) => this.onWritten(writes, error));
  }

  private onWritten(writes: readonly WaitingWrite[], error: StoreError | undefined): void {
    if (error === undefined) {
      // The next write is under way before completions run: the disk doesn't wait for them.
      this.writeNext();
      for (const write of writes) {
        write.done(ok(undefined));
      }
      return;
    }
    this.failure = error;
    for (const write of writes) {
      write.done(failed(error));
    }
    this.writeNext();
  }

  private failAll(cause: StoreError): void {
    const writes = this.waiting;
    this.waiting = [];
    for (const write of writes) {
      write.done(failed({ code: cause.code, message: `nothing more is written after an error: ${cause.message}` }));
    }
    this.writeNext();
  }

  private takeWrites(): readonly WaitingWrite[] {
    let count = 0;
    let sizeBytes = 0;
    for (const write of this.waiting) {
      for (const operation of write.operations) {
        sizeBytes += operation.key.length + (operation.type === 'put' ? operation.value.length : 0);
      }
      if (count > 0 && sizeBytes > MERGED_BYTES_MAX) {
        break;
      }
      count++;
    }
    const writes = this.waiting.slice(0, count);
    this.waiting = this.waiting.slice(count);
    return writes;
  }
}
