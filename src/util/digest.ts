/**
 * Digests and client ids as values that can be compared and used as keys: 64 lowercase hexadecimal digits. Bytes are
 * made of them only where they leave the process or are hashed.
 */
import { assert } from './assert.js';
import { fromHex, toHex } from './bytes.js';

/** SHA-256 of something, 64 lowercase hexadecimal digits. */
export type Digest = string & { readonly brand: 'Digest' };

/** A client's id: SHA-256 of its key's SPKI DER, 64 lowercase hexadecimal digits. */
export type ClientId = string & { readonly brand: 'ClientId' };

/** The length of a digest and of a client id. */
export const DIGEST_BYTES = 32;

/** The digest of 32 bytes, or undefined for any other length. */
export function digestOf(bytes: Uint8Array): Digest | undefined {
  return bytes.length === DIGEST_BYTES ? (toHex(bytes) as Digest) : undefined;
}

/** The client id of 32 bytes, or undefined for any other length. */
export function clientIdOf(bytes: Uint8Array): ClientId | undefined {
  return bytes.length === DIGEST_BYTES ? (toHex(bytes) as ClientId) : undefined;
}

/** The 32 bytes of a digest or client id. */
export function digestBytes(digest: Digest | ClientId): Uint8Array {
  const bytes = fromHex(digest);
  assert(bytes?.length === DIGEST_BYTES, `a digest has 64 hexadecimal digits, this has ${digest.length}`);
  return bytes;
}

/** Hashes bytes: synchronous and deterministic. The real one is SHA-256. */
export type Hash = (bytes: Uint8Array) => Digest;
