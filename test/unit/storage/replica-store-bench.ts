/** Opens replica stores on disks in memory. */
import type { ReplicaStore } from '../../../src/ports/replica-store.js';
import type { LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import { createMemoryStore, type MemoryDisk } from '../../../src/storage/memory-store.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { succeeded } from '../../support/storage.js';
import { type Action, OPTIONS } from '../../support/storage-records.js';

/** A replica store in memory, and what it recovered. */
export interface Opened {
  readonly memory: ReturnType<typeof createMemoryStore>;
  readonly store: ReplicaStore;
  readonly state: RecoveredState;
}

/** Opens a replica store on a disk. */
export async function openDisk(disk: MemoryDisk): Promise<Opened> {
  const memory = createMemoryStore({ disk, defer: setImmediate });
  const store = createReplicaStore(memory, OPTIONS);
  const state = await succeeded<RecoveredState>((done) => store.recover(done));
  return { memory, store, state };
}

/** Closes the store and opens its disk again. */
export async function reopen(opened: Opened, disk: MemoryDisk): Promise<Opened> {
  await succeeded((done) => opened.store.close(done));
  return openDisk(disk);
}

/** Does one action after the other. */
export async function act(store: ReplicaStore, actions: readonly Action[]): Promise<void> {
  for (const action of actions) {
    await succeeded<void>((done) => action.run(store, done));
  }
}

/** Appends records to the log and waits until they are durable. */
export function append(store: ReplicaStore, ...records: readonly LogRecord[]): Promise<void> {
  return succeeded((done) => store.append(records, done));
}
