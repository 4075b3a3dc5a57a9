/**
 * What an operation of the key-value store asks for, decoded and judged.
 *
 * 1. Total: every byte string is a command; a malformed one is the command `invalid`, with the same words at every
 *    replica, so nothing of a library's error text goes into it.
 * 2. Text is decoded strictly: two operations that differ on the wire never name the same key by way of replacement
 *    characters, nor by a byte-order mark that is dropped.
 * 3. Keys are byte strings throughout and never properties of an object.
 */
import type { ApplicationRange, Key } from '../ports/state-machine.js';
import { compareBytes, concatBytes, utf8 } from '../util/bytes.js';
import { failed, ok, type Result } from '../util/result.js';
import {
  type CompareAndSwapRequest,
  type ExpectedValue,
  KeyValueOperation,
  type PutRequest,
  type RangeRequest,
} from '../wire/gen/pbft/v1/key_value.js';
import { type DecodeFault, decodeJudged } from '../wire/strict-decode.js';
import { bodyKeyOf, type FormedValue, HEAD_BYTES, INLINE_BYTES_MAX } from './stored-value.js';

/** The longest key, in bytes of UTF-8. */
const KEY_BYTES_MAX = 1_024;

/** The longest value. */
const VALUE_BYTES_MAX = 1_048_576;

/** The most entries of an answer to a range, and how many where the caller doesn't say. */
const RANGE_LIMIT_MAX = 1_000;
const RANGE_LIMIT_DEFAULT = 100;

/** An answer to a range ends before its entries exceed this; it holds at least one where there is one. */
const RANGE_ANSWER_BYTES_MAX = 524_288;

/** What an entry may cost in an answer beside its key and its row, at most. */
export const RANGE_ENTRY_OVERHEAD_BYTES = 16;

/** An answer to a range that may have no more than this has no values that stand apart. */
export const SHORT_PAGE_BYTES = 65_536;

/** The longest key with its head. */
const HEAD_ENTRY_BYTES_MAX = KEY_BYTES_MAX + HEAD_BYTES + INLINE_BYTES_MAX;

/** The longest entry in an answer to a range. */
const RANGE_ENTRY_BYTES_MAX = KEY_BYTES_MAX + VALUE_BYTES_MAX + 64;

/** UTF-8 has no byte above 0xF4: rows under a leading byte from here on are free for other uses than callers' keys. */
const END_OF_KEYS = Uint8Array.of(0xf8);

/** What is wrong with an operation, and in which field. */
export interface Objection {
  readonly field: string;
  readonly description: string;
}

/** What a compare-and-swap expects of the key. */
export type Expectation =
  | { readonly kind: 'absent' }
  | { readonly kind: 'version'; readonly version: number }
  | ({ readonly kind: 'value' } & FormedValue);

/** A decoded and judged operation. */
export type KeyValueCommand =
  | { readonly kind: 'put'; readonly key: Key; readonly value: FormedValue }
  /** `answerBytesMax`: of the value. */
  | { readonly kind: 'get'; readonly key: Key; readonly answerBytesMax: number }
  | { readonly kind: 'delete'; readonly key: Key }
  | {
      readonly kind: 'compareAndSwap';
      readonly key: Key;
      readonly expected: Expectation;
      readonly value: FormedValue;
    }
  /** An answer ends before its entries exceed `pageBytesMax`; its first entry may have up to `answerBytesMax`. */
  | {
      readonly kind: 'range';
      readonly range: ApplicationRange;
      readonly pageBytesMax: number;
      readonly answerBytesMax: number;
      /** Whether it reads values that stand apart (stored-value.ts): a short answer has room for none. */
      readonly readsBodies: boolean;
      /** What it reads of them. */
      readonly bodies: ApplicationRange;
    }
  | { readonly kind: 'invalid'; readonly objection: Objection };

const INVALID_KEY = `must be 1 to ${KEY_BYTES_MAX} bytes of UTF-8`;
const INVALID_VALUE = `must be at most ${VALUE_BYTES_MAX} bytes`;
const UNDECODED: Readonly<Record<DecodeFault, string>> = {
  encoding: 'is not an encoded pbft.v1.KeyValueOperation',
  text: 'holds a text that is not valid UTF-8',
  number: `holds a number above ${Number.MAX_SAFE_INTEGER} (2^53 − 1)`,
};
const NO_VALUE = 'must be set: text or data';

/** The command of an encoded KeyValueOperation. */
export function parseKeyValueCommand(operation: Uint8Array): KeyValueCommand {
  const decoded = decodeJudged(KeyValueOperation, operation);
  if (!decoded.ok) {
    return { kind: 'invalid', objection: { field: 'operation', description: UNDECODED[decoded.error] } };
  }
  const chosen = decoded.value.operation;
  switch (chosen?.$case) {
    case 'put':
      return commandOf('put', parsePut(chosen.value));
    case 'get':
      return commandOf('get', parseGet(chosen.value.key, decoded.value.answerBytesMax));
    case 'delete':
      return commandOf('delete', parseDelete(chosen.value.key));
    case 'compareAndSwap':
      return commandOf('compare_and_swap', parseCompareAndSwap(chosen.value));
    case 'range':
      return commandOf('range', parseRange(chosen.value, decoded.value.answerBytesMax));
    case undefined: {
      const description = 'must hold one of put, get, delete, compare_and_swap, range';
      return { kind: 'invalid', objection: { field: 'operation', description } };
    }
  }
}

function commandOf(arm: string, parsed: Result<KeyValueCommand, Objection>): KeyValueCommand {
  if (parsed.ok) {
    return parsed.value;
  }
  const { field, description } = parsed.error;
  return { kind: 'invalid', objection: { field: `${arm}.${field}`, description } };
}

function parsePut(request: PutRequest): Result<KeyValueCommand, Objection> {
  const key = parseKey(request.key);
  if (!key.ok) {
    return key;
  }
  const value = parseValue(request.value, '');
  return value.ok ? ok({ kind: 'put', key: key.value, value: value.value }) : value;
}

function parseGet(text: string, answerBytesMax: number): Result<KeyValueCommand, Objection> {
  const key = parseKey(text);
  return key.ok
    ? ok({ kind: 'get', key: key.value, answerBytesMax: Math.min(answerBytesMax || VALUE_BYTES_MAX, VALUE_BYTES_MAX) })
    : key;
}

function parseDelete(text: string): Result<KeyValueCommand, Objection> {
  const key = parseKey(text);
  return key.ok ? ok({ kind: 'delete', key: key.value }) : key;
}

function parseCompareAndSwap(request: CompareAndSwapRequest): Result<KeyValueCommand, Objection> {
  const key = parseKey(request.key);
  if (!key.ok) {
    return key;
  }
  const expected = parseExpected(request.expected);
  if (!expected.ok) {
    return expected;
  }
  const value = parseValue(request.value?.value, 'value.');
  return value.ok
    ? ok({ kind: 'compareAndSwap', key: key.value, expected: expected.value, value: value.value })
    : value;
}

function parseKey(text: string): Result<Key, Objection> {
  // A UTF-16 code unit is at least one byte of UTF-8: a key that is far too long is not encoded at all.
  const key = text.length <= KEY_BYTES_MAX ? utf8(text) : undefined;
  return key === undefined || key.length === 0 || key.length > KEY_BYTES_MAX
    ? failed({ field: 'key', description: INVALID_KEY })
    : ok(key);
}

function parseValue(value: PutRequest['value'], path: string): Result<FormedValue, Objection> {
  if (value === undefined) {
    return failed({ field: path === '' ? 'value' : path.slice(0, -1), description: NO_VALUE });
  }
  const formed = formedValueOf(value);
  return formed.bytes.length > VALUE_BYTES_MAX
    ? failed({ field: path + value.$case, description: INVALID_VALUE })
    : ok(formed);
}

function parseExpected(request: ExpectedValue | undefined): Result<Expectation, Objection> {
  const expected = request?.expected;
  switch (expected?.$case) {
    case 'absent':
      return expected.value
        ? ok({ kind: 'absent' })
        : failed({ field: 'expected.absent', description: 'must be true where it is set' });
    case 'version':
      return ok({ kind: 'version', version: expected.value });
    case 'text':
    case 'data': {
      const formed = formedValueOf(expected);
      return formed.bytes.length > VALUE_BYTES_MAX
        ? failed({ field: `expected.${expected.$case}`, description: INVALID_VALUE })
        : ok({ kind: 'value', ...formed });
    }
    case undefined:
      return failed({ field: 'expected', description: 'must hold one of absent, version, text, data' });
  }
}

function formedValueOf(value: NonNullable<PutRequest['value']>): FormedValue {
  return value.$case === 'text' ? { form: 'text', bytes: utf8(value.value) } : { form: 'data', bytes: value.value };
}

function parseRange(request: RangeRequest, answerBytes: number): Result<KeyValueCommand, Objection> {
  const prefix = request.prefix.length <= KEY_BYTES_MAX ? utf8(request.prefix) : undefined;
  if (prefix === undefined || prefix.length > KEY_BYTES_MAX) {
    return failed({ field: 'prefix', description: `must be at most ${KEY_BYTES_MAX} bytes of UTF-8` });
  }
  if (request.limit > RANGE_LIMIT_MAX) {
    return failed({
      field: 'limit',
      description: `must be at most ${RANGE_LIMIT_MAX}; 0 means ${RANGE_LIMIT_DEFAULT}`,
    });
  }
  const end = endOfPrefix(prefix);
  const continues = request.continuation.length > 0;
  if (continues && !isContinuation(request.continuation, prefix, end)) {
    return failed({ field: 'continuation', description: 'must be the continuation of an answer for the same prefix' });
  }
  const first = continues ? request.continuation : prefix;
  const limit = request.limit === 0 ? RANGE_LIMIT_DEFAULT : request.limit;
  const answerBytesMax = Math.min(answerBytes || RANGE_ENTRY_BYTES_MAX, RANGE_ENTRY_BYTES_MAX);
  const pageBytesMax = Math.min(answerBytesMax, RANGE_ANSWER_BYTES_MAX);
  // Whatever is cut off beyond this can't change the answer: a row of the largest size fits between the two bounds.
  const range = { first, end, limit, bytesMax: pageBytesMax + HEAD_ENTRY_BYTES_MAX };
  const bytesMax = pageBytesMax + RANGE_ENTRY_BYTES_MAX;
  const bodies = { first: bodyKeyOf(first), end: bodyKeyOf(end), limit, bytesMax };
  const readsBodies = answerBytesMax > SHORT_PAGE_BYTES;
  return ok({ kind: 'range', range, bodies, readsBodies, pageBytesMax, answerBytesMax });
}

/** The smallest byte string above all that begin with `prefix`, which is UTF-8: its last byte can be counted up. */
function endOfPrefix(prefix: Uint8Array): Uint8Array {
  if (prefix.length === 0) {
    return END_OF_KEYS;
  }
  const end = prefix.slice();
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** The continuation after the last key of an answer: the smallest key above it. Opaque to callers. */
export function continuationAfter(key: Key): Uint8Array {
  return concatBytes([key, Uint8Array.of(0)]);
}

function isContinuation(continuation: Uint8Array, prefix: Uint8Array, end: Uint8Array): boolean {
  return (
    continuation.length <= KEY_BYTES_MAX + 1 &&
    continuation[continuation.length - 1] === 0 &&
    compareBytes(continuation, prefix) > 0 &&
    compareBytes(continuation, end) < 0
  );
}
