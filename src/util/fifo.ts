/**
 * A first-in, first-out queue whose `shift` costs the same however long it is: an array with a moving head, copied
 * when half of it is spent. It is not bounded by itself; whoever fills it bounds it.
 */

const COMPACT_FROM = 64;

/** A queue. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  /** How many items wait. */
  get length(): number {
    return this.items.length - this.head;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.items.push(item);
  }

  /** The oldest item, which stays. */
  peek(): T | undefined {
    return this.items[this.head];
  }

  /** Drops all. */
  clear(): void {
    this.items = [];
    this.head = 0;
  }

  /** Takes the oldest item, undefined where there is none. */
  shift(): T | undefined {
    if (this.head === this.items.length) {
      return undefined;
    }
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head++;
    if (this.head === this.items.length) {
      this.clear();
    } else if (this.head >= COMPACT_FROM && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
