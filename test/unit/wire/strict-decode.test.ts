import assert from 'node:assert/strict';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { CompareAndSwapRequest, PutRequest } from '../../../src/wire/gen/pbft/v1/key_value.js';
import { decodeJudged, decodeStrictly } from '../../../src/wire/strict-decode.js';

/** A compare-and-swap that expects that version. */
function expecting(version: bigint): Uint8Array {
  const expected = new BinaryWriter().uint32(16).uint64(version).finish();
  return new BinaryWriter().uint32(10).string('key').uint32(18).bytes(expected).finish();
}

describe('decoding a message of a caller', () => {
  it('tells what is wrong: the encoding, a text that is not UTF-8, a number above 2^53 − 1', () => {
    const badText = new BinaryWriter().uint32(10).bytes(Uint8Array.of(0xff)).finish();
    assert.deepEqual(decodeJudged(PutRequest, badText), { ok: false, error: 'text' });
    assert.deepEqual(decodeJudged(PutRequest, Uint8Array.of(10, 99)), { ok: false, error: 'encoding' });
    for (const version of [2n ** 53n, 2n ** 64n - 1n]) {
      assert.deepEqual(decodeJudged(CompareAndSwapRequest, expecting(version)), { ok: false, error: 'number' });
      assert.equal(decodeStrictly(CompareAndSwapRequest, expecting(version)), undefined);
    }
  });

  it('takes the largest number that can be held exactly', () => {
    const decoded = decodeJudged(CompareAndSwapRequest, expecting(2n ** 53n - 1n));
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.expected?.expected, { $case: 'version', value: Number.MAX_SAFE_INTEGER });
  });
});
