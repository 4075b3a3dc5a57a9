/**
 * How the key-value store keeps a value: one leading byte that names the format and the form in which the value was
 * put, the version as eight bytes big-endian, then the value's own bytes.
 *
 * 1. The leading byte's high half is the format (1), its low half the form, so that a later format can be told apart.
 * 2. The store is this replica's own state: a row that does not decode is a bug or corruption, and is asserted.
 */
import { assert } from '../util/assert.js';

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

const FORMAT_TEXT = 0x10;
const FORMAT_DATA = 0x11;
const VERSION_OFFSET = 1;
const VALUE_OFFSET = 9;
const HIGH_WORD = 2 ** 32;

/** The bytes of a value in the store. */
export function encodeStoredValue(stored: StoredValue): Uint8Array {
  const row = new Uint8Array(VALUE_OFFSET + stored.bytes.length);
  row[0] = stored.form === 'text' ? FORMAT_TEXT : FORMAT_DATA;
  const view = new DataView(row.buffer);
  view.setUint32(VERSION_OFFSET, Math.floor(stored.version / HIGH_WORD));
  view.setUint32(VERSION_OFFSET + 4, stored.version % HIGH_WORD);
  row.set(stored.bytes, VALUE_OFFSET);
  return row;
}

/** The value of a row of the store; its bytes are a view of the row. */
export function decodeStoredValue(row: Uint8Array): StoredValue {
  assert(row.length >= VALUE_OFFSET, `a stored value has at least ${VALUE_OFFSET} bytes, this has ${row.length}`);
  const format = row[0];
  assert(format === FORMAT_TEXT || format === FORMAT_DATA, `a stored value has a known format, this has ${format}`);
  const view = new DataView(row.buffer, row.byteOffset, VALUE_OFFSET);
  const version = view.getUint32(VERSION_OFFSET) * HIGH_WORD + view.getUint32(VERSION_OFFSET + 4);
  return { form: format === FORMAT_TEXT ? 'text' : 'data', version, bytes: row.subarray(VALUE_OFFSET) };
}
