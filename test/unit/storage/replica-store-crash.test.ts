/** What a replica finds again, whatever its store lost. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import { createMemoryDisk, type MemoryDisk } from '../../support/memory-store.js';
import { failedWith, succeeded } from '../../support/storage.js';
import { type Action, acceptedRecord, batchOf, CLIENT, lifeUpTo } from '../../support/storage-records.js';
import { act, type Opened, openDisk, readClientRow, reopen } from './replica-store-bench.js';

/** Everything that a replica can read of its past, comparable. */
async function everythingOf(opened: Opened): Promise<unknown> {
  const { store, state } = opened;
  const last = Number(state.lastExecuted);
  const range = { first: sequence(1), last: sequence(Math.max(1, last)), bytesMax: 1 << 30 };
  return {
    state,
    table: await succeeded((done) => store.readClientTable(done)),
    row: await readClientRow(opened, { clientId: CLIENT, number: last }),
    header: await succeeded((done) => store.readLastHeader(done)),
    ledger: last === 0 ? [] : await succeeded((done) => store.readLedger(range, done)),
    application: await succeeded((done) =>
      store.readApplication({ first: new Uint8Array(0), end: undefined, limit: 10_000 }, done),
    ),
    certificate: await succeeded((done) => store.readCheckpointCertificate(sequence(1), done)),
  };
}

/** What is found after each number of actions. */
async function historyOf(actions: readonly Action[]): Promise<readonly unknown[]> {
  const history: unknown[] = [];
  for (let count = 0; count <= actions.length; count++) {
    const disk = createMemoryDisk();
    const opened = await openDisk(disk);
    await act(opened.store, actions.slice(0, count));
    history.push(await everythingOf(await reopen(opened, disk)));
  }
  return history;
}

describe('the replica store after a crash', () => {
  let disk: MemoryDisk;
  let opened: Opened;

  beforeEach(async () => {
    disk = createMemoryDisk();
    opened = await openDisk(disk);
  });

  it('ST-07, CR-07: after a crash at any point everything is as after a prefix of the calls that holds every completed append', async function () {
    this.timeout(20_000);
    const actions = lifeUpTo(10);
    const history = await historyOf(actions);
    const property = fc.asyncProperty(
      fc.nat({ max: actions.length }),
      fc.nat({ max: 4 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (completedCount, startedCount, keptShare) => {
        const own = createMemoryDisk();
        const before = await openDisk(own);
        await act(before.store, actions.slice(0, completedCount));
        const started = actions.slice(completedCount, completedCount + startedCount);
        for (const action of started) {
          action.run(before.store, () => {});
        }
        let unsynced = 0;
        let kept = 0;
        before.memory.crash((count) => {
          unsynced = count;
          kept = Math.round(keptShare * count);
          return kept;
        });
        const found = await everythingOf(await openDisk(own));
        // One write a call: what is left is what was called, less the unsynced writes that were lost.
        const expected = completedCount + started.length - (unsynced - kept);
        assert.deepEqual(found, history[expected]);
        const promised = actions.slice(0, completedCount).findLastIndex((action) => action.isDurable) + 1;
        assert.ok(expected >= promised, `${promised} calls were durable, ${expected} are left`);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('CR-07: does not say that records are durable before the sync, and never after a failed one', async () => {
    const completions: string[] = [];
    opened.store.append([acceptedRecord(batchOf(1), 1)], () => completions.push('append'));
    opened.memory.crash(() => 0);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.deepEqual(completions, []);
    const again = await openDisk(disk);
    assert.deepEqual(again.state.accepted, []);
    again.memory.failWrites({ code: 'full', message: 'the disk is full' });
    const record: LogRecord = { kind: 'view', view: view(3) };
    assert.equal((await failedWith((done) => again.store.append([record], done))).code, 'full');
    assert.equal((await failedWith((done) => again.store.append([record], done))).code, 'full');
  });
});
