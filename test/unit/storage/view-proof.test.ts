/** In which view a replica finds itself again, and what proves it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ReplicaStore } from '../../../src/ports/replica-store.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { createMemoryDisk, createMemoryStore, type MemoryDisk } from '../../support/memory-store.js';
import { failedWith, succeeded } from '../../support/storage.js';
import {
  acceptedRecord,
  batchOf,
  begunViewOf,
  checkpointCertificateOf,
  lifeUpTo,
  newViewRecord,
  OPTIONS,
  viewChangeOf,
} from '../../support/storage-records.js';

/** The key of what proves the view. */
const PROOF_KEY = '\x01\x06';

async function openDisk(disk: MemoryDisk) {
  const memory = createMemoryStore({ disk, defer: setImmediate });
  const store = createReplicaStore(memory, OPTIONS);
  const state = await succeeded<RecoveredState>((done) => store.recover(done));
  return { memory, store, state };
}

function append(store: ReplicaStore, ...records: readonly LogRecord[]): Promise<void> {
  return succeeded((done) => store.append(records, done));
}

/** What a replica with these writes finds when it starts again. */
async function foundAfter(...writes: readonly (readonly LogRecord[])[]): Promise<RecoveredState> {
  const disk = createMemoryDisk();
  const { store } = await openDisk(disk);
  for (const records of writes) {
    await append(store, ...records);
  }
  await succeeded((done) => store.close(done));
  return (await openDisk(disk)).state;
}

const left = (inView: number): LogRecord => ({ kind: 'view', view: view(inView) });
const changing = (inView: number): LogRecord => ({ kind: 'viewChange', viewChange: viewChangeOf(inView) });

function standingOf({ view: inView, active, ownViewChange, begunView }: RecoveredState): unknown {
  return { inView, active, ownViewChange, begunView };
}

const LEFT_2 = { inView: 2, active: false, ownViewChange: undefined, begunView: undefined };
const CHANGING_2 = { ...LEFT_2, ownViewChange: viewChangeOf(2) };
const ACTIVE_2 = { ...LEFT_2, active: true, begunView: begunViewOf(2) };

describe('the view in the replica store', () => {
  it('is found as it was left, with what proves it', async () => {
    assert.deepEqual(standingOf(await foundAfter([left(2)])), LEFT_2);
    assert.deepEqual(standingOf(await foundAfter([left(2)], [changing(2)])), CHANGING_2);
    assert.deepEqual(standingOf(await foundAfter([left(2)], [changing(2)], [newViewRecord(2)])), ACTIVE_2);
    assert.deepEqual(standingOf(await foundAfter([newViewRecord(1)], [left(2)])), LEFT_2);
  });

  it('is the last one where one write says several', async () => {
    assert.deepEqual(standingOf(await foundAfter([newViewRecord(1), left(2), changing(2)])), CHANGING_2);
    assert.deepEqual(standingOf(await foundAfter([changing(2), newViewRecord(2)])), ACTIVE_2);
    assert.deepEqual(standingOf(await foundAfter([newViewRecord(1), left(2)])), LEFT_2);
  });

  it('stays when the log is cut, and its proof is not written again', async () => {
    const disk = createMemoryDisk();
    const { memory, store } = await openDisk(disk);
    await append(store, newViewRecord(2));
    const written: string[] = [];
    const write = memory.write.bind(memory);
    memory.write = (operations, options, done) => {
      written.push(...operations.map(({ key }) => Buffer.from(key).toString('latin1')));
      write(operations, options, done);
    };
    const [viewGroup] = disk.keys.filter((key) => key.startsWith('\x02'));
    const certificate = checkpointCertificateOf(4, batchOf(4).digest);
    await append(store, { kind: 'stableCheckpoint', certificate });
    await succeeded((done) => store.discard(sequence(4), done));
    assert.ok(viewGroup !== undefined && !disk.keys.includes(viewGroup), 'the group that said it is gone');
    assert.ok(!written.includes(PROOF_KEY));
    await succeeded((done) => store.close(done));
    assert.deepEqual(standingOf((await openDisk(disk)).state), ACTIVE_2);
  });

  it('takes the room of one proof, however many views there were', async () => {
    const disk = createMemoryDisk();
    const { store } = await openDisk(disk);
    for (let inView = 1; inView <= 20; inView++) {
      await append(store, left(inView), changing(inView));
      await append(store, newViewRecord(inView));
    }
    const logBytes = [...disk.values].reduce(
      (sum, [key, value]) => sum + (key.startsWith('\x02') ? value.length : 0),
      0,
    );
    assert.ok(logBytes < 40 * 200, `${logBytes}`);
    assert.equal(disk.keys.filter((key) => key === PROOF_KEY).length, 1);
  });

  it('CR-07: is, after a crash at any point, that of a prefix of the writes, never one with the proof of another', async () => {
    const writes = [[left(1)], [changing(1)], [newViewRecord(1)], [left(2)], [changing(2)], [newViewRecord(2)]];
    const history = [standingOf((await openDisk(createMemoryDisk())).state)];
    for (let count = 1; count <= writes.length; count++) {
      history.push(standingOf(await foundAfter(...writes.slice(0, count))));
    }
    const crash = fc.asyncProperty(
      fc.nat({ max: writes.length }),
      fc.nat({ max: writes.length }),
      fc.nat({ max: writes.length }),
      async (completed, started, kept) => {
        const disk = createMemoryDisk();
        const { memory, store } = await openDisk(disk);
        for (const records of writes.slice(0, completed)) {
          await append(store, ...records);
        }
        const rest = writes.slice(completed, completed + started);
        for (const records of rest) {
          store.append(records, () => {});
        }
        let lost = 0;
        memory.crash((unsynced) => {
          lost = unsynced - Math.min(kept, unsynced);
          return unsynced - lost;
        });
        const found = standingOf((await openDisk(disk)).state);
        assert.deepEqual(found, history[completed + rest.length - lost]);
      },
    );
    await fc.assert(crash, { numRuns: 60 });
  });

  it('finds every batch above the stable checkpoint, of every view, executed or not', async () => {
    const disk = createMemoryDisk();
    const { store, state } = await openDisk(disk);
    assert.deepEqual(state.batches, []);
    for (const { run } of lifeUpTo(9)) {
      await succeeded<void>((done) => run(store, done));
    }
    await append(store, acceptedRecord(batchOf(900), 9, 2), {
      kind: 'batch',
      sequence: sequence(12),
      batch: batchOf(12),
    });
    await succeeded((done) => store.close(done));
    const found = (await openDisk(disk)).state.batches.map(({ sequence: at, batch }) => `${at} ${batch.digest}`);
    const expected = [
      ...[batchOf(9), batchOf(509), batchOf(900)].map(({ digest }) => `9 ${digest}`),
      `10 ${batchOf(10).digest}`,
      `12 ${batchOf(12).digest}`,
    ];
    assert.deepEqual([...found].sort(), expected.sort());
    assert.deepEqual(
      found.map((name) => Number(name.split(' ')[0])),
      [9, 9, 9, 10, 12],
    );
  });
});

describe('the proof of a view on a damaged disk', () => {
  /** A disk with a proof that isn't the one the log names: the value under its key comes from another disk. */
  async function errorWithProofOf(record: LogRecord, other: LogRecord | undefined): Promise<string> {
    const [disk, second] = [createMemoryDisk(), createMemoryDisk()];
    for (const [on, what] of [
      [disk, record],
      [second, other],
    ] as const) {
      const { store } = await openDisk(on);
      if (what !== undefined) {
        await append(store, what);
      }
      await succeeded((done) => store.close(done));
    }
    const value = second.values.get(PROOF_KEY);
    if (value === undefined) {
      disk.values.delete(PROOF_KEY);
      disk.keys.splice(disk.keys.indexOf(PROOF_KEY), 1);
    } else {
      disk.values.set(PROOF_KEY, value);
    }
    const store = createReplicaStore(createMemoryStore({ disk, defer: setImmediate }), OPTIONS);
    const error = await failedWith((done) => store.recover(done));
    assert.equal(error.code, 'corrupt');
    return error.message;
  }

  it('ST-03: is refused where it is missing, or another with a good checksum', async () => {
    for (const record of [changing(2), newViewRecord(2)]) {
      const named = /what proves view 2 is missing, or not what the log names/;
      assert.match(await errorWithProofOf(record, undefined), named);
      assert.match(await errorWithProofOf(record, changing(1)), named);
      assert.match(await errorWithProofOf(record, newViewRecord(1)), named);
    }
    assert.match(await errorWithProofOf(changing(2), newViewRecord(2)), /not what the log names/);
  });
});
