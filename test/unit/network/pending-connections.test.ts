import assert from 'node:assert/strict';
import { type Connection, PendingConnections } from '../../../src/network/pending-connections.js';
import { ManualTimers } from '../../support/network-manual-timers.js';

describe('connections without a handshake', () => {
  let timers: ManualTimers;
  let table: PendingConnections<Connection>;
  let ended: string[];

  beforeEach(() => {
    timers = new ManualTimers();
    table = new PendingConnections({ countMax: 4, deadlineMs: 1_000 }, timers);
    ended = [];
  });

  function open(key: string): Connection {
    const connection = {
      key,
      address: key.split(':')[0] ?? '',
      close: ({ reason }: { readonly reason: string }) => {
        ended.push(`${key} ${reason}`);
        table.remove(connection);
      },
    };
    table.add(connection);
    return connection;
  }

  it('end at their deadline, those that have proven themselves never', () => {
    open('a:1');
    open('b:1');
    table.prove('b:1');
    timers.advance(1_000);
    assert.deepEqual(ended, ['a:1 timeout']);
    assert.equal(table.get('b:1')?.key, 'b:1');
  });

  it('make room at the cost of the address that has the most', () => {
    for (const key of ['a:1', 'b:1', 'b:2', 'b:3', 'c:1', 'b:4']) {
      open(key);
    }
    assert.deepEqual(ended, ['b:1 throttled', 'b:2 throttled']);
  });

  it('are not counted any more when they are proven or gone', () => {
    const gone = open('a:1');
    table.remove(gone);
    for (const key of ['a:2', 'a:3', 'a:4', 'a:5']) {
      open(key);
      table.prove(key);
    }
    for (const key of ['b:1', 'c:1', 'd:1', 'e:1']) {
      open(key);
    }
    assert.deepEqual(ended, []);
    assert.equal(table.all().length, 8);
    assert.equal(table.pendingCount, 4);
  });

  it('FU-06: those that TLS has proven to be of the cluster go after those that prove nothing', () => {
    table.secure(open('a:1'));
    for (const key of ['a:2', 'a:3', 'a:4', 'a:5']) {
      open(key);
    }
    assert.deepEqual(ended, ['a:2 throttled', 'a:3 throttled', 'a:4 throttled']);
    assert.equal(table.get('a:1')?.key, 'a:1');
  });

  it('leave a successor under the same key alone', () => {
    const first = open('a:1');
    open('a:1');
    table.remove(first);
    timers.advance(1_000);
    assert.deepEqual(ended, ['a:1 timeout', 'a:1 timeout']);
  });
});
