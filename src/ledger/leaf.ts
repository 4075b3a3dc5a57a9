/**
 * What the results root says of one request (protocol.md 7): who asked what under which number, what became of it, and
 * with which results. A receipt binds the operation, not only its number.
 */
import type { ClientId, Digest, Hash } from '../util/digest.js';
import { ByteWriter } from './encoding.js';
import type { Outcome } from './header.js';

/** A leaf of the tree under a header's results root. */
export interface Leaf {
  readonly clientId: ClientId;
  readonly number: number;
  readonly requestDigest: Digest;
  readonly outcome: Outcome;
  readonly resultsDigest: Digest;
}

/** The length of an encoded leaf. */
export const LEAF_BYTES = 32 + 8 + 32 + 1 + 32;

const RESULTS_DOMAIN = 'pbft/1/results';

/** client id ‖ number ‖ request digest ‖ outcome ‖ results digest. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  return new ByteWriter(LEAF_BYTES)
    .digest(leaf.clientId)
    .u64(leaf.number)
    .digest(leaf.requestDigest)
    .u8(leaf.outcome)
    .digest(leaf.resultsDigest)
    .finish();
}

/** The digest of a request's results, in their order: u32 count ‖ each with its length. */
export function computeResultsDigest(results: readonly Uint8Array[], hash: Hash): Digest {
  const writer = new ByteWriter().domain(RESULTS_DOMAIN).u32(results.length);
  for (const result of results) {
    writer.lengthPrefixed(result);
  }
  return hash(writer.finish());
}
