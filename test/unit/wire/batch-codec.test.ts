import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import { computeBatchShareBytes, decodeBatch, encodeBatch } from '../../../src/wire/batch-codec.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import { request as anyRequest, LIMITS, requests } from './arbitraries.js';
import { countingHash, findingOf, manyRequests, simpleRequest } from './support.js';

describe('wire: a batch', () => {
  const decode = (bytes: Uint8Array, limits: WireLimits = LIMITS): string =>
    findingOf(decodeBatch(bytes, limits, sha256));

  it('has at least one request, where it is not the null batch', () => {
    assert.equal(decode(encodeBatch(5, [])), 'requests has no element, and this is not the null batch');
    assert.equal(decode(new Uint8Array(0)), 'timestamp_ms is missing');
  });

  it('names no client and number twice, even where the operations differ', () => {
    const twice = [simpleRequest(1), simpleRequest(2), simpleRequest(1, [Uint8Array.of(2)])];
    assert.equal(decode(encodeBatch(5, twice)), 'requests[2] has the client and number of another one');
    assert.equal(decode(encodeBatch(5, twice.slice(0, 2))), 'ok');
  });

  it('IV-04 has no more requests than operations are allowed, which is seen before one of them is looked into', () => {
    const counter = countingHash();
    const max = LIMITS.batchOperationsMax;
    const limits = { ...LIMITS, batchBytesMax: 1_000_000 };
    const tooMany = decodeBatch(encodeBatch(5, manyRequests(max + 1)), limits, counter.hash);
    assert.equal(findingOf(tooMany), `requests has more than ${max} elements`);
    assert.equal(counter.calls, 0);
    assert.equal(decode(encodeBatch(5, manyRequests(max)), limits), 'ok');
  });

  it('IV-04 is refused quickly with a million empty requests', () => {
    const million = new Uint8Array(2_000_002);
    for (let index = 0; index < million.length; index += 2) {
      million[index] = index === 0 ? 0x08 : 0x12;
    }
    const counter = countingHash();
    const result = decodeBatch(million, { ...LIMITS, batchBytesMax: 4_000_000 }, counter.hash);
    assert.equal(findingOf(result), `requests has more than ${LIMITS.batchOperationsMax} elements`);
    assert.equal(counter.calls, 0);
  });

  it('has no more operations than the limit in all requests together', () => {
    const operations = Array.from({ length: LIMITS.batchOperationsMax - 1 }, () => new Uint8Array(0));
    const first = simpleRequest(1, operations);
    assert.equal(decode(encodeBatch(5, [first, simpleRequest(2)])), 'ok');
    assert.equal(
      decode(encodeBatch(5, [first, simpleRequest(2), simpleRequest(3)])),
      `requests have more than ${LIMITS.batchOperationsMax} operations`,
    );
  });

  it('is no longer than the limit, to the byte', () => {
    const bytes = encodeBatch(5, manyRequests(3));
    assert.equal(decode(bytes, { ...LIMITS, batchBytesMax: bytes.length }), 'ok');
    assert.equal(
      decode(bytes, { ...LIMITS, batchBytesMax: bytes.length - 1 }),
      `has ${bytes.length} bytes, allowed are ${bytes.length - 1}`,
    );
  });

  it('grows by a request as much as is computed', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        assert.equal(encodeBatch(5, [request]).length - encodeBatch(5, []).length, computeBatchShareBytes(request));
      }),
    );
  });

  it('names the request and the field that are wrong', () => {
    const broken = { ...simpleRequest(2), bytes: simpleRequest(2).bytes.subarray(0, 40) };
    assert.equal(decode(encodeBatch(5, [simpleRequest(1), broken])), 'requests[1].payload is cut off');
  });

  it('gives requests and operations as views on its bytes, the requests exactly as they were put in', () => {
    fc.assert(
      fc.property(requests(1), (parts) => {
        const bytes = encodeBatch(5, parts);
        const decoded = decodeBatch(bytes, LIMITS, sha256);
        assert.ok(decoded.ok);
        for (const [index, { request, payload, signature }] of decoded.value.requests.entries()) {
          assert.deepEqual([...request.bytes], [...(parts[index]?.bytes ?? [])]);
          for (const view of [request.bytes, payload, signature, ...request.operations]) {
            assert.equal(view.buffer, bytes.buffer);
          }
        }
      }),
    );
  });
});
