/**
 * Lies to those who ask this replica alone: what it executed is right, what it says of it is not. Everything it tells
 * the other replicas is true, so only who compares answers with other replicas' notices.
 */
import type { Digest } from '../util/digest.js';
import { type GetResponse, type KeyValueEntry, KeyValueResult } from '../wire/gen/pbft/v1/key_value.js';
import { decodeStrictly } from '../wire/strict-decode.js';
import { otherDigest } from './strategy.js';

type KeyValue = NonNullable<KeyValueResult['result']>;
type Value = GetResponse['value'];

/** Another result, under another header, than the operation had. */
export function lieAboutResult<A extends { readonly result: Uint8Array; readonly headerDigest: Digest }>(answer: A): A {
  return { ...lieAboutHeader(answer), result: otherResult(answer.result) };
}

/** Another header digest than that of the last executed batch. */
export function lieAboutHeader<S extends { readonly headerDigest: Digest }>(state: S): S {
  return { ...state, headerDigest: otherDigest(state.headerDigest) };
}

/** What an operation did not answer, well-formed; of an application that this one doesn't know, just other bytes. */
function otherResult(bytes: Uint8Array): Uint8Array {
  const result = decodeStrictly(KeyValueResult, bytes)?.result;
  return result === undefined ? otherBytes(bytes) : KeyValueResult.encode({ result: otherAnswer(result) }).finish();
}

function otherAnswer(result: KeyValue): KeyValue {
  switch (result.$case) {
    case 'get':
      return { $case: 'get', value: { ...result.value, found: true, value: otherValue(result.value.value) } };
    case 'range':
      return { $case: 'range', value: { ...result.value, entries: result.value.entries.map(otherEntry) } };
    case 'put':
      return { $case: 'put', value: { ...result.value, version: result.value.version + 1 } };
    case 'delete':
      return { $case: 'delete', value: { ...result.value, found: !result.value.found } };
    case 'compareAndSwap':
      return { $case: 'compareAndSwap', value: { ...result.value, swapped: !result.value.swapped } };
    case 'invalid':
    case 'tooLong':
      return result;
  }
}

function otherEntry(entry: KeyValueEntry): KeyValueEntry {
  return { ...entry, value: otherValue(entry.value) };
}

function otherValue(value: Value): NonNullable<Value> {
  switch (value?.$case) {
    case 'data':
      return { $case: 'data', value: Buffer.from(otherBytes(value.value)) };
    case 'text':
      return { $case: 'text', value: `not ${value.value}` };
    case undefined:
      return { $case: 'text', value: 'a lie' };
  }
}

function otherBytes(bytes: Uint8Array): Uint8Array {
  const other = bytes.length === 0 ? new Uint8Array(1) : bytes.slice();
  other[0] = (other[0] ?? 0) ^ 1;
  return other;
}
