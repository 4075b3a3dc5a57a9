/** Encoded operations of the key-value store for tests, and arbitrary ones. */
import fc from 'fast-check';
import { Consistency, type ExpectedValue, KeyValueOperation } from '../../../src/wire/gen/pbft/v1/key_value.js';

/** A value as callers give it. */
export type GivenValue = { $case: 'text'; value: string } | { $case: 'data'; value: Buffer };

/** The choice of what to expect. */
export type GivenExpectation = NonNullable<ExpectedValue['expected']>;

export const text = (value: string): GivenValue => ({ $case: 'text', value });
export const data = (...bytes: number[]): GivenValue => ({ $case: 'data', value: Buffer.from(bytes) });

type Choice = NonNullable<KeyValueOperation['operation']>;
const encode = (operation: Choice, answerBytesMax = 0): Uint8Array =>
  KeyValueOperation.encode({ operation, answerBytesMax }).finish();

export const put = (key: string, value: GivenValue | undefined): Uint8Array =>
  encode({ $case: 'put', value: { key, value, requestId: '' } });
export const get = (key: string, answerBytesMax = 0): Uint8Array =>
  encode({ $case: 'get', value: { key, consistency: Consistency.UNSPECIFIED } }, answerBytesMax);
export const del = (key: string): Uint8Array => encode({ $case: 'delete', value: { key, requestId: '' } });
export const cas = (key: string, expected: GivenExpectation | undefined, value: GivenValue | undefined): Uint8Array =>
  encode({ $case: 'compareAndSwap', value: { key, expected: { expected }, value: { value }, requestId: '' } });

/** What a range asks for. */
export interface GivenRange {
  readonly prefix?: string;
  readonly limit?: number;
  readonly continuation?: Uint8Array;
  readonly answerBytesMax?: number;
}

export const range = (given: GivenRange = {}): Uint8Array => {
  const { prefix = '', limit = 0, continuation = new Uint8Array(), answerBytesMax = 0 } = given;
  const value = { prefix, limit, continuation: Buffer.from(continuation), consistency: Consistency.UNSPECIFIED };
  return encode({ $case: 'range', value }, answerBytesMax);
};

/** Few keys, so that operations meet; with those that are properties of every object, and of several bytes a letter. */
export const KEYS = [
  'a',
  'ab',
  'b',
  '__proto__',
  'constructor',
  'toString',
  'é',
  '\u{1f600}',
  '\ufeffa',
  '\ufffd',
  '\0',
];
export const keys = fc.constantFrom(...KEYS);
export const values: fc.Arbitrary<GivenValue> = fc.oneof(
  fc.constantFrom('', 'x', 'y', '__proto__', '\ufeff').map(text),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => data(...bytes)),
);
export const operations: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(keys, values).map(([key, value]) => put(key, value)),
  keys.map(get),
  keys.map(del),
  fc.tuple(keys, values, values).map(([key, expected, value]) => cas(key, expected, value)),
  fc.tuple(keys, values).map(([key, value]) => cas(key, { $case: 'absent', value: true }, value)),
  fc.record({ prefix: fc.constantFrom('', 'a', '_', 'é'), limit: fc.integer({ min: 0, max: 5 }) }).map(range),
);
