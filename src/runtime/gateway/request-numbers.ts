/**
 * The numbers of this replica's own requests. ⚑ A client never signs two requests with one number (protocol.md 3), so
 * a number is used only when it is durable that it may be: blocks of them are reserved ahead.
 *
 * After a restart numbers start above everything that may have been used before: what was reserved, and (for a replica
 * that lost its disk) the highest in the replicated table and as many more as the cluster would have taken in flight.
 */
import type { StoreError } from '../../ports/key-value-store.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import { assert } from '../../util/assert.js';

const BLOCK_NUMBERS = 256;

/** What the numbers depend on. */
export interface RequestNumbersOptions {
  readonly store: Pick<ReplicaStore, 'readReservedNumber' | 'reserveNumbers'>;
  /** The highest number of this client in the client table. */
  readonly highestInTable: () => number;
  readonly clientWindow: number;
  /** Numbers became usable. */
  readonly onReserved: () => void;
  readonly onFailed: (error: StoreError) => void;
}

/** Gives out numbers. */
export class RequestNumbers {
  private next = 0;
  private reservedUpTo = 0;
  private isReserving = false;

  constructor(private readonly options: RequestNumbersOptions) {}

  /** Finds the first number and reserves the first block. */
  start(): void {
    const { store, clientWindow, highestInTable, onFailed } = this.options;
    store.readReservedNumber((result) => {
      if (!result.ok) {
        onFailed(result.error);
        return;
      }
      this.next = Math.max(result.value, highestInTable() + clientWindow) + 1;
      this.reservedUpTo = this.next - 1;
      this.reserveAhead();
    });
  }

  /** Whether the next number is reserved. */
  get isAvailable(): boolean {
    return this.next > 0 && this.next <= this.reservedUpTo;
  }

  /** The number that `take` gives next. */
  peek(): number {
    return this.next;
  }

  /** Takes the next number; only where one is available. */
  take(): number {
    assert(this.isAvailable, `number ${this.next} is not reserved`);
    const number = this.next;
    this.next++;
    this.reserveAhead();
    return number;
  }

  private reserveAhead(): void {
    const left = this.reservedUpTo - this.next + 1;
    if (this.isReserving || left > BLOCK_NUMBERS / 2) {
      return;
    }
    this.isReserving = true;
    const upTo = this.reservedUpTo + BLOCK_NUMBERS;
    this.options.store.reserveNumbers(upTo, (result) => {
      this.isReserving = false;
      if (!result.ok) {
        this.options.onFailed(result.error);
        return;
      }
      this.reservedUpTo = upTo;
      this.options.onReserved();
    });
  }
}
