/**
 * A store that remembers how far it came (reached.ts): it watches the groups of the log go by, and writes the newest
 * durable number to the file some seconds later and when it is closed. What it does is never waited for by a vote.
 */
import type { Completion, KeyRange, KeyValueStore, StoreEntry, WriteOperation } from '../ports/key-value-store.js';
import { pathIn, replaceDurably } from './directory-files.js';
import { numberOfGroupKey } from './key-space.js';
import { encodeReached, readStoreFiles } from './reached.js';

/** How long the file may be behind the store. */
const BEHIND_MS = 5_000;

/** Where the file stands, and what is known. */
export interface RecorderOptions {
  readonly directory: string;
  readonly storeFolder: string;
  /** The newest group when the store was opened. */
  readonly logGroup: number;
  /** 5 s by default. */
  readonly behindMs?: number;
}

/** The store with its record, which is written before this returns. */
export async function createRecordedStore(store: KeyValueStore, options: RecorderOptions): Promise<KeyValueStore> {
  const recorded = new RecordedStore(store, options);
  await recorded.record();
  return recorded;
}

class RecordedStore implements KeyValueStore {
  readonly engine: string;
  private readonly store: KeyValueStore;
  private readonly options: RecorderOptions;
  private durable: number;
  private recorded = -1;
  private timer: NodeJS.Timeout | undefined;
  private isClosing = false;
  /** Settled when nothing is being written to the file. */
  private recording: Promise<void> = Promise.resolve();

  constructor(store: KeyValueStore, options: RecorderOptions) {
    this.engine = store.engine;
    this.store = store;
    this.options = options;
    this.durable = options.logGroup;
  }

  getMany(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void {
    this.store.getMany(keys, done);
  }

  read(range: KeyRange, done: Completion<readonly StoreEntry[]>): void {
    this.store.read(range, done);
  }

  write(operations: readonly WriteOperation[], options: { readonly sync: boolean }, done: Completion<void>): void {
    const newest = options.sync ? newestGroupOf(operations) : 0;
    if (newest <= this.durable) {
      this.store.write(operations, options, done);
      return;
    }
    this.store.write(operations, options, (result) => {
      if (result.ok) {
        this.note(newest);
      }
      done(result);
    });
  }

  close(done: Completion<void>): void {
    this.isClosing = true;
    clearTimeout(this.timer);
    const closeStore = (): void => this.store.close(done);
    // While the store's lock is held: afterwards the file may be another process's.
    this.recordSoon().then(closeStore, closeStore);
  }

  /** Writes the file, where it is behind. */
  async record(): Promise<void> {
    const { directory, storeFolder } = this.options;
    const logGroup = this.durable;
    if (logGroup === this.recorded) {
      return;
    }
    const files = await readStoreFiles(directory, storeFolder);
    await replaceDurably(pathIn(directory, 'reached'), encodeReached({ logGroup, files }));
    this.recorded = logGroup;
  }

  private note(newest: number): void {
    this.durable = Math.max(this.durable, newest);
    if (this.timer !== undefined || this.isClosing) {
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // A failure leaves a lower bound that holds; the store's own writes say what is wrong with the disk.
      this.recordSoon().catch(() => undefined);
    }, this.options.behindMs ?? BEHIND_MS);
    this.timer.unref();
  }

  private recordSoon(): Promise<void> {
    const recorded = this.recording.then(() => this.record());
    this.recording = recorded.catch(() => undefined);
    return recorded;
  }
}

function newestGroupOf(operations: readonly WriteOperation[]): number {
  let newest = 0;
  for (const { type, key } of operations) {
    if (type === 'put') {
      newest = Math.max(newest, numberOfGroupKey(key) ?? 0);
    }
  }
  return newest;
}
