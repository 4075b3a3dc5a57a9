import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { ProtocolMessage } from '../../../src/protocol/messages.js';
import { equalBytes, toHex } from '../../../src/util/bytes.js';
import { encodeHello } from '../../../src/wire/hello-codec.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { encodeRequestPayload } from '../../../src/wire/request-codec.js';
import { NUMBER_OF_TYPE, typeOfNumber } from '../../../src/wire/signature-type.js';
import * as arbitrary from './arbitraries.js';

/** Two values of one kind that differ in exactly one field give two different payloads. */
function assertEveryFieldIsSigned<T extends object>(values: fc.Arbitrary<T>, encode: (value: T) => Uint8Array): void {
  fc.assert(
    fc.property(values, values, (value, other) => {
      for (const key of Object.keys(value) as (keyof T)[]) {
        const changed = { ...value, [key]: other[key] };
        const isSame = JSON.stringify(value[key], bytesAsHex) === JSON.stringify(other[key], bytesAsHex);
        assert.equal(equalBytes(encode(value), encode(changed)), isSame, String(key));
      }
    }),
  );
}

function bytesAsHex(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}

describe('wire: what is signed', () => {
  const kinds: readonly (readonly [string, fc.Arbitrary<ProtocolMessage>])[] = [
    ['pre-prepare', arbitrary.prePrepare],
    ['prepare', arbitrary.prepare],
    ['commit', arbitrary.commit],
    ['checkpoint', arbitrary.checkpoint],
    ['status', arbitrary.status],
    ['view change', arbitrary.viewChange],
    ['new view', arbitrary.newView],
  ];
  for (const [name, kind] of kinds) {
    it(`BB-07 changes with every field of a ${name}`, () => assertEveryFieldIsSigned(kind, encodePayload));
  }

  it('BB-07 changes with every field of a hello', () => assertEveryFieldIsSigned(arbitrary.hello, encodeHello));

  it('BB-07 changes with every field of a request', () =>
    assertEveryFieldIsSigned(arbitrary.requestContent, encodeRequestPayload));

  it('BB-07 tells votes apart by type alone: the type is in the signature domain, not in the payload', () => {
    fc.assert(
      fc.property(arbitrary.prepare, (prepare) => {
        const payload = encodePayload(prepare);
        const asCommit = decodePayload('commit', payload, arbitrary.LIMITS);
        assert.deepEqual(asCommit, { ok: true, value: { ...prepare, type: 'commit' } });
      }),
    );
  });

  it('has one number a type and one type a number', () => {
    const types = Object.entries(NUMBER_OF_TYPE);
    for (const [type, number] of types) {
      assert.equal(typeOfNumber(number), type);
    }
    assert.equal(new Set(Object.values(NUMBER_OF_TYPE)).size, types.length);
    assert.deepEqual([typeOfNumber(0), typeOfNumber(types.length + 1)], [undefined, undefined]);
  });

  it('is no protocol message where its type is request, hello or header', () => {
    for (const type of ['request', 'hello', 'header'] as const) {
      assert.ok(!decodePayload(type, Uint8Array.of(8, 1), arbitrary.LIMITS).ok);
    }
  });
});
