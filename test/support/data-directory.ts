/** Data directories with a replica's life in them, and what a replica finds in them. */
import assert from 'node:assert/strict';
import { sha256 } from '../../src/crypto/hash.js';
import type { Completion, StoreEntry } from '../../src/ports/key-value-store.js';
import type { ReplicaStore, StoredClientTable, StoredLedgerEntry } from '../../src/ports/replica-store.js';
import { replicaId, sequence } from '../../src/protocol/identifiers.js';
import type { RecoveredState } from '../../src/protocol/log-record.js';
import { type DataDirectory, type DataDirectoryOptions, openDataDirectory } from '../../src/storage/data-directory.js';
import type { DirectoryIdentity } from '../../src/storage/directory-identity.js';
import type { DataDirectoryError } from '../../src/storage/directory-inspection.js';
import type { EngineName } from '../../src/storage/engine-name.js';
import { createReplicaStore } from '../../src/storage/replica-store.js';
import { utf8 } from '../../src/util/bytes.js';
import { failed, ok, type Result } from '../../src/util/result.js';
import { completed, succeeded } from './storage.js';
import { type Action, OPTIONS } from './storage-records.js';

/** Whose data it is. */
export const IDENTITY: DirectoryIdentity = {
  clusterId: OPTIONS.genesisDigest,
  replica: replicaId(1),
  keyFingerprint: sha256(utf8('a key')),
};

/** Opens a data directory. */
export function tryOpen(options: DataDirectoryOptions): Promise<Result<DataDirectory, DataDirectoryError>> {
  return new Promise((resolve) => openDataDirectory(options, resolve));
}

/** Opens, does this part of a replica's life, and closes. */
export async function live(directory: string, engine: EngineName, actions: readonly Action[]): Promise<void> {
  const opened = await tryOpen({ directory, engine, identity: IDENTITY });
  assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
  const store = createReplicaStore(opened.value.store, OPTIONS);
  await succeeded<RecoveredState>((done) => store.recover(done));
  for (const action of actions) {
    await succeeded<void>((done) => action.run(store, done));
  }
  await succeeded<void>((done) => store.close(done));
}

/** Everything that a replica finds when it starts on this directory, comparable; or why it doesn't start. */
export async function findIn(directory: string, engine: EngineName): Promise<Result<unknown, DataDirectoryError>> {
  const opened = await tryOpen({ directory, engine, identity: IDENTITY });
  if (!opened.ok) {
    return opened;
  }
  const store = createReplicaStore(opened.value.store, OPTIONS);
  try {
    return await readAll(store);
  } finally {
    await completed<void>((done) => store.close(done));
  }
}

async function readAll(store: ReplicaStore): Promise<Result<unknown, DataDirectoryError>> {
  const state = await completed<RecoveredState>((done) => store.recover(done));
  if (!state.ok) {
    return failed(state.error);
  }
  const range = { first: sequence(1), last: state.value.lastExecuted, bytesMax: 1 << 30 };
  const everything: unknown[] = [state.value];
  const reads: readonly ((done: Completion<unknown>) => void)[] = [
    (done: Completion<readonly StoredLedgerEntry[]>) => store.readLedger(range, done),
    (done: Completion<StoredClientTable>) => store.readClientTable(done),
    (done: Completion<readonly StoreEntry[]>) =>
      store.readApplication({ first: new Uint8Array(0), end: undefined, limit: 1_000 }, done),
  ];
  for (const read of reads) {
    const result = await completed<unknown>(read);
    if (!result.ok) {
      return failed(result.error);
    }
    everything.push(result.value);
  }
  return ok(everything);
}
