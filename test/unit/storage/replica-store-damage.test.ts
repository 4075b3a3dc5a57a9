/** A damaged disk is told from one that lost its end: it is refused, with the place of the damage. */
import assert from 'node:assert/strict';
import type { KeyValueStore } from '../../../src/ports/key-value-store.js';
import type { ReplicaStore } from '../../../src/ports/replica-store.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { createMemoryDisk, createMemoryStore, type MemoryDisk } from '../../support/memory-store.js';
import { completed, failedWith, succeeded } from '../../support/storage.js';
import { acceptedRecord, batchOf, executionOf, lifeUpTo, OPTIONS } from '../../support/storage-records.js';
import { act, append, openDisk, reopen } from './replica-store-bench.js';

describe('the replica store on a damaged disk', () => {
  let whole: MemoryDisk;

  before(async () => {
    whole = createMemoryDisk();
    const opened = await openDisk(whole);
    await act(opened.store, lifeUpTo(10));
    await reopen(opened, whole).then(({ store }) => succeeded((done) => store.close(done)));
  });

  function copyOfDisk(): MemoryDisk {
    return { values: new Map(whole.values), keys: [...whole.keys] };
  }

  function withoutKeys(isGone: (key: string, keys: readonly string[]) => boolean): MemoryDisk {
    const disk = copyOfDisk();
    const gone = disk.keys.filter((key) => isGone(key, whole.keys));
    assert.ok(gone.length > 0);
    return {
      values: new Map([...disk.values].filter(([key]) => !gone.includes(key))),
      keys: disk.keys.filter((key) => !gone.includes(key)),
    };
  }

  async function errorOf(disk: MemoryDisk): Promise<string> {
    const store = createReplicaStore(createMemoryStore({ disk, defer: setImmediate }), OPTIONS);
    const error = await failedWith((done) => store.recover(done));
    assert.equal(error.code, 'corrupt');
    return error.message;
  }

  const groupsOf = (keys: readonly string[]) => keys.filter((key) => key.charCodeAt(0) === 2);

  it('ST-03: names the key space of every value with a flipped bit', async () => {
    for (const key of whole.keys) {
      const disk = copyOfDisk();
      const value = Uint8Array.from(whole.values.get(key) ?? []);
      const place = value.length >> 1;
      value[place] = (value[place] ?? 0) ^ 0x10;
      disk.values.set(key, value);
      const store = createReplicaStore(createMemoryStore({ disk, defer: setImmediate }), OPTIONS);
      const recovered = await completed((done) => store.recover(done));
      const read = recovered.ok
        ? await completed((done) => readWhole(store, done)).catch((error: unknown) => assert.fail(String(error)))
        : recovered;
      assert.ok(!read.ok, `a flipped bit under ${Buffer.from(key, 'latin1').toString('hex')} goes unseen`);
      assert.equal(read.error.code, 'corrupt');
      assert.match(read.error.message, /a wrong checksum in the .+, key [0-9a-f]+/);
    }
  });

  it('ST-03: refuses a log with a missing group, wherever it is but at the end', async () => {
    const groups = groupsOf(whole.keys);
    for (const missing of groups.slice(0, -1)) {
      assert.match(await errorOf(withoutKeys((key) => key === missing)), /the log has a gap: group \d+ is missing/);
    }
  });

  it('ST-02: opens a log with missing groups at its end as it was before them', async () => {
    const last = groupsOf(whole.keys).at(-1);
    const disk = withoutKeys((key) => key === last);
    const { state } = await openDisk(disk);
    assert.deepEqual(
      state.accepted.map((accepted) => accepted.prePrepare.sequence),
      [9, 10],
    );
  });

  it('ST-03: refuses a log whose groups were exchanged, each with a good checksum', async () => {
    const disk = createMemoryDisk();
    const { store } = await openDisk(disk);
    await append(store, { kind: 'view', view: view(1) });
    await append(store, { kind: 'view', view: view(2) });
    const other = createMemoryDisk();
    const opened = await openDisk(other);
    await append(opened.store, { kind: 'view', view: view(9) });
    const [key] = groupsOf(disk.keys);
    disk.values.set(key ?? '', other.values.get(key ?? '') ?? new Uint8Array(0));
    assert.match(await errorOf(disk), /chain breaks at group 2/);
  });

  it('ST-03: refuses a ledger with a missing header, batch, certificate or end', async () => {
    const gone = async (prefix: number, pick: (keys: readonly string[]) => string | undefined): Promise<string> => {
      const key = pick(whole.keys.filter((candidate) => candidate.charCodeAt(0) === prefix));
      return errorOf(withoutKeys((candidate) => candidate === key));
    };
    assert.match(await gone(4, (keys) => keys.at(-2)), /the header of sequence 9 is missing/);
    assert.match(await gone(4, (keys) => keys.at(-1)), /should end at sequence 10 and ends at 9/);
    assert.match(await gone(3, (keys) => keys.at(-1)), /the batch .* of sequence 11 is missing/);
    assert.match(await gone(6, (keys) => keys.at(-1)), /the certificate of the stable checkpoint 8 is missing/);
    assert.match(await gone(1, (keys) => keys.find((key) => key.charCodeAt(1) === 3)), /was checked up to 10 before/);
    assert.match(
      await gone(1, (keys) => keys.find((key) => key.charCodeAt(1) === 2)),
      /beginning of the log is missing/,
    );
  });

  it("ST-03: refuses another cluster's chain of headers", async () => {
    const disk = createMemoryDisk();
    const genesisDigest = batchOf(77).digest;
    const other = createReplicaStore(createMemoryStore({ disk, defer: setImmediate }), { ...OPTIONS, genesisDigest });
    await succeeded((done) => other.recover(done));
    await append(other, acceptedRecord(batchOf(1), 1));
    await succeeded((done) => other.commitExecution([executionOf(batchOf(1), 1, genesisDigest)], done));
    disk.values.delete('\x01\x04');
    disk.keys.splice(disk.keys.indexOf('\x01\x04'), 1);
    assert.match(await errorOf(disk), /the chain of headers breaks at sequence 1/);
  });

  it('finds the same damage again when it is opened again', async () => {
    const disk = withoutKeys((key) => key === groupsOf(whole.keys)[0]);
    const before = [...disk.values.keys()];
    assert.equal(await errorOf(disk), await errorOf(disk));
    assert.deepEqual([...disk.values.keys()], before);
  });
});

/** Reads whatever can be read of a replica's store; the first error ends it. */
function readWhole(store: ReplicaStore, done: Parameters<KeyValueStore['close']>[0]): void {
  const range = { first: sequence(1), last: sequence(10), bytesMax: 1 << 30 };
  const application = { first: new Uint8Array(0), end: undefined, limit: 1_000 };
  const next =
    <T>(run: (done: (result: Awaited<ReturnType<typeof completed<T>>>) => void) => void, then: () => void) =>
    (): void =>
      run((result) => (result.ok ? then() : done(result)));
  const finish = (): void => done({ ok: true, value: undefined });
  const certificates = next((step) => store.readCheckpointCertificate(sequence(1), step), finish);
  const applications = next((step) => store.readApplication(application, step), certificates);
  const table = next((step) => store.readClientTable(step), applications);
  next((step) => store.readLedger(range, step), table)();
}
