/** HeaderStatement: what a replica signs of a batch's replies, one header digest for all of them (protocol.md 7). */
import type { Digest } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import type { Malformed } from './malformed.js';

/** The payload of a HeaderStatement: what a replica signs of a batch's replies. */
export function encodeHeaderStatement(headerDigest: Digest): Uint8Array {
  return new CanonicalWriter().digest(1, headerDigest).finish();
}

/** The header digest in the payload of a HeaderStatement. */
export function decodeHeaderStatement(payload: Uint8Array): Result<Digest, Malformed> {
  const reader = new CanonicalReader(payload);
  return reader.finish(reader.requireDigest(1, 'header_digest'));
}
