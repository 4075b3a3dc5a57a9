/** The memory store's crashes: what the simulator's disk forgets. */
import assert from 'node:assert/strict';
import { utf8 } from '../../../src/util/bytes.js';
import { createMemoryDisk, createMemoryStore, type MemoryDisk } from '../../support/memory-store.js';

describe('the memory store', () => {
  let disk: MemoryDisk;
  let deferred: (() => void)[];
  let completions: string[];
  let store: ReturnType<typeof createMemoryStore>;

  beforeEach(() => {
    disk = createMemoryDisk();
    deferred = [];
    completions = [];
    store = createMemoryStore({ disk, defer: (run) => deferred.push(run) });
  });

  function write(key: string, sync: boolean): void {
    store.write([{ type: 'put', key: utf8(key), value: utf8(key) }], { sync }, (result) => {
      completions.push(result.ok ? key : `${key} ${result.error.code}`);
    });
  }

  function runDeferred(): void {
    for (const run of deferred.splice(0)) {
      run();
    }
  }

  it('completes only when its caller says so', () => {
    write('a', true);
    assert.deepEqual(completions, []);
    runDeferred();
    assert.deepEqual(completions, ['a']);
  });

  it('CR-06: keeps after a crash all that was synced, and of the rest the oldest that are chosen', () => {
    write('a', false);
    write('b', true);
    runDeferred();
    write('c', false);
    write('d', true);
    write('e', false);
    const counts: number[] = [];
    store.crash((unsynced) => {
      counts.push(unsynced);
      return 1;
    });
    assert.deepEqual(counts, [3]);
    assert.deepEqual(disk.keys, ['a', 'b', 'c']);
    assert.deepEqual([...disk.values.keys()], ['a', 'b', 'c']);
  });

  it('takes overwritten and deleted values back when their writes are lost', () => {
    const put = (value: string) => ({ type: 'put', key: utf8('a'), value: utf8(value) }) as const;
    store.write([put('1')], { sync: true }, () => {});
    runDeferred();
    store.write([put('2'), { type: 'delete', key: utf8('a') }, put('3')], { sync: false }, () => {});
    store.write([{ type: 'delete', key: utf8('a') }], { sync: false }, () => {});
    store.crash(() => 0);
    assert.deepEqual(disk.values.get('a'), utf8('1'));
    assert.deepEqual(disk.keys, ['a']);
  });

  it('calls no completion after a crash', () => {
    write('a', true);
    store.getMany([utf8('a')], () => completions.push('read'));
    store.crash((unsynced) => unsynced);
    runDeferred();
    assert.deepEqual(completions, []);
    assert.deepEqual(disk.keys, ['a']);
  });

  it('ST-05: fails every write from the moment it is told to', () => {
    write('a', true);
    store.failWrites({ code: 'io', message: 'EIO' });
    write('b', true);
    runDeferred();
    assert.deepEqual(completions, ['a', 'b io']);
    assert.deepEqual(disk.keys, ['a']);
  });
});
