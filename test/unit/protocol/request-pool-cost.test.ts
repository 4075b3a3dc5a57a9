/** Requests that wait and what they cost: whose turn it is, and for how much there is room (protocol.md 4, FU-05). */
import assert from 'node:assert/strict';
import { view } from '../../../src/protocol/identifiers.js';
import type { SignedRequest, Verified } from '../../../src/protocol/messages.js';
import { RequestPool } from '../../../src/protocol/request-pool.js';
import { request, verified } from '../../support/core-cluster.js';

const COST_MAX = 1_000_000;
const WIDE = { requestsOfClientMax: 100, requestsMax: 1_000, bytesMax: 1_000_000, costOfClientMax: 100 * COST_MAX };
const ROOM = { operationsMax: 100, bytesMax: 10_000, costMax: COST_MAX };
const IN_VIEW = view(0);

/** What a request costs stands in its length: 10 bytes are cheap, 100 cost sixteen turns. */
const costOf = ({ bytes }: SignedRequest): number => bytes.length ** 2 * 100;
const COSTLY = 100;

function sized(client: string, number: number, { bytes = 10 } = {}): Verified<SignedRequest> {
  return verified({ ...request(client, number), bytes: new Uint8Array(bytes) });
}

const namesOf = (requests: readonly SignedRequest[]) => {
  const clients = new Map(['a', 'b', 'c', 'd'].map((name) => [request(name, 1).clientId, name]));
  return requests.map(({ clientId, number }) => `${clients.get(clientId)}${number}`);
};

describe('FU-05: turns by cost', () => {
  it('serve a client with costly requests as seldom as they are costly, and the others meanwhile', () => {
    const pool = new RequestPool(WIDE, costOf);
    for (let number = 1; number <= 20; number++) {
      pool.add(sized('a', number, { bytes: COSTLY }), false, number);
      pool.add(sized('b', number), false, number);
    }
    const taken = namesOf(
      pool.takeBatch(
        { ...ROOM, costMax: 20 * costOf(sized('b', 1)) + costOf(sized('a', 1, { bytes: COSTLY })) },
        IN_VIEW,
      ),
    );
    assert.equal(taken.indexOf('a1'), 15, 'after fifteen turns that each serve the other client');
    assert.deepEqual(
      taken.filter((name) => name.startsWith('a')),
      ['a1'],
    );
  });

  it('keep what a client saved from batch to batch, so that cheap ones never starve a costly one', () => {
    const pool = new RequestPool(WIDE, costOf);
    pool.add(sized('a', 1, { bytes: COSTLY }), false, 0);
    for (let batch = 1; batch <= 40; batch++) {
      pool.add(sized('b', 2 * batch), false, batch);
      pool.add(sized('c', 2 * batch), false, batch);
      if (namesOf(pool.takeBatch({ ...ROOM, operationsMax: 2 }, IN_VIEW)).includes('a1')) {
        assert.ok(batch > 8, `served in batch ${batch}`);
        return;
      }
    }
    assert.fail('the costly request was not served');
  });

  it('end a batch before a request whose turn it is and that costs more than there is room for', () => {
    const pool = new RequestPool(WIDE, costOf);
    pool.add(sized('a', 1, { bytes: COSTLY }), false, 0);
    pool.add(sized('b', 1, { bytes: COSTLY }), false, 1);
    assert.deepEqual(namesOf(pool.takeBatch(ROOM, IN_VIEW)), ['a1']);
    assert.deepEqual(namesOf(pool.takeBatch({ ...ROOM, costMax: COST_MAX / 2 }, IN_VIEW)), []);
    pool.add(sized('c', 1), false, 2);
    assert.deepEqual(namesOf(pool.takeBatch({ ...ROOM, costMax: COST_MAX / 2 }, IN_VIEW)), [], 'c1 waits for b1');
    assert.deepEqual(namesOf(pool.takeBatch({ ...ROOM, costMax: 2 * COST_MAX }, IN_VIEW)), ['b1', 'c1']);
  });

  it('bound what the waiting requests of one client cost, and always let one wait', () => {
    const pool = new RequestPool({ ...WIDE, costOfClientMax: 3 * costOf(sized('a', 1)) }, costOf);
    const add = (client: string, number: number, bytes = 10) =>
      typeof pool.add(sized(client, number, { bytes }), false, 0) === 'string' ? 'quota' : 'taken';
    assert.deepEqual(
      [add('a', 1), add('a', 2), add('a', 3), add('a', 4), add('b', 1, COSTLY), add('b', 2)],
      ['taken', 'taken', 'taken', 'quota', 'taken', 'quota'],
    );
    pool.settle(request('a', 2));
    assert.equal(add('a', 5), 'taken');
  });
});
