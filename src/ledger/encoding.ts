/**
 * The fixed binary encoding of everything in the ledger that is hashed or kept: big-endian numbers, 32-bit lengths.
 *
 * 1. One value has one encoding: a reader takes exactly what a writer makes, to the last byte.
 * 2. Every hash input begins with a domain string with its length, so that no two kinds of input are ever equal.
 * 3. A reader never throws: after the first failure what it reads is a stand-in, and `finish` gives undefined.
 */
import { assert } from '../util/assert.js';
import { utf8 } from '../util/bytes.js';
import { type ClientId, clientIdOf, DIGEST_BYTES, type Digest, digestBytes, digestOf } from '../util/digest.js';

const TWO_TO_32 = 2 ** 32;
const U32_MAX = TWO_TO_32 - 1;
const INITIAL_CAPACITY_BYTES = 256;
const NO_BYTES = new Uint8Array(0);
const NO_DIGEST = '0'.repeat(2 * DIGEST_BYTES);

/** Gathers bytes. What is out of range is a bug and asserted. */
export class ByteWriter {
  private buffer: Uint8Array;
  private position = 0;

  constructor(capacityBytes = INITIAL_CAPACITY_BYTES) {
    this.buffer = new Uint8Array(capacityBytes);
  }

  /** The domain string of a hash input. */
  domain(name: string): this {
    return this.lengthPrefixed(utf8(name));
  }

  /** One byte. */
  u8(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= 255, `${value} is not a u8`);
    this.reserve(1);
    this.buffer[this.position++] = value;
    return this;
  }

  /** Four bytes, big-endian. */
  u32(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= U32_MAX, `${value} is not a u32`);
    this.reserve(4);
    this.putU32(value);
    return this;
  }

  /** Eight bytes, big-endian, of a safe integer. */
  u64(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} is not a safe integer from 0`);
    this.reserve(8);
    this.putU32(Math.floor(value / TWO_TO_32));
    this.putU32(value % TWO_TO_32);
    return this;
  }

  /** The 32 bytes of a digest or client id. */
  digest(value: Digest | ClientId): this {
    return this.raw(digestBytes(value));
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
    return this;
  }

  /** A u32 length and the bytes. */
  lengthPrefixed(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** All that was written. The writer must not be used any more. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.position);
  }

  private putU32(value: number): void {
    this.buffer[this.position++] = value >>> 24;
    this.buffer[this.position++] = value >>> 16;
    this.buffer[this.position++] = value >>> 8;
    this.buffer[this.position++] = value;
  }

  private reserve(sizeBytes: number): void {
    const needed = this.position + sizeBytes;
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.buffer.length));
      grown.set(this.buffer.subarray(0, this.position));
      this.buffer = grown;
    }
  }
}

/** Takes apart what a ByteWriter made. Byte strings are views. */
export class ByteReader {
  private position = 0;
  private failed = false;

  constructor(private readonly bytes: Uint8Array) {}

  /** Notes that what was read is not allowed. */
  fail(): void {
    this.failed = true;
  }

  /** Whether bytes are left and nothing failed. */
  hasMore(): boolean {
    return !this.failed && this.position < this.bytes.length;
  }

  /** One byte. */
  u8(): number {
    return this.raw(1)[0] ?? 0;
  }

  /** Four bytes, big-endian. */
  u32(): number {
    let value = 0;
    for (const byte of this.raw(4)) {
      value = value * 256 + byte;
    }
    return value;
  }

  /** Eight bytes, big-endian; fails above the largest safe integer. */
  u64(): number {
    const high = this.u32();
    const low = this.u32();
    const value = high * TWO_TO_32 + low;
    if (!Number.isSafeInteger(value)) {
      this.fail();
      return 0;
    }
    return value;
  }

  /** A digest's 32 bytes. */
  digest(): Digest {
    return digestOf(this.raw(DIGEST_BYTES)) ?? (NO_DIGEST as Digest);
  }

  /** A client id's 32 bytes. */
  clientId(): ClientId {
    return clientIdOf(this.raw(DIGEST_BYTES)) ?? (NO_DIGEST as ClientId);
  }

  /** That many bytes. */
  raw(length: number): Uint8Array {
    const end = this.position + length;
    if (this.failed || end > this.bytes.length) {
      this.failed = true;
      return NO_BYTES;
    }
    const value = this.bytes.subarray(this.position, end);
    this.position = end;
    return value;
  }

  /** A u32 length and the bytes. */
  lengthPrefixed(): Uint8Array {
    return this.raw(this.u32());
  }

  /** `value` where all went well and every byte was read, else undefined. */
  finish<T>(value: T): T | undefined {
    return this.failed || this.position !== this.bytes.length ? undefined : value;
  }
}
