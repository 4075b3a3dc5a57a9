import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ReplicaId, replicaId } from '../../../../src/protocol/identifiers.js';
import { EventQueue } from '../../../../src/runtime/loop/event-queue.js';
import { ALLOWANCE_MAX_US, ALLOWANCE_US_PER_MS, TURN_SHARE_US } from '../../../../src/runtime/loop/peer-lane.js';
import { Fifo } from '../../../../src/util/fifo.js';

const PEERS = [replicaId(1), replicaId(2), replicaId(3)];
const [ONE, TWO, THREE] = [replicaId(1), replicaId(2), replicaId(3)];

function queueOf(bounds: { messagesMax: number; bytesMax: number }): {
  queue: EventQueue<string>;
  dropped: (ReplicaId | undefined)[];
} {
  const dropped: (ReplicaId | undefined)[] = [];
  const queue = new EventQueue<string>({
    peers: PEERS,
    peerMessagesMax: bounds.messagesMax,
    peerBytesMax: bounds.bytesMax,
    clientMessagesMax: bounds.messagesMax,
    clientBytesMax: bounds.bytesMax,
    onDropped: (_lane, peer) => dropped.push(peer),
  });
  return { queue, dropped };
}

function drain(queue: EventQueue<string>): string[] {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) {
    taken.push(item);
  }
  return taken;
}

describe('the event queue', () => {
  it('gives local items first, then peers and clients in turn', () => {
    const { queue } = queueOf({ messagesMax: 10, bytesMax: 100 });
    queue.pushPeer(ONE, 'a1', 1);
    queue.pushPeer(ONE, 'a2', 1);
    queue.pushPeer(ONE, 'a3', 1);
    queue.pushPeer(TWO, 'b1', 1);
    queue.pushClient('c1', 1);
    queue.pushClient('c2', 1);
    queue.pushLocal('l1');
    queue.pushLocal('l2');
    assert.equal(queue.length, 8);
    assert.deepEqual(drain(queue), ['l1', 'l2', 'a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
    assert.equal(queue.length, 0);
  });

  it('lets a flooding peer crowd out only itself: its oldest goes, counted', () => {
    const { queue, dropped } = queueOf({ messagesMax: 2, bytesMax: 1000 });
    queue.pushPeer(TWO, 'b1', 1);
    for (let index = 0; index < 100; index++) {
      queue.pushPeer(ONE, `a${index}`, 1);
    }
    assert.deepEqual(
      dropped,
      Array.from({ length: 98 }, () => ONE),
    );
    assert.deepEqual(drain(queue), ['a98', 'b1', 'a99']);
  });

  it('bounds a peer by bytes, and takes a message longer than the bound alone', () => {
    const { queue, dropped } = queueOf({ messagesMax: 100, bytesMax: 10 });
    queue.pushPeer(ONE, 'small', 4);
    queue.pushPeer(ONE, 'middle', 6);
    assert.equal(dropped.length, 0);
    queue.pushPeer(ONE, 'large', 50);
    assert.equal(dropped.length, 2);
    assert.deepEqual(drain(queue), ['large']);
    queue.pushPeer(ONE, 'one', 5);
    queue.pushPeer(ONE, 'two', 5);
    assert.deepEqual([dropped.length, drain(queue)], [2, ['one', 'two']]);
  });

  it('refuses clients where their lane is full and keeps what waits', () => {
    const { queue, dropped } = queueOf({ messagesMax: 2, bytesMax: 1000 });
    assert.ok(queue.pushClient('c1', 1));
    assert.ok(queue.pushClient('c2', 1));
    assert.ok(!queue.pushClient('c3', 1));
    assert.deepEqual(dropped, [undefined]);
    assert.deepEqual(drain(queue), ['c1', 'c2']);
  });

  it('says when a peer should pause and when it may go on, with a gap between', () => {
    const { queue } = queueOf({ messagesMax: 8, bytesMax: 1000 });
    for (let index = 0; index < 5; index++) {
      assert.ok(!queue.isFull(ONE));
      queue.pushPeer(ONE, 'a', 1);
    }
    assert.ok(queue.isFull(ONE));
    assert.ok(!queue.isFull(TWO));
    queue.take();
    queue.take();
    assert.ok(!queue.isFull(ONE) && !queue.isDrained(ONE));
    queue.take();
    assert.ok(queue.isDrained(ONE));
  });

  it('FU-01: forgets what waits of a peer whose link is another now, and nothing of others', () => {
    const { queue } = queueOf({ messagesMax: 10, bytesMax: 100 });
    queue.pushPeer(ONE, 'a1', 60);
    queue.pushPeer(TWO, 'b1', 1);
    queue.pushPeer(ONE, 'a2', 30);
    queue.pushClient('c1', 1);
    queue.dropPeer(ONE);
    assert.equal(queue.length, 2);
    assert.ok(queue.isDrained(ONE));
    queue.pushPeer(ONE, 'a3', 90);
    assert.deepEqual(drain(queue).sort(), ['a3', 'b1', 'c1']);
    assert.equal(queue.length, 0);
  });

  it('never drops a local item and counts each lane', () => {
    const { queue } = queueOf({ messagesMax: 1, bytesMax: 1 });
    for (let index = 0; index < 1000; index++) {
      queue.pushLocal(`${index}`);
    }
    queue.pushPeer(THREE, 'x', 1);
    queue.pushClient('y', 1);
    assert.deepEqual([queue.depth('local'), queue.depth('peer'), queue.depth('client')], [1000, 1, 1]);
    assert.equal(drain(queue).length, 1002);
  });

  it('keeps the order within each lane and loses only what it counts', () => {
    const push = fc.record({ lane: fc.integer({ min: 0, max: 4 }), sizeBytes: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(fc.array(fc.oneof(push, fc.constant('take' as const)), { maxLength: 200 }), (commands) => {
        const { queue, dropped } = queueOf({ messagesMax: 4, bytesMax: 12 });
        const last = new Map<number, number>();
        let [pushed, taken, number] = [0, 0, 0];
        const check = (item: string): void => {
          const [lane = 0, at = 0] = item.split(':').map(Number);
          assert.ok(at > (last.get(lane) ?? 0));
          last.set(lane, at);
          taken++;
        };
        for (const command of commands) {
          if (command === 'take') {
            const item = queue.take();
            assert.equal(item === undefined, pushed - taken - dropped.length === 0);
            check(item ?? '9:1000000');
            taken -= item === undefined ? 1 : 0;
            last.delete(9);
            continue;
          }
          number++;
          pushed++;
          const item = `${command.lane}:${number}`;
          if (command.lane === 0) {
            queue.pushLocal(item);
          } else if (command.lane === 4) {
            queue.pushClient(item, command.sizeBytes);
          } else {
            queue.pushPeer(replicaId(command.lane), item, command.sizeBytes);
          }
        }
        assert.equal(queue.length, pushed - taken - dropped.length);
        drain(queue).forEach(check);
        assert.equal(taken + dropped.length, pushed);
      }),
    );
  });
});

describe('the fifo', () => {
  it('gives what an array gives', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 600 }), (pushes) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        pushes.forEach((push, index) => {
          if (push || index % 3 === 0) {
            fifo.push(index);
            model.push(index);
          } else {
            assert.equal(fifo.shift(), model.shift());
          }
          assert.equal(fifo.length, model.length);
          assert.equal(fifo.peek(), model[0]);
        });
      }),
    );
  });

  it('RX-02: lets a peer wait for the next turn whose messages used up its share, and no other', () => {
    const { queue } = queueOf({ messagesMax: 10, bytesMax: 100 });
    for (const item of ['a1', 'a2', 'a3']) {
      queue.pushPeer(ONE, item, 1);
    }
    queue.pushPeer(TWO, 'b1', 1);
    queue.pushPeer(TWO, 'b2', 1);
    queue.pushClient('c1', 1);
    queue.beginTurn(0);
    assert.equal(queue.take(), 'a1');
    queue.charge(ONE, { costUs: TURN_SHARE_US, isNew: true });
    assert.deepEqual(drain(queue), ['b1', 'c1', 'b2']);
    assert.equal(queue.length, 2, 'what waits for the next turn is not lost');
    queue.beginTurn(0);
    assert.deepEqual(drain(queue), ['a2', 'a3']);
  });

  it('RX-02: takes off the next turns what one message took beyond the share, and saves up nothing', () => {
    const { queue } = queueOf({ messagesMax: 10, bytesMax: 100 });
    for (const item of ['a1', 'a2', 'a3']) {
      queue.pushPeer(ONE, item, 1);
    }
    queue.beginTurn(0);
    queue.take();
    queue.charge(ONE, { costUs: 3 * TURN_SHARE_US, isNew: true });
    const turns = Array.from({ length: 3 }, () => {
      queue.beginTurn(0);
      return drain(queue);
    });
    assert.deepEqual(turns, [[], [], ['a2', 'a3']]);
    queue.pushPeer(ONE, 'a4', 1);
    queue.pushPeer(ONE, 'a5', 1);
    queue.beginTurn(0);
    queue.beginTurn(0);
    assert.equal(queue.take(), 'a4');
    queue.charge(ONE, { costUs: TURN_SHARE_US, isNew: true });
    assert.equal(queue.take(), undefined);
  });

  it('RX-02: gives no peer more than its share over any turns, but for the last message, whatever messages cost', () => {
    const costs = fc.array(fc.integer({ min: 0, max: 3 * TURN_SHARE_US }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(costs, fc.integer({ min: 1, max: 10 }), (messages, turns) => {
        const { queue } = queueOf({ messagesMax: 100, bytesMax: 1_000 });
        for (const [index] of messages.entries()) {
          queue.pushPeer(ONE, String(index), 1);
        }
        const taken: number[] = [];
        for (let turn = 0; turn < turns; turn++) {
          queue.beginTurn(0);
          for (let item = queue.take(); item !== undefined; item = queue.take()) {
            const cost = messages[Number(item)] ?? assert.fail();
            taken.push(cost);
            queue.charge(ONE, { costUs: cost, isNew: true });
          }
        }
        const last = taken.findLast((cost) => cost > 0) ?? 0;
        const sum = taken.reduce((total, cost) => total + cost, 0);
        assert.ok(sum - last < turns * TURN_SHARE_US, `${sum} µs in ${turns} turns`);
      }),
    );
  });

  it('FU-08: lets a peer wait who brought too much that is not new, until time has passed, and nobody else', () => {
    const { queue } = queueOf({ messagesMax: 10, bytesMax: 100 });
    for (const item of ['a1', 'a2']) {
      queue.pushPeer(ONE, item, 1);
    }
    queue.beginTurn(0);
    queue.take();
    queue.charge(ONE, { costUs: ALLOWANCE_MAX_US + 20 * ALLOWANCE_US_PER_MS, isNew: false });
    queue.pushPeer(TWO, 'b1', 1);
    for (let turn = 0; turn < 1_000; turn++) {
      queue.beginTurn(0);
    }
    assert.equal(queue.waitMs(), 0, 'another waits');
    assert.deepEqual([drain(queue), queue.length], [['b1'], 1]);
    assert.equal(queue.waitMs(), 21);
    queue.beginTurn(20);
    assert.deepEqual([drain(queue), queue.waitMs()], [[], 10]);
    queue.beginTurn(21);
    assert.deepEqual([queue.waitMs(), drain(queue), queue.waitMs()], [0, ['a2'], undefined]);
  });

  it('FU-08: takes nothing off the allowance for what can be brought only once', () => {
    const { queue } = queueOf({ messagesMax: 10, bytesMax: 100 });
    queue.pushPeer(ONE, 'a1', 1);
    for (let turn = 0; turn < 1_000; turn++) {
      queue.charge(ONE, { costUs: TURN_SHARE_US, isNew: true });
      queue.beginTurn(0);
    }
    queue.beginTurn(0);
    assert.equal(queue.waitMs(), 0);
  });
});
