/** The client table in the store: what its executions wrote, and reading it back. */
import {
  decodeClientTableClient,
  decodeClientTableRowSummary,
  encodeClientTableClient,
  encodeClientTableRow,
} from '../ledger/client-table-codec.js';
import type { Completion, KeyValueStore, StoreEntry, StoreError, WriteOperation } from '../ports/key-value-store.js';
import type { ClientTableClient, ExecutionWrite, StoredClientTable } from '../ports/replica-store.js';
import { toHex } from '../util/bytes.js';
import { ok } from '../util/result.js';
import { clientIdOfKey, clientKey, clientRowKey, END_OF, FIRST_OF, requestOfRowKey } from './key-space.js';
import { corruptError } from './store-error.js';
import { forEachEntry, runSteps } from './store-reading.js';

type StoredRow = StoredClientTable['rows'][number];

/** What writes an execution's changes of the client table. */
export function clientTableOperations(write: ExecutionWrite): WriteOperation[] {
  const operations: WriteOperation[] = [];
  for (const client of write.clients) {
    operations.push({ type: 'put', key: clientKey(client.clientId), value: encodeClientTableClient(client) });
  }
  for (const row of write.rowsPut) {
    operations.push({ type: 'put', key: clientRowKey(row), value: encodeClientTableRow(row) });
  }
  for (const request of write.rowsDeleted) {
    operations.push({ type: 'delete', key: clientRowKey(request) });
  }
  return operations;
}

/** Reads the whole table without results. */
export function readClientTable(store: KeyValueStore, done: Completion<StoredClientTable>): void {
  const clients: ClientTableClient[] = [];
  const rows: StoredRow[] = [];
  const takeClient = (entry: StoreEntry): StoreError | undefined => {
    const clientId = clientIdOfKey(entry.key);
    const client = decodeClientTableClient(entry.value);
    if (clientId === undefined || client === undefined) {
      return undecodable('client', entry.key);
    }
    clients.push({ clientId, ...client });
    return undefined;
  };
  const takeRow = (entry: StoreEntry): StoreError | undefined => {
    const request = requestOfRowKey(entry.key);
    const row = decodeClientTableRowSummary(entry.value);
    if (request === undefined || row === undefined) {
      return undecodable('client table row', entry.key);
    }
    rows.push({ ...request, ...row });
    return undefined;
  };
  runSteps(
    [
      (next) => forEachEntry(store, { first: FIRST_OF.clients, end: END_OF.clients }, takeClient, next),
      (next) => forEachEntry(store, { first: FIRST_OF.clientRows, end: END_OF.clientRows }, takeRow, next),
    ],
    (result) => done(result.ok ? ok({ clients, rows }) : result),
  );
}

function undecodable(what: string, key: Uint8Array): StoreError {
  return corruptError(`a ${what} is not readable, key ${toHex(key)}`);
}
