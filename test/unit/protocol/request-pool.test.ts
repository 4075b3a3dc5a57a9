/** Requests that wait: bounds, turns, and what goes into a batch. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { view } from '../../../src/protocol/identifiers.js';
import type { SignedRequest, Verified } from '../../../src/protocol/messages.js';
import { type BatchRoom, RequestPool } from '../../../src/protocol/request-pool.js';
import type { ClientId } from '../../../src/util/digest.js';
import { request, verified } from '../../support/core-cluster.js';

const COST_MAX = 1_000_000;
const LIMITS = { requestsOfClientMax: 3, requestsMax: 5, bytesMax: 100, costOfClientMax: COST_MAX };
const WIDE = { requestsOfClientMax: 100, requestsMax: 1_000, bytesMax: 1_000_000, costOfClientMax: 100 * COST_MAX };
const ROOM = { operationsMax: 100, bytesMax: 10_000, costMax: COST_MAX };
const IN_VIEW = view(0);
/** What a request takes of a batch beside its bytes. */
const FIELD_BYTES = 6;

/** Requests of 10 bytes are cheap, the longest of the tests are costly. */
const costOf = ({ bytes }: SignedRequest): number => bytes.length ** 2 * 100;

/** A request of so many operations and bytes. */
function sized(
  client: string,
  number: number,
  size: { operations?: number; bytes?: number } = {},
): Verified<SignedRequest> {
  const { operations = 1, bytes = 10 } = size;
  return verified({
    ...request(client, number),
    operations: Array.from({ length: operations }, () => new Uint8Array(1)),
    bytes: new Uint8Array(bytes),
  });
}

const namesOf = (requests: readonly SignedRequest[]) => {
  const clients = new Map(['a', 'b', 'c', 'd'].map((name) => [request(name, 1).clientId, name]));
  return requests.map(({ clientId, number }) => `${clients.get(clientId)}${number}`);
};

function poolWith(...names: readonly string[]): RequestPool {
  const pool = new RequestPool(WIDE, costOf);
  for (const [index, name] of names.entries()) {
    pool.add(sized(name.slice(0, 1), Number(name.slice(1))), false, index);
  }
  return pool;
}

describe('the request pool', () => {
  it('takes a request once, until it is settled', () => {
    const pool = new RequestPool(WIDE, costOf);
    assert.equal(typeof pool.add(request('a', 1), true, 5), 'object');
    assert.equal(pool.add(request('a', 1, 'another content'), false, 6), 'duplicate');
    assert.deepEqual(
      [pool.size, pool.refuses(request('a', 1), 1), pool.refuses(request('a', 2), 1)],
      [1, 'duplicate', undefined],
    );
    pool.settle(request('a', 1));
    assert.deepEqual([pool.size, pool.unproposed, pool.refuses(request('a', 1), 1)], [0, 0, undefined]);
    assert.equal(typeof pool.add(request('a', 1), false, 7), 'object');
  });

  it('CL-06: bounds what waits of a client, of all, and in bytes', () => {
    const pool = new RequestPool(LIMITS, costOf);
    const add = (name: string, number: number, bytes = 10) => {
      const taken = pool.add(sized(name, number, { bytes }), false, 0);
      return typeof taken === 'string' ? taken : 'taken';
    };
    assert.deepEqual(
      [1, 2, 3, 4].map((number) => add('a', number)),
      ['taken', 'taken', 'taken', 'quota'],
    );
    assert.deepEqual([add('b', 1, 71), add('b', 1, 70), add('b', 2, 1)], ['quota', 'taken', 'quota']);
    pool.settle(request('b', 1));
    assert.deepEqual([add('b', 1), add('c', 1), add('d', 1)], ['taken', 'taken', 'quota']);
  });

  it('lets everything up to what a client acknowledged go, and nothing of others', () => {
    const pool = poolWith('a3', 'a1', 'a2', 'b1');
    pool.acknowledge(request('a', 1).clientId, 2);
    assert.deepEqual(namesOf(pool.takeBatch(ROOM, IN_VIEW)), ['a3', 'b1']);
  });

  it('finds the request that waits longest, proposed or not', () => {
    const pool = poolWith('b5', 'a1', 'c1', 'a2');
    assert.equal(pool.oldest()?.request.number, 5);
    pool.takeBatch(ROOM, IN_VIEW);
    assert.equal(pool.oldest()?.request.number, 5);
    pool.settle(request('b', 5));
    assert.equal(pool.oldest()?.knownSinceMs, 1);
    assert.deepEqual(namesOf(pool.select(({ knownSinceMs }) => knownSinceMs !== 2).map((waiting) => waiting.request)), [
      'a1',
      'a2',
    ]);
  });
});

describe('a batch from the pool', () => {
  it('has the clients in turn, each one’s requests oldest first', () => {
    const pool = poolWith('a2', 'a1', 'a3', 'b1', 'c1', 'c2');
    assert.deepEqual(namesOf(pool.takeBatch(ROOM, IN_VIEW)), ['a2', 'b1', 'c1', 'a1', 'c2', 'a3']);
    assert.deepEqual([pool.unproposed, pool.size], [0, 6]);
    assert.deepEqual(pool.takeBatch(ROOM, IN_VIEW), []);
  });

  it('BP-07: begins with those who were not served by the one before', () => {
    const pool = poolWith('a1', 'a2', 'a3', 'b1', 'c1', 'd1');
    const room = { ...ROOM, operationsMax: 2 };
    const batches = [1, 2, 3].map(() => namesOf(pool.takeBatch(room, IN_VIEW)));
    assert.deepEqual(batches, [
      ['a1', 'b1'],
      ['c1', 'd1'],
      ['a2', 'a3'],
    ]);
  });

  it('keeps to its room, and takes at least one however large', () => {
    const pool = new RequestPool(WIDE, costOf);
    const size = { operations: 3, bytes: 100 };
    for (const number of [1, 2, 3]) {
      pool.add(sized('a', number, size), false, number);
    }
    const oneFits = { ...ROOM, bytesMax: 2 * (100 + FIELD_BYTES) - 1 };
    assert.deepEqual(namesOf(pool.takeBatch(oneFits, IN_VIEW)), ['a1']);
    assert.deepEqual(namesOf(pool.takeBatch({ ...ROOM, operationsMax: 5 }, IN_VIEW)), ['a2']);
    assert.deepEqual(namesOf(pool.takeBatch({ ...ROOM, operationsMax: 1, bytesMax: 1 }, IN_VIEW)), ['a3']);
  });

  it('fills with others’ where the next of a client does not fit, which then is first', () => {
    const pool = new RequestPool(WIDE, costOf);
    pool.add(sized('a', 1, { bytes: 10 }), false, 0);
    pool.add(sized('b', 1, { bytes: 90 }), false, 1);
    pool.add(sized('c', 1, { bytes: 10 }), false, 2);
    const room = { ...ROOM, bytesMax: 100 };
    assert.deepEqual(namesOf(pool.takeBatch(room, IN_VIEW)), ['a1', 'c1']);
    assert.deepEqual(namesOf(pool.takeBatch(room, IN_VIEW)), ['b1']);
  });

  it('is full by operations, by bytes or by cost', () => {
    const pool = new RequestPool(WIDE, costOf);
    pool.add(sized('a', 1, { operations: 4, bytes: 94 }), false, 0);
    assert.deepEqual(
      [
        pool.fills({ ...ROOM, operationsMax: 4, bytesMax: 1_000 }),
        pool.fills({ ...ROOM, operationsMax: 5, bytesMax: 100 }),
        pool.fills({ ...ROOM, operationsMax: 5, bytesMax: 101 }),
        pool.fills({ ...ROOM, costMax: 94 ** 2 * 100 }),
        pool.fills({ ...ROOM, costMax: 94 ** 2 * 100 + 1 }),
      ],
      [true, true, false, true, false],
    );
  });
});

/** What the pool should hold, kept in the simplest way. */
interface Modelled {
  readonly request: Verified<SignedRequest>;
  readonly order: number;
  isProposed: boolean;
}

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      client: fc.constantFrom('a', 'b', 'c', 'd'),
      number: fc.integer({ min: 1, max: 8 }),
      operations: fc.integer({ min: 1, max: 4 }),
      bytes: fc.integer({ min: 1, max: 60 }),
    }),
  },
  fc.record({
    kind: fc.constant('settle' as const),
    client: fc.constantFrom('a', 'b', 'c', 'd'),
    number: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({
    kind: fc.constant('acknowledge' as const),
    client: fc.constantFrom('a', 'b', 'c', 'd'),
    number: fc.integer({ min: 0, max: 8 }),
  }),
  fc.record({
    kind: fc.constant('take' as const),
    operationsMax: fc.integer({ min: 1, max: 8 }),
    bytesMax: fc.integer({ min: 1, max: 150 }),
    costMax: fc.integer({ min: 0, max: COST_MAX }),
  }),
);

/** A pool beside its model. */
class Modelling {
  readonly pool = new RequestPool(LIMITS, costOf);
  private waiting: Modelled[] = [];
  private nextOrder = 0;

  run(one: typeof command extends fc.Arbitrary<infer C> ? C : never): void {
    switch (one.kind) {
      case 'add':
        this.add(sized(one.client, one.number, one));
        break;
      case 'settle':
        this.pool.settle(request(one.client, one.number));
        this.waiting = this.waiting.filter((held) => !isSame(held, request(one.client, one.number)));
        break;
      case 'acknowledge': {
        const { clientId } = request(one.client, 1);
        this.pool.acknowledge(clientId, one.number);
        this.waiting = this.waiting.filter(
          (held) => held.request.clientId !== clientId || held.request.number > one.number,
        );
        break;
      }
      case 'take':
        this.take(one);
    }
    this.compare();
  }

  private add(candidate: Verified<SignedRequest>): void {
    const sizeBytes = this.waiting.reduce((sum, held) => sum + held.request.bytes.length, 0);
    const ofClient = this.waiting.filter((held) => held.request.clientId === candidate.clientId).length;
    const costs = this.waiting
      .filter((held) => held.request.clientId === candidate.clientId)
      .reduce((sum, held) => sum + costOf(held.request), 0);
    const isFull =
      (ofClient > 0 && costs + costOf(candidate) > LIMITS.costOfClientMax) ||
      ofClient >= LIMITS.requestsOfClientMax ||
      this.waiting.length >= LIMITS.requestsMax ||
      sizeBytes + candidate.bytes.length > LIMITS.bytesMax;
    const isThere = this.waiting.some((held) => isSame(held, candidate));
    const order = this.nextOrder++;
    const taken = this.pool.add(candidate, false, order);
    assert.equal(typeof taken === 'string' ? taken : 'taken', isThere ? 'duplicate' : isFull ? 'quota' : 'taken');
    if (typeof taken !== 'string') {
      this.waiting.push({ request: candidate, order, isProposed: false });
    }
  }

  private take(room: BatchRoom): void {
    const open = this.waiting.filter(({ isProposed }) => !isProposed);
    const taken = this.pool.takeBatch(room, IN_VIEW);
    const isRoomForAny = open.every((held) => costOf(held.request) <= room.costMax);
    assert.ok(
      taken.length > 0 || open.length === 0 || !isRoomForAny,
      'at least one where there is any and room for it',
    );
    const cost = taken.reduce((sum, one) => sum + costOf(one), 0);
    assert.ok(cost <= room.costMax, 'never more than the room in cost');
    const operations = taken.reduce((sum, one) => sum + one.operations.length, 0);
    const bytes = taken.reduce((sum, one) => sum + one.bytes.length + FIELD_BYTES, 0);
    assert.ok(taken.length <= 1 || (operations <= room.operationsMax && bytes <= room.bytesMax), 'within the room');
    for (const clientId of new Set(taken.map((one) => one.clientId))) {
      const own = taken.filter((one) => one.clientId === clientId);
      const expected = open.filter((held) => held.request.clientId === clientId).slice(0, own.length);
      assert.deepEqual(
        own,
        expected.map((held) => held.request),
        'oldest first',
      );
    }
    for (const held of open) {
      held.isProposed = taken.includes(held.request);
    }
  }

  private compare(): void {
    const { pool, waiting } = this;
    const open = waiting.filter(({ isProposed }) => !isProposed);
    assert.deepEqual([pool.size, pool.unproposed], [waiting.length, open.length]);
    const operations = open.reduce((sum, { request: held }) => sum + held.operations.length, 0);
    const bytes = open.reduce((sum, { request: held }) => sum + held.bytes.length + FIELD_BYTES, 0);
    const fills = (operationsMax: number, bytesMax: number) => pool.fills({ operationsMax, bytesMax, costMax: 1e12 });
    assert.deepEqual(
      [fills(operations, 1e9), fills(operations + 1, 1e9), fills(1e9, bytes), fills(1e9, bytes + 1)],
      [true, false, true, false],
      'what is accounted is what is there',
    );
    assert.equal(pool.oldest()?.knownSinceMs, waiting[0]?.order);
  }
}

function isSame(held: Modelled, key: { readonly clientId: ClientId; readonly number: number }): boolean {
  return held.request.clientId === key.clientId && held.request.number === key.number;
}

describe('any use of the pool', () => {
  it('keeps the bounds, the order and the accounts', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const modelling = new Modelling();
        for (const one of commands) {
          modelling.run(one);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('BP-07: serves every client within as many batches as there are clients, whatever the others add', () => {
    const flood = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(flood, fc.integer({ min: 1, max: 3 }), (clients, operationsMax) => {
        const pool = new RequestPool(WIDE, costOf);
        let number = 0;
        const addAll = (): void => {
          for (const client of clients) {
            number++;
            pool.add(sized(client, number), false, number);
          }
        };
        addAll();
        pool.add(sized('d', 1), false, number + 1);
        for (let batch = 0; batch < 4; batch++) {
          if (namesOf(pool.takeBatch({ ...ROOM, operationsMax }, IN_VIEW)).includes('d1')) {
            return;
          }
          addAll();
        }
        assert.fail('the quiet client was not served');
      }),
    );
  });
});
