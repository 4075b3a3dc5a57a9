/** HeaderStatement: what a replica signs of a batch's replies, one header digest for all of them (protocol.md 7). */
import type { Digest } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { digest } from './field.js';
import { ANY_CLUSTER } from './limits.js';
import type { Malformed } from './malformed.js';
import { encode, only } from './message.js';

const HEADER_STATEMENT = only(digest(1), 'header_digest');

/** The payload of a HeaderStatement: what a replica signs of a batch's replies. */
export function encodeHeaderStatement(headerDigest: Digest): Uint8Array {
  return encode(HEADER_STATEMENT, headerDigest);
}

/** The header digest in the payload of a HeaderStatement. */
export function decodeHeaderStatement(payload: Uint8Array): Result<Digest, Malformed> {
  return HEADER_STATEMENT.decode(payload, ANY_CLUSTER);
}
