import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { Prepare } from '../../../src/protocol/messages.js';
import { defined } from '../../../src/util/assert.js';
import { concatBytes, fromHex, toHex } from '../../../src/util/bytes.js';
import type { ClientId, Digest } from '../../../src/util/digest.js';
import { decodeEnvelope, encodeEnvelope, type Sender } from '../../../src/wire/envelope.js';
import { ANY_CLUSTER, INTEGER_MAX, REPLICA_COUNT_MAX } from '../../../src/wire/limits.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { Prepare as GeneratedPrepare, SignedMessage } from '../../gen/pbft/v1/message.js';
import { clientId, LIMITS, replica } from './arbitraries.js';

const DIGEST = 'ab'.repeat(32) as Digest;
const PREPARE: Prepare = { type: 'prepare', view: view(3), sequence: sequence(7), batchDigest: DIGEST };
const CANONICAL = encodePayload(PREPARE);

const hex = (text: string): Uint8Array => defined(fromHex(text.replaceAll(' ', '')), 'hexadecimal');
const digestField = `1a20${DIGEST}`;

function findingOf(payload: Uint8Array): string {
  const result = decodePayload('prepare', payload, LIMITS);
  return result.ok ? 'ok' : `${result.error.field} ${result.error.description}`.trim();
}

/** A varint of any length, with superfluous bytes where it is longer than needed. */
function varint(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    bytes[index] = Number((value >> BigInt(7 * index)) & 127n) | (index < length - 1 ? 128 : 0);
  }
  return bytes;
}

describe('wire: the canonical form', () => {
  const prepare = toHex(CANONICAL);
  const others: readonly (readonly [string, string, string])[] = [
    ['an unknown field at the end', `${prepare} 2001`, 'has an unknown, repeated or misplaced field at byte 38'],
    ['an unknown field between', `0803 2001 1007 ${digestField}`, 'sequence is missing'],
    ['a repeated field, the same', `0803 0803 1007 ${digestField}`, 'sequence is missing'],
    [
      'a repeated field at the end',
      `${prepare} ${digestField}`,
      'has an unknown, repeated or misplaced field at byte 38',
    ],
    ['fields in another order', `1007 0803 ${digestField}`, 'view is missing'],
    ['a number with superfluous bytes', `08 83 80 00 1007 ${digestField}`, 'view has superfluous bytes'],
    ['a number of ten bytes', `08 83 80 80 80 80 80 80 80 80 00 1007 ${digestField}`, `view is above ${INTEGER_MAX}`],
    ['a length with superfluous bytes', `0803 1007 1a a000 ${DIGEST}`, 'batch_digest has superfluous bytes'],
    ['a tag of two bytes', `8800 03 1007 ${digestField}`, 'view is missing'],
    ['a tag 0 and what follows', `${prepare} 00 0809`, 'has an unknown, repeated or misplaced field at byte 38'],
    ['a field of another wire type', `0d 03000000 1007 ${digestField}`, 'view is missing'],
    ['a group', `0b 0c ${prepare}`, 'view is missing'],
    ['no field at all', '', 'view is missing'],
    ['a missing view', `1007 ${digestField}`, 'view is missing'],
    ['a missing digest', '0803 1007', 'batch_digest is missing'],
  ];

  it('is what the encoder makes', () => {
    assert.equal(findingOf(CANONICAL), 'ok');
  });

  for (const [what, bytes, finding] of others) {
    it(`IV-01 is not ${what}`, () => {
      assert.equal(findingOf(hex(bytes)), finding);
    });
  }

  it('IV-01 is stricter than the generated decoder, which takes two encodings for one message', () => {
    const twice = hex(`0809 ${prepare} 2001`);
    const loose = GeneratedPrepare.decode(twice);
    assert.deepEqual([loose.view, loose.sequence], [3, 7]);
    assert.notEqual(findingOf(twice), 'ok');
  });

  it('IV-06 has no groups, however deep', () => {
    const deep = new Uint8Array(400_000).fill(0x0b, 0, 200_000).fill(0x0c, 200_000);
    assert.equal(findingOf(deep), 'view is missing');
    assert.equal(findingOf(concatBytes([CANONICAL, deep])), 'has an unknown, repeated or misplaced field at byte 38');
  });

  it('IV-03 has no number above 2^52 - 1, nor one that is cut to fewer bits', () => {
    for (const value of [2n ** 52n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 56n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      const length = Math.ceil(value.toString(2).length / 7);
      const bytes = concatBytes([hex('08'), varint(value, length), hex(`1007 ${digestField}`)]);
      assert.match(findingOf(bytes), /^view is /, `${value}`);
    }
    const largest = concatBytes([hex('08'), varint(BigInt(INTEGER_MAX), 8), hex(`1007 ${digestField}`)]);
    assert.equal(findingOf(largest), 'ok');
  });

  it('IV-03 leaves room above the largest number: counting on from it through a window is exact', () => {
    const largest = INTEGER_MAX;
    assert.ok(Number.isSafeInteger(2 * largest));
    assert.equal(largest + 1 - largest, 1);
  });

  it('has a sequence from 1', () => {
    assert.equal(findingOf(hex(`0803 1000 ${digestField}`)), `sequence is 0, allowed are 1 to ${INTEGER_MAX}`);
  });

  it('IV-04 has digests of exactly 32 bytes', () => {
    for (const length of [0, 1, 31, 33, 64]) {
      const bytes = concatBytes([hex('0803 1007 1a'), varint(BigInt(length), 1), new Uint8Array(length)]);
      assert.equal(findingOf(bytes), `batch_digest has ${length} bytes, allowed are 32 to 32`);
    }
    assert.match(findingOf(hex('0803 1007 1a 80808010')), /^batch_digest has 33554432 bytes/);
  });
});

describe('wire: the envelope', () => {
  const fieldsAfterSender = '2201aa 2a01bb';
  const findingOfEnvelope = (text: string, replicaCount = REPLICA_COUNT_MAX): string => {
    const result = decodeEnvelope(hex(text), { ...ANY_CLUSTER, replicaCount });
    return result.ok ? 'ok' : `${result.error.field} ${result.error.description}`.trim();
  };

  it('names exactly one sender, of the kind that its type wants', () => {
    const client = `1a20${DIGEST}`;
    assert.equal(findingOfEnvelope(`0803 1001 ${fieldsAfterSender}`), 'ok');
    assert.equal(findingOfEnvelope(`0801 ${client} ${fieldsAfterSender}`), 'ok');
    assert.equal(findingOfEnvelope(`0803 ${fieldsAfterSender}`), 'sender is of no known kind');
    assert.equal(findingOfEnvelope(`0801 ${fieldsAfterSender}`), 'sender is of no known kind');
    assert.equal(
      findingOfEnvelope(`0803 ${client} ${fieldsAfterSender}`),
      'sender is a client, which does not sign a prepare',
    );
    assert.equal(
      findingOfEnvelope(`0801 1001 ${fieldsAfterSender}`),
      'sender is a replica, which does not sign a request',
    );
    assert.equal(findingOfEnvelope(`0803 1001 ${client} ${fieldsAfterSender}`), 'payload is missing');
  });

  it('IV-01 is not taken for replica 1 where it says replica 2^32 + 1, as the generated decoder would', () => {
    const text = `0803 10 8180808010 ${fieldsAfterSender}`;
    assert.deepEqual(SignedMessage.decode(hex(text)).sender, { $case: 'replica', value: 1 });
    assert.equal(findingOfEnvelope(text), 'replica is 4294967297, allowed are 0 to 99');
  });

  it('has a replica below n', () => {
    assert.equal(findingOfEnvelope(`0803 1003 ${fieldsAfterSender}`, 4), 'ok');
    assert.equal(findingOfEnvelope(`0803 1004 ${fieldsAfterSender}`, 4), 'replica is 4, allowed are 0 to 3');
  });

  it('has a known type, a payload, and a signature of 1 to 512 bytes', () => {
    for (const type of ['00', '0b', '7f', '8001']) {
      assert.match(findingOfEnvelope(`08${type} 1001 ${fieldsAfterSender}`), /^type is /);
    }
    assert.match(findingOfEnvelope('0803 1001 2200 2a01bb'), /^payload has 0 bytes/);
    assert.match(findingOfEnvelope('0803 1001 2201aa 2a00'), /^signature has 0 bytes/);
    assert.equal(findingOfEnvelope(`0803 1001 2201aa 2a8004 ${'bb'.repeat(512)}`), 'ok');
    assert.match(findingOfEnvelope(`0803 1001 2201aa 2a8104 ${'bb'.repeat(513)}`), /^signature has 513 bytes/);
  });

  it('IV-05 never makes one id of two different ones, whatever bytes they are', () => {
    const signer: fc.Arbitrary<Sender> = fc.oneof(
      clientId.map((id) => ({ kind: 'client' as const, clientId: id })),
      replica.map((id) => ({ kind: 'replica' as const, replica: id })),
    );
    const idOf = (sender: Sender): string => {
      const type = sender.kind === 'client' ? 'request' : 'commit';
      const one = Uint8Array.of(1);
      const decoded = decodeEnvelope(encodeEnvelope({ type, sender, payload: one, signature: one }));
      assert.ok(decoded.ok);
      return JSON.stringify(decoded.value.sender);
    };
    fc.assert(
      fc.property(signer, signer, (left, right) => {
        assert.equal(idOf(left) === idOf(right), JSON.stringify(left) === JSON.stringify(right));
      }),
    );
    // Both are nothing but U+FFFD to a lenient text decoder.
    const [first, second] = ['80', 'ff'].map((byte) => idOf({ kind: 'client', clientId: byte.repeat(32) as ClientId }));
    assert.notEqual(first, second);
  });
});
