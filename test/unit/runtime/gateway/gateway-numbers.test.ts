/** Which numbers the gateway gives its requests, and what it acknowledges. */
import assert from 'node:assert/strict';
import type { SignedRequest } from '../../../../src/protocol/messages.js';
import { GatewayBench, last } from './gateway-bench.js';

describe('the numbers of the gateway', () => {
  it('acknowledges what lies below its lowest request in flight', () => {
    const bench = GatewayBench.started();
    for (const name of ['a', 'b', 'c', 'd']) {
      bench.submit(name);
      bench.loop.run();
    }
    const [first, second, third] = bench.sent as [SignedRequest, SignedRequest, SignedRequest];
    assert.deepEqual(
      bench.sent.map(({ acknowledged }) => acknowledged),
      [first.number - 1, first.number - 1, first.number - 1, first.number - 1],
    );
    bench.execute(second, third);
    bench.submit('e');
    bench.loop.run();
    assert.equal(last(bench.sent).acknowledged, first.number - 1);
    bench.execute(first);
    bench.submit('f');
    bench.loop.run();
    assert.equal(last(bench.sent).acknowledged, first.number + 2);
  });

  it('uses no number before a reservation of it is durable, and reserves the next block ahead', () => {
    const bench = new GatewayBench({ reserved: 500, clientWindow: 64 });
    bench.gateway.start();
    bench.submit('early');
    assert.equal(bench.signatures, 0);
    bench.loop.run();
    assert.equal(last(bench.sent).number, 501);
    assert.equal(last(bench.sent).acknowledged, 500);
    bench.execute(last(bench.sent));
    for (let index = 0; index < 600; index++) {
      bench.submit(`${index}`);
      bench.loop.run();
      assert.ok(last(bench.sent).number <= bench.durable);
      bench.execute(last(bench.sent));
    }
    assert.equal(last(bench.sent).number, 1_101);
    assert.deepEqual(bench.reservations, [756, 1_012, 1_268]);
  });

  it('waits where the next block of numbers is not durable yet', () => {
    const bench = new GatewayBench({ reserved: 0, clientWindow: 1_024 });
    bench.gateway.start();
    bench.loop.step();
    bench.submit('a');
    assert.deepEqual([bench.reservations, bench.signatures], [[1_280], 0]);
    bench.loop.step();
    assert.equal(bench.signatures, 1);
  });

  it('starts above the highest number in the table and the client window, whatever was reserved', () => {
    const bench = GatewayBench.started({ reserved: 10, highest: 5_000, clientWindow: 100 });
    bench.submit('a');
    bench.loop.run();
    assert.deepEqual([last(bench.sent).number, last(bench.sent).acknowledged], [5_101, 5_100]);
  });

  it('keeps its numbers in flight within the client window', () => {
    const bench = GatewayBench.started({ clientWindow: 16 });
    for (let index = 0; index < 40; index++) {
      bench.submit(`${index}`);
      bench.loop.run();
    }
    assert.equal(bench.sent.length, 15);
    assert.equal(bench.gateway.waitingOperations, 25);
    const [first, ...others] = bench.sent as [SignedRequest, ...SignedRequest[]];
    bench.execute(...others);
    bench.loop.run();
    assert.equal(bench.sent.length, 15);
    bench.execute(first);
    bench.loop.run();
    assert.deepEqual(last(bench.sent).operations.length, 25);
  });

  it('stops the replica where numbers cannot be reserved', () => {
    const bench = GatewayBench.started({ reserveFails: true });
    bench.submit('a');
    bench.loop.run();
    assert.deepEqual(bench.sent, []);
    assert.match(bench.fatal[0] ?? '', /no space left/);
  });
});
