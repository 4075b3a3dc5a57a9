/** Persist before send: what waits for the disk, and in which order it goes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Completion } from '../../../../src/ports/key-value-store.js';
import type { ReplicaStore } from '../../../../src/ports/replica-store.js';
import { sequence, view } from '../../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../../src/protocol/log-record.js';
import { BATCH_BYTES_MAX, GroupCommit } from '../../../../src/runtime/loop/group-commit.js';
import { batchOf } from '../../../support/core-cluster.js';
import { FakeMetrics, FakeTimers } from '../fakes.js';

const RECORDS_MAX = 3;

/** A group commit over a disk whose writes end when the test says so. */
class Bench {
  readonly writes: (readonly LogRecord[])[] = [];
  readonly done: string[] = [];
  readonly failures: string[] = [];
  readonly metrics = new FakeMetrics();
  readonly timers = new FakeTimers();
  waits = 0;
  readonly groupCommit: GroupCommit;
  private pending: Completion<void> | undefined;

  constructor() {
    const append = (records: readonly LogRecord[], done: Completion<void>): void => {
      assert.equal(this.pending, undefined, 'one write is under way at a time');
      this.writes.push(records);
      this.pending = done;
    };
    this.groupCommit = new GroupCommit({
      store: { append } as ReplicaStore,
      timers: this.timers,
      metrics: this.metrics,
      recordsMax: RECORDS_MAX,
      onWaiting: () => {
        this.waits++;
      },
      onFailed: ({ message }) => this.failures.push(message),
    });
  }

  get isWriting(): boolean {
    return this.pending !== undefined;
  }

  add(number: number): void {
    this.groupCommit.add(record(number));
  }

  after(name: string): void {
    this.groupCommit.afterDurable(() => this.done.push(name));
  }

  complete(error?: string): void {
    const { pending } = this;
    this.pending = undefined;
    assert.ok(pending);
    pending(
      error === undefined ? { ok: true, value: undefined } : { ok: false, error: { code: 'io', message: error } },
    );
  }

  /** The numbers of the records, by write. */
  get written(): number[][] {
    return this.writes.map((records) => records.map((one) => (one.kind === 'view' ? one.view : -1)));
  }
}

function record(number: number): LogRecord {
  return { kind: 'view', view: view(number) };
}

describe('group commit', () => {
  it('writes the records of a turn in one write, and nothing goes before it is done', () => {
    const bench = new Bench();
    bench.add(1);
    bench.after('a');
    bench.add(2);
    bench.after('b');
    assert.deepEqual(bench.writes, []);
    bench.groupCommit.flush();
    assert.deepEqual([bench.written, bench.done], [[[1, 2]], []]);
    bench.complete();
    assert.deepEqual(bench.done, ['a', 'b']);
  });

  it('lets what waits for nothing go with the flush, in order, not before', () => {
    const bench = new Bench();
    bench.after('a');
    bench.after('b');
    assert.deepEqual([bench.done, bench.waits], [[], 2]);
    bench.groupCommit.flush();
    assert.deepEqual([bench.done, bench.writes], [['a', 'b'], []]);
  });

  it('has one write under way; what gathers meanwhile is the next', () => {
    const bench = new Bench();
    bench.add(1);
    bench.after('a');
    bench.groupCommit.flush();
    for (const number of [2, 3]) {
      bench.add(number);
      bench.after(`of ${number}`);
      bench.groupCommit.flush();
    }
    assert.deepEqual(bench.written, [[1]]);
    bench.complete();
    assert.deepEqual([bench.written, bench.done], [[[1], [2, 3]], ['a']]);
    bench.complete();
    assert.deepEqual(bench.done, ['a', 'of 2', 'of 3']);
    assert.equal(bench.isWriting, false);
  });

  it('makes what came without a record wait for the write under way', () => {
    const bench = new Bench();
    bench.add(1);
    bench.groupCommit.flush();
    bench.after('a');
    bench.groupCommit.flush();
    assert.deepEqual(bench.done, []);
    bench.complete();
    assert.deepEqual([bench.done, bench.written], [['a'], [[1]]]);
  });

  it('begins no write of its own while what waited is told', () => {
    const bench = new Bench();
    bench.groupCommit.add(record(1));
    bench.groupCommit.afterDurable(() => {
      bench.add(2);
      bench.after('b');
      assert.equal(bench.isWriting, false);
    });
    bench.groupCommit.flush();
    bench.complete();
    assert.deepEqual([bench.written, bench.done], [[[1], [2]], []]);
    bench.complete();
    assert.deepEqual(bench.done, ['b']);
  });

  it('ST-05: stops for good when a write fails: nothing that waited goes, nothing is written again', () => {
    const bench = new Bench();
    bench.add(1);
    bench.after('a');
    bench.groupCommit.flush();
    bench.add(2);
    bench.after('b');
    bench.groupCommit.flush();
    bench.complete('the disk is full');
    bench.after('c');
    bench.groupCommit.flush();
    bench.add(3);
    bench.groupCommit.flush();
    assert.deepEqual([bench.done, bench.failures, bench.written], [[], ['the disk is full'], [[1]]]);
  });

  it('ST-06: is behind with so many records, or bytes of batches, that wait for a write, and says when it no longer is', () => {
    const bench = new Bench();
    const batch = { ...batchOf([]), sizeBytes: BATCH_BYTES_MAX / 2 };
    const fillings = [
      [1, 2, 3].map(record),
      [1, 2].map((at) => ({ kind: 'batch', sequence: sequence(at), batch }) as const),
    ];
    for (const records of fillings) {
      bench.add(0);
      bench.groupCommit.flush();
      const waits = bench.waits;
      for (const one of records) {
        assert.equal(bench.groupCommit.isBehind, false);
        bench.groupCommit.add(one);
      }
      bench.groupCommit.flush();
      assert.deepEqual([bench.groupCommit.isBehind, bench.waits], [true, waits]);
      bench.complete();
      assert.deepEqual([bench.groupCommit.isBehind, bench.waits], [false, waits + 1]);
      bench.complete();
      assert.deepEqual([bench.isWriting, bench.waits], [false, waits + 1]);
    }
  });

  it('measures how long the synced write took', () => {
    const bench = new Bench();
    bench.add(1);
    bench.groupCommit.flush();
    bench.timers.advance(7);
    bench.complete();
    assert.deepEqual(bench.metrics.observations, ['pbft_storage_sync_seconds 0.007']);
  });

  it('lets nothing go before the records that were added before it, whatever the order of events', () => {
    const action = fc.constantFrom('add', 'after', 'flush', 'complete');
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const bench = new Bench();
        let added = 0;
        let completed = 0;
        let underWay = 0;
        let lastGone = 0;
        const track = (): void => {
          underWay = bench.written.flat().length;
        };
        for (const one of [...actions, 'flush', 'complete', 'complete'] as const) {
          if (one === 'add') {
            added++;
            bench.add(added);
          } else if (one === 'after') {
            const needed = added;
            bench.groupCommit.afterDurable(() => {
              assert.ok(completed >= needed, `gone at ${completed} durable, ${needed} needed`);
              assert.ok(needed >= lastGone, 'in order');
              lastGone = needed;
              bench.done.push('gone');
            });
          } else if (one === 'flush') {
            bench.groupCommit.flush();
            track();
          } else if (bench.isWriting) {
            completed = underWay;
            bench.complete();
            track();
          }
        }
        assert.equal(completed, added);
        assert.equal(bench.done.length, actions.filter((one) => one === 'after').length);
        assert.deepEqual(
          bench.written.flat(),
          Array.from({ length: added }, (_, index) => index + 1),
        );
      }),
    );
  });
});
