import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Priority, SendQueue } from '../../../src/network/send-queue.js';
import { frameOf } from '../../../src/wire/frame.js';

function message(sizeBytes: number, mark = 0): Uint8Array {
  return new Uint8Array(sizeBytes).fill(mark);
}

function marks(bundle: readonly Uint8Array[]): number[] {
  return bundle.map((one) => one[0] ?? -1);
}

describe('a send queue', () => {
  it('gives votes before bulk, each in its order', () => {
    const queue = new SendQueue({ queueBytesMax: 100, queueMessagesMax: 10 });
    queue.push(message(1, 1), 'bulk');
    queue.push(message(1, 2), 'vote');
    queue.push(message(1, 3), 'bulk');
    queue.push(message(1, 4), 'vote');
    assert.deepEqual(marks(queue.takeBundle(100)), [2, 4, 1, 3]);
    assert.equal(queue.sizeBytes, 0);
    assert.deepEqual(queue.takeBundle(100), []);
  });

  it('fills a frame no further than its limit, and gives a longer message a frame of its own', () => {
    const queue = new SendQueue({ queueBytesMax: 1_000, queueMessagesMax: 10 });
    for (const sizeBytes of [40, 40, 300, 10]) {
      queue.push(message(sizeBytes), 'bulk');
    }
    const sizes = [0, 0, 0].map(() => queue.takeBundle(100).map((one) => one.length));
    assert.deepEqual(sizes, [[40, 40], [300], [10]]);
  });

  it('drops the oldest bulk first, then for a vote the oldest vote, and never a vote for bulk', () => {
    const queue = new SendQueue({ queueBytesMax: 30, queueMessagesMax: 10 });
    queue.push(message(10, 1), 'bulk');
    queue.push(message(10, 2), 'vote');
    queue.push(message(10, 3), 'bulk');
    assert.deepEqual(queue.push(message(10, 4), 'vote'), { isAccepted: true, droppedCount: 1 });
    assert.deepEqual(queue.push(message(10, 5), 'vote'), { isAccepted: true, droppedCount: 1 });
    assert.deepEqual(queue.push(message(10, 6), 'vote'), { isAccepted: true, droppedCount: 1 });
    assert.deepEqual(queue.push(message(10, 7), 'bulk'), { isAccepted: false, droppedCount: 0 });
    assert.deepEqual(marks(queue.takeBundle(100)), [4, 5, 6]);
  });

  it('refuses what could never fit, and drops nothing for it', () => {
    const queue = new SendQueue({ queueBytesMax: 30, queueMessagesMax: 10 });
    queue.push(message(10, 1), 'bulk');
    assert.deepEqual(queue.push(message(31), 'vote'), { isAccepted: false, droppedCount: 0 });
    assert.equal(queue.messageCount, 1);
  });

  it('makes only frames that the codec takes, however short the messages', () => {
    const queue = new SendQueue({ queueBytesMax: 1_000_000, queueMessagesMax: 100_000 });
    for (let index = 0; index < 50_000; index++) {
      queue.push(message(1), 'vote');
    }
    let count = 0;
    for (let bundle = queue.takeBundle(256 * 1024); bundle.length > 0; bundle = queue.takeBundle(256 * 1024)) {
      frameOf(bundle);
      count += bundle.length;
    }
    assert.equal(count, 50_000);
  });

  it('keeps to its limits and loses nothing uncounted, whatever is done with it', () => {
    const limits = { queueBytesMax: 50, queueMessagesMax: 5 };
    const push = fc.record({ sizeBytes: fc.integer({ min: 1, max: 60 }), isVote: fc.boolean() });
    const action = fc.oneof(push, fc.record({ takeBytes: fc.integer({ min: 1, max: 80 }) }));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const queue = new SendQueue(limits);
        let expectedCount = 0;
        for (const one of actions) {
          if ('takeBytes' in one) {
            const bundle = queue.takeBundle(one.takeBytes);
            assert.ok(bundle.length === 1 || frameOf(bundle).length <= one.takeBytes);
            assert.equal(bundle.length === 0, expectedCount === 0);
            expectedCount -= bundle.length;
          } else {
            const priority: Priority = one.isVote ? 'vote' : 'bulk';
            const hasRoom = one.sizeBytes <= queue.roomBytes;
            const { isAccepted, droppedCount } = queue.push(message(one.sizeBytes), priority);
            assert.equal(isAccepted && droppedCount === 0, hasRoom, 'its room is what it takes without dropping');
            expectedCount += (isAccepted ? 1 : 0) - droppedCount;
          }
          assert.equal(queue.messageCount, expectedCount);
          assert.ok(queue.messageCount <= limits.queueMessagesMax && queue.sizeBytes <= limits.queueBytesMax);
        }
        assert.equal(queue.clear(), expectedCount);
        assert.equal(queue.sizeBytes, 0);
      }),
    );
  });
});
