/** What every declaration of a message has to keep, whatever the message is. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { digest, integer } from '../../../src/wire/field.js';
import { ANY_CLUSTER } from '../../../src/wire/limits.js';
import { encode, message, nested } from '../../../src/wire/message.js';
import { encodePayload } from '../../../src/wire/message-codec.js';
import { as, oneof } from '../../../src/wire/oneof.js';
import { PAYLOADS } from '../../../src/wire/payloads.js';
import { encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { PEER_MESSAGE } from '../../../src/wire/peer-message.js';
import { message as anyMessage, peerOutput } from './arbitraries.js';
import { SIZE_LIMITS } from './support.js';

describe('wire: a declared message', () => {
  it('is as long as was computed before it was written, and no longer than the longest', () => {
    fc.assert(
      fc.property(anyMessage, (value) => {
        const { length } = encodePayload(value);
        const declared = PAYLOADS[value.type];
        assert.equal(declared.sizeBytes(value as never, []), length);
        assert.ok(length <= declared.sizeBytesMax(SIZE_LIMITS));
      }),
    );
    fc.assert(
      fc.property(peerOutput, (output) => {
        const { length } = encodePeerMessage(output);
        assert.equal(PEER_MESSAGE.sizeBytes(output, []), length);
        assert.ok(length <= PEER_MESSAGE.sizeBytesMax(SIZE_LIMITS));
      }),
    );
  });

  it('has its fields in the order of their numbers, each once, from 1 to 15', () => {
    const oneOf = oneof({ left: as('value', integer(2)), right: as('value', integer(5)) });
    for (const fields of [
      { first: integer(2), second: integer(1) },
      { first: integer(1), second: integer(1) },
      { first: integer(16) },
      { first: oneOf, second: integer(3) },
    ]) {
      assert.throws(() => message(fields), /doesn't stand after/);
    }
    assert.doesNotThrow(() => message({ first: integer(1), oneOf, last: integer(15) }));
  });

  it('names the field that is wrong as the .proto files do, in messages in messages too', () => {
    const inner = message({ batchDigest: digest(1) });
    const outer = message({ oneOf: oneof({ prePrepare: as('what', nested(1, inner)) }) });
    const findings = [[], [0x0a, 0], [0x0a, 2, 0x0a, 0], [0x12, 0]].map((bytes) => {
      const result = outer.decode(Uint8Array.from(bytes), ANY_CLUSTER);
      return result.ok ? 'ok' : `${result.error.field}: ${result.error.description}`;
    });
    assert.deepEqual(findings, [
      'one_of: is of no known kind',
      'pre_prepare.batch_digest: is missing',
      'pre_prepare.batch_digest: has 0 bytes, allowed are 32 to 32',
      'one_of: is of no known kind',
    ]);
  });

  it('asserts that what is written is of a kind that exists', () => {
    const kinds = message({ what: oneof({ one: as('value', integer(1)) }) });
    assert.throws(() => encode(kinds, { what: { kind: 'two', value: 1 } as never }), /of a kind that exists/);
  });
});
