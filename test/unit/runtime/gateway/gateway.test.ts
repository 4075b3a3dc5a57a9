/** How the gateway makes requests of operations and sends them. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { decodeRequest } from '../../../../src/wire/request-codec.js';
import { LIMITS } from '../fakes.js';
import { GatewayBench, HEADER_DIGEST, last, OWN } from './gateway-bench.js';

describe('the gateway', () => {
  it('sends an operation at once when idle and answers with its result', () => {
    const bench = GatewayBench.started();
    bench.submit('a');
    assert.equal(bench.signatures, 1);
    bench.loop.run();
    assert.deepEqual(bench.operations, [['a']]);
    bench.execute(last(bench.sent));
    assert.deepEqual(bench.answers.get('a'), {
      ok: true,
      value: { result: utf8('a!'), sequence: 9, view: 2, headerDigest: HEADER_DIGEST },
    });
    assert.equal(bench.gateway.requestsInFlight, 0);
  });

  it('makes requests that decode to what it says of them', () => {
    const bench = GatewayBench.started();
    bench.submit('a');
    bench.loop.run();
    const { bytes, ...request } = last(bench.sent);
    const decoded = decodeRequest(bytes, LIMITS, sha256);
    assert.ok(decoded.ok);
    assert.deepEqual(
      { ...decoded.value.request, bytes: undefined },
      { ...request, bytes: undefined, operations: [utf8('a')] },
    );
    assert.equal(request.clientId, OWN);
  });

  it('bundles what waits while two requests are being signed, up to 64 operations', () => {
    const bench = GatewayBench.started();
    for (let index = 0; index < 80; index++) {
      bench.submit(`${index}`);
    }
    assert.equal(bench.signatures, 2);
    bench.loop.run();
    assert.deepEqual(
      bench.operations.map(({ length }) => length),
      [1, 1, 64, 14],
    );
    bench.execute(...bench.sent);
    assert.equal(bench.answer('0'), '0!');
    assert.equal(bench.answer('65'), '65!');
    assert.equal(bench.answer('79'), '79!');
    assert.equal(bench.answers.size, 80);
  });

  it('bundles at most 64 KiB, and a longer operation alone', () => {
    const bench = GatewayBench.started();
    const sizes = [1, 1, 30_000, 30_000, 30_000, 200_000, 5];
    for (const [index, size] of sizes.entries()) {
      bench.submit(`${index}`, 5_000, new Uint8Array(size));
    }
    bench.loop.run();
    assert.deepEqual(
      bench.sent.map(({ operations }) => operations.map(({ length }) => length)),
      [[1], [1], [30_000, 30_000], [30_000], [200_000], [5]],
    );
  });

  it('keeps the bytes in flight within their bound', () => {
    const bench = GatewayBench.started({ inFlightBytesMax: 1_000 });
    for (const name of ['a', 'b', 'c']) {
      bench.submit(name, 5_000, new Uint8Array(900));
      bench.loop.run();
    }
    assert.equal(bench.sent.length, 2);
    bench.execute(last(bench.sent));
    bench.loop.run();
    assert.equal(bench.sent.length, 3);
  });

  it('takes an operation as long as the limit allows, and its request fits', () => {
    const bench = GatewayBench.started();
    bench.submit('long', 5_000, new Uint8Array(LIMITS.requestBytesMax - 1_024));
    bench.loop.run();
    assert.ok(last(bench.sent).bytes.length + 512 <= LIMITS.requestBytesMax);
  });

  it('hands a request to the core again while it is in flight, ever more rarely', () => {
    const bench = GatewayBench.started();
    bench.submit('a', 100_000);
    bench.loop.run();
    const counts: number[] = [];
    for (let second = 0; second < 40; second += 2) {
      bench.timers.advance(2_000);
      counts.push(bench.sent.length);
    }
    assert.deepEqual([counts[0], counts[2], counts[6], counts[14], last(counts)], [2, 3, 4, 5, 5]);
    assert.equal(new Set(bench.sent.map(({ bytes }) => bytes)).size, 1);
    bench.execute(last(bench.sent));
    bench.timers.advance(100_000);
    assert.equal(bench.sent.length, 5);
    assert.equal(bench.timers.running, 0);
  });
});
