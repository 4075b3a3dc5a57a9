/**
 * Writes protobuf in the canonical form that canonical-reader.ts reads: the caller gives the fields in ascending order.
 * Own messages only: what is out of range here is a bug and asserted. Fields above 15 are not supported.
 */
import { assert, defined } from '../util/assert.js';
import { writeHex } from '../util/bytes.js';
import { type ClientId, DIGEST_BYTES, type Digest } from '../util/digest.js';
import { INTEGER_MAX } from './limits.js';

const LENGTH_DELIMITED = 2;
/** A tag and the longest varint of INTEGER_MAX. */
const HEAD_BYTES_MAX = 1 + 8;
/** Below it shifts are exact. */
const BITWISE_MAX = 2 ** 31;
const DEFAULT_CAPACITY_BYTES = 128;

/** The bytes that a varint takes. */
function varintSizeBytes(value: number): number {
  let sizeBytes = 1;
  for (let limit = 128; value >= limit; limit *= 128) {
    sizeBytes++;
  }
  return sizeBytes;
}

/** The bytes that a byte string takes as a field. */
export function bytesFieldSizeBytes(length: number): number {
  return 1 + varintSizeBytes(length) + length;
}

/** The bytes that a number takes as a field. */
export function numberFieldSizeBytes(value: number): number {
  return 1 + varintSizeBytes(value);
}

/** Writes one message. */
export class CanonicalWriter {
  private buffer: Uint8Array;
  private position = 0;

  private lengthsTaken = 0;

  /**
   * A capacity that holds the whole message saves copies of long ones. With `lengths`, those of the messages in it in the
   * order of their heads, the capacity is the length of the whole, measured before.
   */
  constructor(
    capacityBytes = DEFAULT_CAPACITY_BYTES,
    private readonly lengths?: readonly number[],
  ) {
    this.buffer = new Uint8Array(capacityBytes);
  }

  /** A number with explicit presence. */
  number(number: number, value: number): this {
    if (!(Number.isInteger(value) && value >= 0 && value <= INTEGER_MAX)) {
      assert(false, `${value} can't be sent as a number`);
    }
    this.reserve(HEAD_BYTES_MAX);
    this.buffer[this.position++] = number << 3;
    this.varint(value);
    return this;
  }

  /** A flag without explicit presence: false is not written. */
  flag(number: number, value: boolean): this {
    return value ? this.number(number, 1) : this;
  }

  /** A byte string or an encoded message that is written even where it is empty. */
  bytes(number: number, value: Uint8Array): this {
    this.head(number, value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
    return this;
  }

  /** The tag and length of a message whose fields follow. */
  messageHead(number: number): this {
    return this.head(
      number,
      defined(this.lengths?.[this.lengthsTaken++], 'the length of each message in it was noted'),
    );
  }

  /** A byte string without explicit presence: an empty one is not written. */
  bytesUnlessEmpty(number: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.bytes(number, value);
  }

  /** A digest or client id, as its 32 bytes. */
  digest(number: number, value: Digest | ClientId): this {
    this.head(number, DIGEST_BYTES);
    const isDigest = value.length === 2 * DIGEST_BYTES && writeHex(value, this.buffer, this.position);
    assert(isDigest, 'a digest has 64 hexadecimal digits');
    this.position += DIGEST_BYTES;
    return this;
  }

  /** The message. The writer must not be used any more. */
  finish(): Uint8Array {
    if (this.lengths !== undefined) {
      assert(this.position === this.buffer.length, 'what was measured is as long as what was written');
      return this.buffer;
    }
    return this.buffer.subarray(0, this.position);
  }

  /** A tag and a length, and room for what is so long. */
  private head(number: number, length: number): this {
    this.reserve(HEAD_BYTES_MAX + length);
    this.buffer[this.position++] = (number << 3) | LENGTH_DELIMITED;
    this.varint(length);
    return this;
  }

  private varint(value: number): void {
    let rest = value;
    for (; rest >= BITWISE_MAX; rest = Math.floor(rest / 128)) {
      this.buffer[this.position++] = (rest % 128) | 0x80;
    }
    for (; rest >= 128; rest >>>= 7) {
      this.buffer[this.position++] = (rest & 0x7f) | 0x80;
    }
    this.buffer[this.position++] = rest;
  }

  private reserve(sizeBytes: number): void {
    if (this.lengths !== undefined) {
      return;
    }
    const needed = this.position + sizeBytes;
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.buffer.length));
      grown.set(this.buffer.subarray(0, this.position));
      this.buffer = grown;
    }
  }
}
