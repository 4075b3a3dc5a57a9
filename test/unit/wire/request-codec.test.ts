import { strict as assert } from 'node:assert';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import type { ClientId } from '../../../src/util/digest.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { INTEGER_MAX, type WireLimits } from '../../../src/wire/limits.js';
import { decodeRequest } from '../../../src/wire/request-codec.js';
import { LIMITS, requestOf } from './arbitraries.js';
import { CLIENT, countingHash, findingOf, simpleRequest } from './support.js';

describe('wire: a request', () => {
  const decode = (bytes: Uint8Array, limits: WireLimits = LIMITS): string =>
    findingOf(decodeRequest(bytes, limits, sha256));
  const withPayload = (payload: Uint8Array, clientId = CLIENT): Uint8Array =>
    encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature: Uint8Array.of(1) });

  it('acknowledges less than its number, has a number from 1, and at least one operation', () => {
    const of = (number: number, acknowledged: number, operations = [Uint8Array.of(1)]): string =>
      decode(requestOf({ clientId: CLIENT, number, acknowledged, operations }, Uint8Array.of(1)).bytes);
    assert.equal(of(1, 0), 'ok');
    assert.equal(of(5, 4), 'ok');
    assert.equal(of(5, 5), 'payload.acknowledged is 5, allowed are 0 to 4');
    assert.equal(of(1, 1), 'payload.acknowledged is 1, allowed are 0 to 0');
    assert.equal(of(0, 0), `payload.number is 0, allowed are 1 to ${INTEGER_MAX}`);
    assert.equal(of(INTEGER_MAX, INTEGER_MAX - 1), 'ok');
    assert.equal(of(1, 0, []), 'payload.operations has no element');
  });

  it('is by the client that its envelope names', () => {
    const other = 'c2'.repeat(32) as ClientId;
    const decoded = decodeRequest(simpleRequest(1).bytes, LIMITS, sha256);
    assert.ok(decoded.ok);
    assert.equal(decode(withPayload(decoded.value.payload)), 'ok');
    assert.equal(decode(withPayload(decoded.value.payload, other)), "payload.client_id is not the envelope's");
  });

  it('has no more operations than a batch may have, so that it fits into one', () => {
    const operations = Array.from({ length: LIMITS.batchOperationsMax + 1 }, () => new Uint8Array(0));
    assert.equal(decode(simpleRequest(1, operations.slice(1)).bytes), 'ok');
    assert.match(decode(simpleRequest(1, operations).bytes), /^payload.operations has more than 20 elements$/);
  });

  it('is no longer than the limit, to the byte, and is not hashed where it is longer', () => {
    const { bytes } = simpleRequest(1);
    const counter = countingHash();
    assert.equal(decode(bytes, { ...LIMITS, requestBytesMax: bytes.length }), 'ok');
    const limits = { ...LIMITS, requestBytesMax: bytes.length - 1 };
    assert.match(findingOf(decodeRequest(bytes, limits, counter.hash)), /bytes, allowed are/);
    assert.equal(counter.calls, 0);
  });

  it('is identified by client and payload, not by its signature', () => {
    const content = { clientId: CLIENT, number: 1, acknowledged: 0, operations: [Uint8Array.of(1)] };
    const [first, second] = [1, 2].map((byte) =>
      decodeRequest(requestOf(content, Uint8Array.of(byte)).bytes, LIMITS, sha256),
    );
    assert.ok(first?.ok && second?.ok);
    assert.notDeepEqual(first.value.request.bytes, second.value.request.bytes);
    assert.equal(first.value.request.digest, second.value.request.digest);
  });

  it('is not a message of a replica', () => {
    const sender = { kind: 'replica', replica: replicaId(1) } as const;
    const payload = Uint8Array.of(1);
    assert.equal(
      decode(encodeEnvelope({ type: 'commit', sender, payload, signature: payload })),
      'type is not a request',
    );
  });
});
