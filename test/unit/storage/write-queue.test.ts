/** The order of writes, and what an error does to the later ones. */
import assert from 'node:assert/strict';
import type { StoreError, WriteOperation } from '../../../src/ports/key-value-store.js';
import { createEngineStore, type Engine } from '../../../src/storage/engine-store.js';
import { WriteQueue } from '../../../src/storage/write-queue.js';
import { utf8 } from '../../../src/util/bytes.js';
import { failedWith, succeeded } from '../../support/storage.js';

interface Applied {
  readonly keys: readonly string[];
  readonly sync: boolean;
  readonly finish: (error?: StoreError) => void;
}

function put(key: string, sizeBytes = 1): WriteOperation {
  return { type: 'put', key: utf8(key), value: new Uint8Array(sizeBytes) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the write queue', () => {
  let applied: Applied[];
  let queue: WriteQueue;
  let outcomes: string[];

  beforeEach(() => {
    applied = [];
    outcomes = [];
    queue = new WriteQueue((operations, sync, done) => {
      const keys = operations.map((operation) => Buffer.from(operation.key).toString());
      applied.push({ keys, sync, finish: (error) => done(error) });
    });
  });

  function push(key: string, sync: boolean, sizeBytes?: number): void {
    queue.push([put(key, sizeBytes)], sync, (result) => {
      outcomes.push(result.ok ? key : `${key} ${result.error.code}`);
    });
  }

  it('has one write under way at a time, and takes what waits along in one', async () => {
    push('a', false);
    await turn();
    push('b', true);
    push('c', false);
    await turn();
    assert.deepEqual(
      applied.map((write) => write.keys),
      [['a']],
    );
    applied[0]?.finish();
    assert.deepEqual(
      applied.map((write) => write.keys),
      [['a'], ['b', 'c']],
    );
    assert.deepEqual(
      applied.map((write) => write.sync),
      [false, true],
    );
    assert.deepEqual(outcomes, ['a']);
    applied[1]?.finish();
    assert.deepEqual(outcomes, ['a', 'b', 'c']);
  });

  it('does not merge beyond 8 MiB', async () => {
    for (const key of ['a', 'b', 'c']) {
      push(key, false, 3 * 1024 * 1024);
    }
    await turn();
    applied[0]?.finish();
    assert.deepEqual(
      applied.map((write) => write.keys),
      [['a', 'b'], ['c']],
    );
  });

  it('ST-05: fails every later write after an error, also one that waits already, and applies none', async () => {
    push('a', true);
    await turn();
    push('b', true);
    applied[0]?.finish({ code: 'io', message: 'fdatasync: EIO' });
    await turn();
    push('c', true);
    await turn();
    assert.deepEqual(outcomes, ['a io', 'b io', 'c io']);
    assert.equal(applied.length, 1);
  });
});

describe('an engine that fails', () => {
  function engineWith(parts: Partial<Engine>): Engine {
    return {
      name: 'fake',
      syncsEveryWrite: false,
      batch: (_operations, _sync, done) => setImmediate(done, undefined),
      getMany: (_keys, done) => setImmediate(done, undefined, []),
      iterate: (_range, _take, done) => setImmediate(done, undefined),
      close: (done) => setImmediate(done, undefined),
      ...parts,
    };
  }

  const causes = [
    ['IO error: No space left on device: store/000012.log', 'full'],
    ['ENOSPC: no space left on device, write', 'full'],
    ['Corruption: block checksum mismatch', 'corrupt'],
    ['IO error: While fdatasync: store/000012.log: Input/output error', 'io'],
    ['Database is not open', 'closed'],
  ] as const;
  for (const [message, code] of causes) {
    it(`ST-04, ST-05: says \`${code}\` for "${message}"`, async () => {
      const error = new Error(message);
      const store = createEngineStore(
        engineWith({
          batch: (_operations, _sync, done) => setImmediate(done, error),
          getMany: (_keys, done) => setImmediate(done, error, []),
        }),
      );
      const write = await failedWith<void>((done) => store.write([put('a')], { sync: true }, done));
      assert.equal(write.code, code);
      assert.equal((await failedWith<unknown>((done) => store.getMany([utf8('a')], done))).code, code);
    });
  }

  it('ST-05: never writes again after one failed sync, though the engine would, and says so when it is closed', async () => {
    let syncs = 0;
    const store = createEngineStore(
      engineWith({
        batch: (_operations, _sync, done) => {
          syncs++;
          setImmediate(done, syncs === 2 ? new Error('EIO: i/o error, fdatasync') : undefined);
        },
      }),
    );
    await succeeded<void>((done) => store.write([put('a')], { sync: true }, done));
    assert.equal((await failedWith<void>((done) => store.write([put('b')], { sync: true }, done))).code, 'io');
    const later = await failedWith<void>((done) => store.write([put('c')], { sync: true }, done));
    assert.match(later.message, /nothing more is written after an error: .*EIO/);
    assert.equal((await failedWith<void>((done) => store.close(done))).code, 'io');
    assert.equal(syncs, 2);
  });

  it('syncs an empty write, and every write of an engine that would lose older ones', async () => {
    const batches: string[] = [];
    const batch: Engine['batch'] = (operations, sync, done) => {
      batches.push(`${operations.length} ${sync}`);
      setImmediate(done, undefined);
    };
    const careful = createEngineStore(engineWith({ batch, syncsEveryWrite: true }));
    await succeeded<void>((done) => careful.write([put('a'), put('b')], { sync: false }, done));
    const plain = createEngineStore(engineWith({ batch }));
    await succeeded<void>((done) => plain.write([put('a')], { sync: false }, done));
    await succeeded<void>((done) => plain.write([], { sync: true }, done));
    assert.deepEqual(batches, ['2 true', '1 false', '1 true']);
  });

  it('waits with closing for what is under way', async () => {
    const order: string[] = [];
    let answer: (() => void) | undefined;
    const store = createEngineStore(
      engineWith({
        getMany: (_keys, done) => {
          answer = () => done(undefined, [undefined]);
        },
        close: (done) => {
          order.push('closed');
          setImmediate(done, undefined);
        },
      }),
    );
    store.getMany([utf8('a')], () => order.push('read'));
    store.write([put('a')], { sync: false }, () => order.push('written'));
    const closing = succeeded<void>((done) => store.close(done));
    await turn();
    await turn();
    await turn();
    assert.deepEqual(order, ['written']);
    answer?.();
    await closing;
    assert.deepEqual(order, ['written', 'read', 'closed']);
  });
});
