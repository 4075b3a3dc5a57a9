/** The encoding of the store's single numbers. */
import type { Result } from '../util/result.js';
import { CanonicalReader } from '../wire/canonical-reader.js';
import { CanonicalWriter } from '../wire/canonical-writer.js';
import type { Malformed } from '../wire/malformed.js';

/** The encoded number. */
export function encodeNumber(value: number): Uint8Array {
  return new CanonicalWriter(16).number(1, value).finish();
}

/** The number in the store's own bytes. */
export function decodeNumber(bytes: Uint8Array): Result<number, Malformed> {
  const reader = new CanonicalReader(bytes);
  return reader.finish(reader.requireNumber(1, 'value'));
}
