/** What a replica reads of what it executed: the ledger, clients, the application and its own numbers. */
import assert from 'node:assert/strict';
import type { StoreEntry } from '../../../src/ports/key-value-store.js';
import type { StoredClientTable } from '../../../src/ports/replica-store.js';
import type { CheckpointCertificate } from '../../../src/protocol/certificates.js';
import { sequence } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import { createMemoryDisk, type MemoryDisk } from '../../support/memory-store.js';
import { succeeded } from '../../support/storage.js';
import {
  acceptedRecord,
  batchOf,
  CLIENT,
  executionOf,
  lifeUpTo,
  OPTIONS,
  rowOf,
} from '../../support/storage-records.js';
import { act, append, type Opened, openDisk, readClientRow } from './replica-store-bench.js';

describe('the replica store and what was executed', () => {
  let disk: MemoryDisk;
  let opened: Opened;

  beforeEach(async () => {
    disk = createMemoryDisk();
    opened = await openDisk(disk);
  });

  it('reads the ledger upwards within its bytes, and headers all or none', async () => {
    await act(opened.store, lifeUpTo(6, 1_000));
    const { store } = opened;
    const read = async (first: number, last: number, bytesMax: number): Promise<number[]> => {
      const range = { first: sequence(first), last: sequence(last), bytesMax };
      const entries = await succeeded<readonly { header: { sequence: number } }[]>((done) =>
        store.readLedger(range, done),
      );
      return entries.map((entry) => entry.header.sequence);
    };
    assert.deepEqual(await read(2, 5, 1 << 20), [2, 3, 4, 5]);
    assert.deepEqual(await read(2, 5, 2_500), [2, 3]);
    assert.deepEqual(await read(2, 5, 1), [2]);
    assert.deepEqual(await read(5, 99, 1 << 20), [5, 6]);
    assert.deepEqual(await read(7, 9, 1 << 20), []);
    const headers = (first: number, last: number) =>
      succeeded<readonly { sequence: number }[]>((done) => store.readHeaders(sequence(first), sequence(last), done));
    assert.deepEqual(
      (await headers(3, 6)).map((header) => header.sequence),
      [3, 4, 5, 6],
    );
    assert.deepEqual(await headers(3, 7), []);
  });

  it('finds the nearest checkpoint certificate at or above a sequence', async () => {
    await act(opened.store, lifeUpTo(9));
    const find = async (atLeast: number) => {
      const certificate = await succeeded<CheckpointCertificate | undefined>((done) =>
        opened.store.readCheckpointCertificate(sequence(atLeast), done),
      );
      return certificate?.checkpoints[0]?.message.sequence;
    };
    assert.deepEqual(
      [await find(1), await find(4), await find(5), await find(8), await find(9)],
      [4, 4, 8, 8, undefined],
    );
  });

  it('gives the client table without results and one row with them', async () => {
    await act(opened.store, lifeUpTo(7));
    const table = await succeeded<StoredClientTable>((done) => opened.store.readClientTable(done));
    assert.deepEqual(table.clients, [{ clientId: CLIENT, acknowledged: 2 }]);
    const { results, ...head } = rowOf(3);
    assert.deepEqual(table.rows[0], { ...head, keptResultBytes: results?.[0]?.length });
    assert.deepEqual(
      table.rows.map((row) => row.number),
      [3, 4, 5, 6, 7],
    );
    assert.deepEqual(await readClientRow(opened, { clientId: CLIENT, number: 7 }), rowOf(7));
    assert.equal(await readClientRow(opened, { clientId: CLIENT, number: 2 }), undefined);
  });

  it("keeps the application's keys apart from its own, up to the last one", async () => {
    const highest = Uint8Array.of(255, 255);
    const write = executionOf(batchOf(1), 1, OPTIONS.genesisDigest);
    await append(opened.store, acceptedRecord(batchOf(1), 1));
    const application = [
      { type: 'put', key: new Uint8Array(0), value: utf8('empty') },
      { type: 'put', key: highest, value: utf8('highest') },
    ] as const;
    await succeeded((done) => opened.store.commitExecution([{ ...write, application }], done));
    const read = (first: Uint8Array, end: Uint8Array | undefined) =>
      succeeded<readonly StoreEntry[]>((done) => opened.store.readApplication({ first, end, limit: 10 }, done));
    assert.deepEqual(
      (await read(new Uint8Array(0), undefined)).map((entry) => entry.key),
      [new Uint8Array(0), highest],
    );
    assert.deepEqual(
      (await read(new Uint8Array(0), highest)).map((entry) => entry.value),
      [utf8('empty')],
    );
    const keys = [highest, utf8('absent'), new Uint8Array(0)];
    const values = await succeeded((done) => opened.store.getApplication(keys, done));
    assert.deepEqual(values, [utf8('highest'), undefined, utf8('empty')]);
  });

  it('remembers reserved request numbers', async () => {
    assert.equal(await succeeded((done) => opened.store.readReservedNumber(done)), 0);
    await succeeded((done) => opened.store.reserveNumbers(256, done));
    opened.memory.crash(() => 0);
    const { store } = await openDisk(disk);
    assert.equal(await succeeded((done) => store.readReservedNumber(done)), 256);
  });

  it('ST-07: refuses to execute a sequence twice, or one that leaves a gap', async () => {
    await append(opened.store, acceptedRecord(batchOf(1), 1), acceptedRecord(batchOf(2), 2));
    const first = executionOf(batchOf(1), 1, OPTIONS.genesisDigest);
    const second = executionOf(batchOf(2), 2, first.headerDigest);
    const execute = (write: typeof first) => () => opened.store.commitExecution([write], () => {});
    assert.throws(execute(second), /after 0 comes not 2/);
    await succeeded((done) => opened.store.commitExecution([first], done));
    assert.throws(execute(first), /after 1 comes not 1/);
    const lacking = executionOf(batchOf(99), 2, first.headerDigest);
    assert.throws(execute(lacking), /the batch executed at 2 is not in the store/);
  });
});
