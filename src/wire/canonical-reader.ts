/**
 * Reads protobuf in its canonical form and refuses any other, so that one meaning has one encoding.
 *
 * 1. Fields come in ascending order, singular ones once, unknown ones never; numbers have no superfluous bytes; a field
 *    without explicit presence that has its default value is absent. Whatever two decoders could read differently
 *    (both arms of a oneof, repeats, a number cut to 32 bits, groups, a tag 0) is malformed.
 * 2. Never throws. After the first failure all that is read is a stand-in, and `finish` tells the failure.
 * 3. Byte strings are views on what is read.
 *
 * It doesn't know types of fields: the straight line of reads in each codec is the schema. Fields above 15 are not
 * supported: the messages here have none, and so each tag is one byte.
 */
import { type ClientId, clientIdOf, DIGEST_BYTES, type Digest, digestOf } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { INTEGER_MAX } from './limits.js';
import type { Malformed } from './malformed.js';

/** Wire type 0. */
const VARINT = 0;
/** Wire type 2. */
const LENGTH_DELIMITED = 2;
/** Seven bytes hold 49 bits; the eighth takes a number beyond INTEGER_MAX at the latest. */
const VARINT_BYTES_MAX = 8;

const NO_BYTES = new Uint8Array(0);
const NO_DIGEST = '0'.repeat(2 * DIGEST_BYTES);

/** Bounds of a number, both allowed. */
export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
}

/** Bounds of a byte string's length, both allowed; without a `max` the message's own end is the bound. */
export interface LengthRange {
  readonly min?: number;
  readonly max?: number;
}

/** Reads one message. */
export class CanonicalReader {
  private position = 0;
  private failure: Malformed | undefined;

  constructor(private readonly bytes: Uint8Array) {}

  /** Notes a failure; the first one counts. */
  fail(field: string, description: string): void {
    this.failure ??= { field, description };
  }

  /** Whether something failed: what is read then is a stand-in. */
  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** The number of the next field, whatever its type; 0 where there is none, and after a failure. */
  nextNumber(): number {
    return this.failure === undefined ? (this.bytes[this.position] ?? 0) >> 3 : 0;
  }

  /** Whether the next field is this number or byte string. Decides nothing where the reader failed before: false. */
  isNext(number: number, kind: 'number' | 'bytes'): boolean {
    const wireType = kind === 'number' ? VARINT : LENGTH_DELIMITED;
    return this.failure === undefined && this.bytes[this.position] === ((number << 3) | wireType);
  }

  /** A number that must be there (`optional` in the .proto: presence is explicit). */
  requireNumber(number: number, name: string, range: NumberRange = {}): number {
    if (!this.isNext(number, 'number')) {
      this.fail(name, 'is missing');
      return 0;
    }
    this.position++;
    const value = this.readVarint(name);
    const { min = 0, max = INTEGER_MAX } = range;
    if (value < min || value > max) {
      this.fail(name, `is ${value}, allowed are ${min} to ${max}`);
      return 0;
    }
    return value;
  }

  /** A flag without explicit presence: absent for false, 1 for true. */
  readFlag(number: number, name: string): boolean {
    if (!this.isNext(number, 'number')) {
      return false;
    }
    return this.requireNumber(number, name, { min: 1, max: 1 }) === 1;
  }

  /** A byte string that must be there. */
  requireBytes(number: number, name: string, range: LengthRange = {}): Uint8Array {
    if (!this.isNext(number, 'bytes')) {
      this.fail(name, 'is missing');
      return NO_BYTES;
    }
    this.position++;
    const length = this.readVarint(name);
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
    if (length < min || length > max) {
      this.fail(name, `has ${length} bytes, allowed are ${min} to ${max}`);
      return NO_BYTES;
    }
    const end = this.position + length;
    if (end > this.bytes.length) {
      this.fail(name, 'is cut off');
      return NO_BYTES;
    }
    const value = this.bytes.subarray(this.position, end);
    this.position = end;
    return value;
  }

  /** A byte string without explicit presence: absent for empty. */
  readBytes(number: number, name: string, range: { readonly max: number }): Uint8Array {
    return this.isNext(number, 'bytes') ? this.requireBytes(number, name, { min: 1, max: range.max }) : NO_BYTES;
  }

  /** All elements of a repeated field; their number is checked before anyone looks into one. */
  readRepeated(number: number, name: string, range: LengthRange & { readonly countMax: number }): Uint8Array[] {
    const elements: Uint8Array[] = [];
    while (this.isNext(number, 'bytes')) {
      if (elements.length >= range.countMax) {
        this.fail(name, `has more than ${range.countMax} elements`);
        return [];
      }
      elements.push(this.requireBytes(number, name, range));
    }
    return elements;
  }

  /** A digest that must be there: exactly 32 bytes. */
  requireDigest(number: number, name: string): Digest {
    return digestOf(this.requireBytes(number, name, { min: DIGEST_BYTES, max: DIGEST_BYTES })) ?? (NO_DIGEST as Digest);
  }

  /** A client id that must be there: exactly 32 bytes. */
  requireClientId(number: number, name: string): ClientId {
    const bytes = this.requireBytes(number, name, { min: DIGEST_BYTES, max: DIGEST_BYTES });
    return clientIdOf(bytes) ?? (NO_DIGEST as ClientId);
  }

  /** Ends the message: `value` where all was well, else the first failure. */
  finish<T>(value: T): Result<T, Malformed> {
    if (this.failure === undefined && this.position !== this.bytes.length) {
      this.fail('', `has an unknown, repeated or misplaced field at byte ${this.position}`);
    }
    return this.failure === undefined ? ok(value) : failed(this.failure);
  }

  private readVarint(name: string): number {
    let value = 0;
    let factor = 1;
    for (let count = 1; count <= VARINT_BYTES_MAX; count++) {
      const byte = this.bytes[this.position];
      if (byte === undefined) {
        this.fail(name, 'is cut off');
        return 0;
      }
      this.position++;
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) {
        if (byte === 0 && count > 1) {
          this.fail(name, 'has superfluous bytes');
          return 0;
        }
        return value;
      }
    }
    this.fail(name, `is above ${INTEGER_MAX}`);
    return 0;
  }
}
