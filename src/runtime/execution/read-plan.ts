/**
 * What a group of batches reads, planned ahead: the keys of many operations are read in one call, of so many at a time
 * that values of the longest kind don't fill the memory.
 */
import type { Key } from '../../ports/state-machine.js';
import { defined } from '../../util/assert.js';
import type { Announcement, GroupExecutionStore, KeyName } from './execution-store.js';
import type { Prepared } from './prepared-operations.js';

/** The most keys of one read. One operation that announces more has them all. */
const KEYS_A_READ_MAX = 256;

/** The reads of a group's operations. */
export class ReadPlan {
  private first = 0;
  private end = 0;

  constructor(private readonly operations: readonly Prepared[]) {}

  /** Whether the operation at this place is planned, and what it announced read. */
  covers(place: number): boolean {
    return place >= this.first && place < this.end;
  }

  /** Plans operations from this place on; returns the keys that have to be read for them, each once. */
  planFrom(
    place: number,
    store: GroupExecutionStore,
  ): { readonly keys: readonly Key[]; readonly names: readonly KeyName[] } {
    const needed = new Map<KeyName, Key>();
    this.first = place;
    this.end = place;
    for (; this.end < this.operations.length; this.end++) {
      const { announcement } = defined(this.operations[this.end], 'the place is one of the group');
      if (this.end > place && needed.size + announcement.keys.length > KEYS_A_READ_MAX) {
        break;
      }
      addNeeded(needed, announcement, store);
    }
    return { keys: [...needed.values()], names: [...needed.keys()] };
  }
}

function addNeeded(needed: Map<KeyName, Key>, { keys, names }: Announcement, store: GroupExecutionStore): void {
  for (const [index, name] of names.entries()) {
    const key = keys[index];
    if (key !== undefined && !store.isWritten(name)) {
      needed.set(name, key);
    }
  }
}
