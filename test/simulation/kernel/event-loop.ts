/**
 * Virtual time: one queue of everything that will happen, in order of time and then of scheduling. Nothing else makes
 * time pass, so a run is a function of its seed.
 */
import { assert } from '../../../src/util/assert.js';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  /** Undefined where it was cancelled. */
  run: (() => void) | undefined;
}

/** Something that will happen, unless it is cancelled. */
export interface Scheduled {
  cancel(): void;
}

/** The queue. */
export class EventLoop {
  private heap: Entry[] = [];
  private lastOrder = 0;
  private time = 0;
  private ran = 0;

  /** Virtual milliseconds since the run began. */
  get nowMs(): number {
    return this.time;
  }

  /** How many things have happened. */
  get steps(): number {
    return this.ran;
  }

  /** Has something happen after a delay; among things of one moment the one scheduled first comes first. */
  schedule(delayMs: number, run: () => void): Scheduled {
    assert(delayMs >= 0, `a delay of ${delayMs} ms would go back in time`);
    this.lastOrder++;
    const entry: Entry = { atMs: this.time + delayMs, order: this.lastOrder, run };
    this.heap.push(entry);
    this.rise(this.heap.length - 1);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** Lets the next thing happen; returns false where nothing is left. */
  step(): boolean {
    for (;;) {
      const entry = this.takeFirst();
      if (entry === undefined) {
        return false;
      }
      if (entry.run !== undefined) {
        this.time = entry.atMs;
        this.ran++;
        entry.run();
        return true;
      }
    }
  }

  private takeFirst(): Entry | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (first !== undefined && last !== undefined && first !== last) {
      this.heap[0] = last;
      this.sink();
    }
    return first;
  }

  private rise(from: number): void {
    const { heap } = this;
    const entry = heap[from];
    let index = from;
    while (entry !== undefined && index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, entry)) {
        break;
      }
      heap[index] = parent;
      index = above;
    }
    if (entry !== undefined) {
      heap[index] = entry;
    }
  }

  private sink(): void {
    const { heap } = this;
    const entry = heap[0];
    let index = 0;
    while (entry !== undefined) {
      let below = 2 * index + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        below++;
        child = right;
      }
      if (child === undefined || isBefore(entry, child)) {
        break;
      }
      heap[index] = child;
      index = below;
    }
    if (entry !== undefined) {
      heap[index] = entry;
    }
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
