/** What a replica finds again of its log when it is started again. */
import assert from 'node:assert/strict';
import { sequence } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import { createMemoryDisk, type MemoryDisk } from '../../support/memory-store.js';
import { succeeded } from '../../support/storage.js';
import {
  acceptedRecord,
  batchOf,
  CLIENT,
  checkpointCertificateOf,
  evidenceRecord,
  executionOf,
  lifeUpTo,
  OPTIONS,
  preparedCertificateOf,
} from '../../support/storage-records.js';
import { act, append, type Opened, openDisk, reopen } from './replica-store-bench.js';

describe('the replica store', () => {
  let disk: MemoryDisk;
  let opened: Opened;

  beforeEach(async () => {
    disk = createMemoryDisk();
    opened = await openDisk(disk);
  });

  it('finds nothing in a new store', () => {
    assert.deepEqual(opened.state, {
      view: 0,
      active: true,
      ownViewChange: undefined,
      begunView: undefined,
      batches: [],
      stableCheckpoint: undefined,
      accepted: [],
      prepared: [],
      ownCheckpoints: [],
      committed: [],
      evidence: [],
      lastExecuted: 0,
      lastHeaderDigest: OPTIONS.genesisDigest,
    });
  });

  it('finds accepted batches and certificates of the latest view for each sequence', async () => {
    const [first, second, third] = [batchOf(1), batchOf(2), batchOf(3)];
    const own = { ...acceptedRecord(third, 2, 4), signed: undefined } as LogRecord;
    await append(opened.store, acceptedRecord(first, 1, 0), acceptedRecord(second, 2, 0));
    await append(opened.store, { kind: 'prepared', certificate: preparedCertificateOf(second, 2, 0) }, own);
    await append(opened.store, { kind: 'prepared', certificate: preparedCertificateOf(third, 2, 4) });
    const { state, store } = await reopen(opened, disk);
    const found = state.accepted.map(({ prePrepare, signed, batch }) => ({
      at: prePrepare.sequence,
      view: prePrepare.view,
      isSigned: signed !== undefined,
      digest: batch.digest,
      requests: batch.requests,
    }));
    assert.deepEqual(found, [
      { at: 1, view: 0, isSigned: true, digest: first.digest, requests: [{ clientId: CLIENT, number: 1 }] },
      { at: 2, view: 4, isSigned: false, digest: third.digest, requests: [{ clientId: CLIENT, number: 3 }] },
    ]);
    assert.deepEqual(state.prepared, [preparedCertificateOf(third, 2, 4)]);
    for (const batch of [second, third]) {
      const bytes = await succeeded((done) => store.readBatch(sequence(2), batch.digest, done));
      assert.deepEqual(bytes, batch.bytes);
    }
  });

  it('finds the view, the checkpoints and the evidence after everything around them was discarded', async () => {
    await act(opened.store, lifeUpTo(9));
    const { state } = await reopen(opened, disk);
    assert.equal(state.view, 1);
    assert.equal(state.stableCheckpoint?.checkpoints[0]?.message.sequence, 8);
    assert.equal(state.evidence.length, 1);
    assert.deepEqual(
      state.accepted.map((accepted) => accepted.prePrepare.sequence),
      [9, 10],
    );
    assert.deepEqual(
      state.committed.map((commit) => commit.sequence),
      [9],
    );
    assert.equal(state.committed[0]?.certificate?.commits.length, 3);
    assert.equal(state.lastExecuted, 9);
  });

  it('keeps whatever is above the stable checkpoint, also what was written before things that are discarded', async () => {
    const { store } = opened;
    const batches = [1, 2, 3, 4, 5, 6].map((number) => batchOf(number));
    for (const [index, batch] of batches.entries()) {
      await append(store, acceptedRecord(batch, index + 1));
      await append(store, { kind: 'prepared', certificate: preparedCertificateOf(batch, index + 1) });
    }
    let headerDigest = OPTIONS.genesisDigest;
    for (const [index, batch] of batches.slice(0, 4).entries()) {
      const execution = executionOf(batch, index + 1, headerDigest);
      headerDigest = execution.headerDigest;
      await succeeded<void>((done) => store.commitExecution([execution], done));
    }
    await append(store, { kind: 'stableCheckpoint', certificate: checkpointCertificateOf(4, headerDigest) });
    await succeeded<void>((done) => store.discard(sequence(4), done));
    const { state } = await reopen(opened, disk);
    assert.deepEqual(
      state.accepted.map((accepted) => accepted.prePrepare.sequence),
      [5, 6],
    );
    assert.deepEqual(
      state.prepared.map((certificate) => certificate.prePrepare.message.sequence),
      [5, 6],
    );
    assert.deepEqual(state.committed, []);
  });

  it('finds the own checkpoint of what was executed, also where the crash came before its record', async () => {
    const { store } = opened;
    let headerDigest = OPTIONS.genesisDigest;
    const digests: string[] = [];
    for (let at = 1; at <= 5; at++) {
      const batch = batchOf(at);
      await append(store, acceptedRecord(batch, at));
      const execution = executionOf(batch, at, headerDigest);
      headerDigest = execution.headerDigest;
      digests.push(headerDigest);
      await succeeded<void>((done) => store.commitExecution([execution], done));
    }
    const { state } = await reopen(opened, disk);
    assert.equal(state.lastExecuted, 5);
    assert.deepEqual(state.ownCheckpoints, [{ type: 'checkpoint', sequence: 4, headerDigest: digests[3] }]);
  });

  it('keeps one pair of evidence a replica and kind', async () => {
    await append(opened.store, evidenceRecord(1), evidenceRecord(2));
    await append(opened.store, evidenceRecord(3));
    const { state } = await reopen(opened, disk);
    assert.equal(state.evidence.length, 1);
  });

  it('keeps a size that does not grow with the length of the past, but for the ledger', async () => {
    const logSizes: number[] = [];
    for (const last of [9, 33]) {
      const own = createMemoryDisk();
      const { store } = await openDisk(own);
      await act(store, lifeUpTo(last));
      const prefixes = own.keys.map((key) => key.charCodeAt(0));
      logSizes.push(prefixes.filter((prefix) => prefix === 2 || prefix === 5).length);
      // One batch a sequence is the ledger; the one that lost at 3, 6, … is gone with its checkpoint.
      const batches = prefixes.filter((prefix) => prefix === 3).length;
      assert.ok(batches <= last + 3, `${batches} batches after ${last} sequences`);
    }
    assert.ok((logSizes[1] ?? 0) <= (logSizes[0] ?? 0) + 2, `${logSizes}`);
  });

  it('writes a batch once, however many records bring it', async () => {
    const batch = batchOf(1, 50_000);
    await append(opened.store, acceptedRecord(batch, 1, 0), { kind: 'batch', sequence: sequence(1), batch });
    await append(opened.store, acceptedRecord(batch, 1, 4));
    const again = await reopen(opened, disk);
    const writes: number[] = [];
    const { memory } = again;
    const write = memory.write.bind(memory);
    memory.write = (operations, options, done) => {
      writes.push(operations.length);
      write(operations, options, done);
    };
    await append(again.store, acceptedRecord(batch, 1, 8));
    assert.deepEqual(writes, [1]);
    assert.equal(disk.keys.filter((key) => key.charCodeAt(0) === 3).length, 1);
  });

  it('keeps a batch at or below the stable checkpoint until it is executed', async () => {
    const batch = batchOf(1);
    const certificate = checkpointCertificateOf(4, batch.digest);
    await append(
      opened.store,
      { kind: 'batch', sequence: sequence(1), batch },
      { kind: 'stableCheckpoint', certificate },
    );
    await succeeded((done) => opened.store.discard(sequence(4), done));
    const { store } = await reopen(opened, disk);
    assert.deepEqual(await succeeded((done) => store.readBatch(sequence(1), batch.digest, done)), batch.bytes);
    await succeeded((done) => store.commitExecution([executionOf(batch, 1, OPTIONS.genesisDigest)], done));
    await succeeded((done) => store.discard(sequence(4), done));
    assert.deepEqual(await succeeded((done) => store.readBatch(sequence(1), batch.digest, done)), batch.bytes);
  });

  it('takes records of a sequence that was discarded while they waited, and writes no batch of it', async () => {
    const [batch, other] = [batchOf(1), batchOf(2)];
    const execution = executionOf(batch, 1, OPTIONS.genesisDigest);
    const certificate = checkpointCertificateOf(4, batch.digest);
    const record: LogRecord = { kind: 'batch', sequence: sequence(1), batch };
    await append(opened.store, record, { kind: 'stableCheckpoint', certificate });
    await succeeded<void>((done) => opened.store.commitExecution([execution], done));
    await succeeded<void>((done) => opened.store.discard(sequence(4), done));
    const batchesBefore = disk.keys.filter((key) => key.charCodeAt(0) === 3);
    await append(opened.store, record, acceptedRecord(other, 1, 4));
    assert.deepEqual(
      disk.keys.filter((key) => key.charCodeAt(0) === 3),
      batchesBefore,
    );
    const { state, store } = await reopen(opened, disk);
    assert.deepEqual([state.lastExecuted, state.accepted, state.batches], [1, [], []]);
    assert.deepEqual(await succeeded((done) => store.readBatch(sequence(1), batch.digest, done)), batch.bytes);
  });
});
