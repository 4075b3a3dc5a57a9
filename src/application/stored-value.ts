/**
 * How the key-value store keeps a value: a head under the key, and a long value's bytes in a body of their own under
 * 0xF8 and the key, so that who asks for the version, or for short answers, reads no long values.
 *
 * The head is one byte that names the format and the form in which the value was put, the version as eight bytes
 * big-endian, then the value itself, or four bytes with its length where it stands apart. The body is the version, then
 * the value.
 *
 * 1. The leading byte's high half is the format (1), so that a later format can be told apart. Of its low half the last
 *    bit is the form, the one before says that the value stands apart.
 * 2. A body stands exactly where its head says so, with the same version: who reads the two at different moments can
 *    tell whether they belong together.
 * 3. The store is this replica's own state: a row that does not decode is a bug or corruption, and is asserted.
 */
import { assert } from '../util/assert.js';
import { concatBytes } from '../util/bytes.js';

/** Whether a value was put as text or as bytes; it is given back in the same form. */
export type ValueForm = 'text' | 'data';

/** A value in its form; text as UTF-8. */
export interface FormedValue {
  readonly form: ValueForm;
  readonly bytes: Uint8Array;
}

/** A value with the version of its last change. */
export interface StoredValue extends FormedValue {
  readonly version: number;
}

/** What the head says. */
export interface StoredHead {
  readonly form: ValueForm;
  readonly version: number;
  readonly length: number;
  /** Undefined where the value stands apart. */
  readonly bytes: Uint8Array | undefined;
}

/** The longest value that stands in the head. */
export const INLINE_BYTES_MAX = 16_384;
/** What the head has beside a value. */
export const HEAD_BYTES = 9;

/** UTF-8 has no byte above 0xF4: rows under this one are never callers' keys. */
const BODIES = Uint8Array.of(0xf8);
const FORMAT = 0x10;
const DATA = 0x01;
const APART = 0x02;
const VERSION_BYTES = 8;
const LENGTH_BYTES = 4;
const HIGH_WORD = 2 ** 32;

/** Where the body of a key's value stands; of a range's bounds, where its bodies begin and end. */
export function bodyKeyOf(key: Uint8Array): Uint8Array {
  return concatBytes([BODIES, key]);
}

/** The rows of a value; no body where it stands in the head. */
export function encodeStoredValue({ form, version, bytes }: StoredValue): {
  readonly head: Uint8Array;
  readonly body: Uint8Array | undefined;
} {
  const format = FORMAT | (form === 'data' ? DATA : 0);
  if (bytes.length <= INLINE_BYTES_MAX) {
    return { head: concatBytes([Uint8Array.of(format), encodeVersion(version), bytes]), body: undefined };
  }
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, bytes.length);
  const version8 = encodeVersion(version);
  return {
    head: concatBytes([Uint8Array.of(format | APART), version8, length]),
    body: concatBytes([version8, bytes]),
  };
}

/** What a head says; its bytes are a view of the row. */
export function decodeStoredHead(row: Uint8Array): StoredHead {
  assert(row.length >= HEAD_BYTES, `a stored value has at least ${HEAD_BYTES} bytes, this has ${row.length}`);
  const format = row[0] ?? 0;
  assert((format | DATA | APART) === (FORMAT | DATA | APART), `a stored value has a known format, not ${format}`);
  const form = (format & DATA) === 0 ? 'text' : 'data';
  const version = decodeVersion(row, 1);
  if ((format & APART) === 0) {
    return { form, version, length: row.length - HEAD_BYTES, bytes: row.subarray(HEAD_BYTES) };
  }
  assert(row.length === HEAD_BYTES + LENGTH_BYTES, 'a head of a value that stands apart has its length');
  const length = new DataView(row.buffer, row.byteOffset + HEAD_BYTES, LENGTH_BYTES).getUint32(0);
  return { form, version, length, bytes: undefined };
}

/** The value in a body; a view of the row, or undefined where the row isn't there or is of another version. */
export function decodeStoredBody(row: Uint8Array | undefined, { version, length }: StoredHead): Uint8Array | undefined {
  if (row === undefined || row.length !== VERSION_BYTES + length || decodeVersion(row, 0) !== version) {
    return undefined;
  }
  return row.subarray(VERSION_BYTES);
}

function encodeVersion(version: number): Uint8Array {
  const bytes = new Uint8Array(VERSION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(version / HIGH_WORD));
  view.setUint32(4, version % HIGH_WORD);
  return bytes;
}

function decodeVersion(row: Uint8Array, offset: number): number {
  const view = new DataView(row.buffer, row.byteOffset + offset, VERSION_BYTES);
  return view.getUint32(0) * HIGH_WORD + view.getUint32(4);
}
