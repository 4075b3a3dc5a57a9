/**
 * What a group of batches reads, planned ahead: the keys of many operations are read in one call, of so many at a time
 * that values of the longest kind don't fill the memory.
 */
import type { Key, StateMachine } from '../../ports/state-machine.js';
import { defined } from '../../util/assert.js';
import { type Announcement, type GroupExecutionStore, type KeyName, nameOfKey } from './execution-store.js';

/** The most keys of one read. One operation that announces more has them all. */
const KEYS_A_READ_MAX = 256;

const NOTHING: Announcement = { keys: [], names: [], ranges: [] };

/** The announcements of a group's operations. */
export class ReadPlan {
  private first = 0;
  private announcements: Announcement[] = [];

  constructor(
    private readonly stateMachine: StateMachine,
    private readonly operations: readonly Uint8Array[],
  ) {}

  /** Whether the operation at this place is planned, and what it announced read. */
  covers(place: number): boolean {
    return place >= this.first && place < this.first + this.announcements.length;
  }

  /** What the operation at a covered place announced. */
  announcementOf(place: number): Announcement {
    return defined(this.announcements[place - this.first], `operation ${place} is not planned`);
  }

  /** Plans operations from this place on; returns the keys that have to be read for them, each once. */
  planFrom(
    place: number,
    store: GroupExecutionStore,
  ): { readonly keys: readonly Key[]; readonly names: readonly KeyName[] } {
    const needed = new Map<KeyName, Key>();
    this.first = place;
    this.announcements = [];
    for (let at = place; at < this.operations.length; at++) {
      const announcement = this.announce(defined(this.operations[at], 'the place is one of the group'));
      if (at > place && needed.size + announcement.keys.length > KEYS_A_READ_MAX) {
        break;
      }
      for (const [index, name] of announcement.names.entries()) {
        const key = announcement.keys[index];
        if (key !== undefined && !store.isWritten(name)) {
          needed.set(name, key);
        }
      }
      this.announcements.push(announcement);
    }
    return { keys: [...needed.values()], names: [...needed.keys()] };
  }

  private announce(operation: Uint8Array): Announcement {
    const keys = this.stateMachine.keysToRead(operation);
    const ranges = this.stateMachine.rangesToRead(operation);
    return keys.length === 0 && ranges.length === 0 ? NOTHING : { keys, names: keys.map(nameOfKey), ranges };
  }
}
