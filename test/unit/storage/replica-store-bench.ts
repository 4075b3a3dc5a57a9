/** Opens replica stores on disks in memory. */
import { decodeClientTableRow } from '../../../src/ledger/client-table-codec.js';
import type { ClientTableRow, ReplicaStore } from '../../../src/ports/replica-store.js';
import type { LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import type { RequestKey } from '../../../src/protocol/messages.js';
import { createChecksummedStore } from '../../../src/storage/checksummed-store.js';
import { clientRowKey, nameOfKeySpace } from '../../../src/storage/key-space.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { createMemoryStore, type MemoryDisk } from '../../support/memory-store.js';
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

/** A row of the client table with its results, as it is on the disk; undefined where there is none. */
export async function readClientRow({ memory }: Opened, request: RequestKey): Promise<ClientTableRow | undefined> {
  const store = createChecksummedStore(memory, nameOfKeySpace);
  const [bytes] = await succeeded<readonly (Uint8Array | undefined)[]>((done) =>
    store.getMany([clientRowKey(request)], done),
  );
  const row = bytes && decodeClientTableRow(bytes);
  return row && { ...request, ...row };
}
