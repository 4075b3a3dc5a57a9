/**
 * A replica's disk: the in-memory store, with latency in virtual time and the faults that disks have. Completions come
 * in the order of the calls. It outlives the process: a crash keeps what was synced, and of the rest a prefix.
 */
import type { KeyValueStore } from '../../../src/ports/key-value-store.js';
import { assert } from '../../../src/util/assert.js';
import { createMemoryDisk, createMemoryStore, type MemoryDisk, type MemoryStore } from '../../support/memory-store.js';
import type { EventLoop } from '../kernel/event-loop.js';
import type { Random } from '../kernel/random.js';
import type { ProcessLife } from './process-life.js';

/** What a crash leaves of the writes that were not synced. */
export type CrashLoss = 'all' | 'some' | 'none';

const READ_MS_MEAN = 0.05;
const WRITE_MS_MEAN = 0.05;
const SYNC_MS_MIN = 0.2;
const SYNC_MS_MEAN = 0.3;

const FULL = { code: 'full', message: 'the disk is full; free some space' } as const;

/** One disk. */
export class SimulatedDisk {
  private readonly disk: MemoryDisk = createMemoryDisk();
  private open: { readonly store: MemoryStore; readonly life: ProcessLife } | undefined;
  private issuedWrites = 0;
  private syncedWrites = 0;
  private freeAtMs = 0;
  private full = false;
  /** How many times slower than usual it is. */
  slowness = 1;

  constructor(
    private readonly loop: EventLoop,
    private readonly random: Random,
  ) {}

  /** How many writes were asked for, in all lives. */
  get issued(): number {
    return this.issuedWrites;
  }

  /** The last write of which it is known that a crash keeps it and all before it. */
  get synced(): number {
    return this.syncedWrites;
  }

  /** How many keys it holds. */
  get size(): number {
    return this.disk.keys.length;
  }

  /** Opens the store for a life. */
  openStore(life: ProcessLife): KeyValueStore {
    assert(this.open === undefined, 'a disk is open once');
    let latencyMs = 0;
    this.freeAtMs = 0;
    const store = createMemoryStore({
      disk: this.disk,
      defer: (run) => {
        this.freeAtMs = Math.max(this.freeAtMs, this.loop.nowMs + latencyMs * this.slowness);
        this.loop.schedule(this.freeAtMs - this.loop.nowMs, () => life.enter(run));
      },
    });
    this.open = { store, life };
    if (this.full) {
      store.failWrites(FULL);
    }
    const acting = (meanMs: number, minMs: number, call: () => void): void => {
      if (life.act()) {
        latencyMs = minMs + this.random.exponential(meanMs);
        call();
      }
    };
    return {
      engine: store.engine,
      getMany: (keys, done) => acting(READ_MS_MEAN, 0, () => store.getMany(keys, done)),
      read: (range, done) => acting(READ_MS_MEAN, 0, () => store.read(range, done)),
      write: (operations, options, done) =>
        acting(options.sync ? SYNC_MS_MEAN : WRITE_MS_MEAN, options.sync ? SYNC_MS_MIN : 0, () => {
          this.issuedWrites++;
          const number = this.issuedWrites;
          store.write(operations, options, (result) => {
            if (result.ok && options.sync) {
              this.syncedWrites = Math.max(this.syncedWrites, number);
            }
            done(result);
          });
        }),
      close: (done) =>
        acting(SYNC_MS_MEAN, SYNC_MS_MIN, () => {
          this.open = undefined;
          store.close(done);
        }),
    };
  }

  /** A copy of everything that is on it, as whoever copies a volume gets it. */
  copy(): MemoryDisk {
    return { values: new Map(this.disk.values), keys: [...this.disk.keys] };
  }

  /** Another content takes the place of what is on it; no process has it open. */
  replace({ values, keys }: MemoryDisk): void {
    assert(this.open === undefined, 'a disk is replaced while it is not open');
    this.disk.values.clear();
    for (const [key, value] of values) {
      this.disk.values.set(key, value);
    }
    this.disk.keys.splice(0, this.disk.keys.length, ...keys);
  }

  /** The process that has it open ends. */
  crash(loss: CrashLoss): void {
    const { open } = this;
    this.open = undefined;
    open?.store.crash((unsynced) => {
      switch (loss) {
        case 'all':
          return 0;
        case 'some':
          return this.random.integer(0, unsynced);
        case 'none':
          return unsynced;
      }
    });
    // Whatever is there now survived; what did not will be written again under new numbers.
    this.issuedWrites++;
    this.syncedWrites = this.issuedWrites;
  }

  /** Whether it is full. */
  get isFull(): boolean {
    return this.full;
  }

  /** Every write fails from now on. */
  fill(): void {
    this.full = true;
    this.open?.store.failWrites(FULL);
  }

  /** There is space again, for whoever opens it anew. */
  free(): void {
    this.full = false;
  }
}
