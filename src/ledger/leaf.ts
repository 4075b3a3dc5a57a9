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
const LENGTH_BYTES = 4;
const RESULTS_PREFIX_BYTES = LENGTH_BYTES + RESULTS_DOMAIN.length + LENGTH_BYTES;

/**
 * client id ‖ number ‖ request digest ‖ outcome ‖ results digest.
 *
 * @example
 * ```ts
 * import { type ClientId, computeResultsDigest, encodeLeaf, type Leaf, OUTCOME, sha256 } from 'pbft';
 *
 * const leaf: Leaf = {
 *   clientId: 'c1'.repeat(32) as ClientId,
 *   number: 7,
 *   requestDigest: sha256(new Uint8Array([1])),
 *   outcome: OUTCOME.executed,
 *   resultsDigest: computeResultsDigest([new Uint8Array([42])], sha256),
 * };
 * console.log(encodeLeaf(leaf).length); //> 105
 * ```
 */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  return new ByteWriter(LEAF_BYTES)
    .digest(leaf.clientId)
    .u64(leaf.number)
    .digest(leaf.requestDigest)
    .u8(leaf.outcome)
    .digest(leaf.resultsDigest)
    .finish();
}

/**
 * The digest of a request's results, in their order: u32 count ‖ each with its length.
 *
 * @example
 * ```ts
 * import { computeResultsDigest, sha256 } from 'pbft';
 *
 * console.log(computeResultsDigest([new Uint8Array([42])], sha256).length); //> 64
 * ```
 */
export function computeResultsDigest(results: readonly Uint8Array[], hash: Hash): Digest {
  const sizeBytes = results.reduce((sum, { length }) => sum + LENGTH_BYTES + length, RESULTS_PREFIX_BYTES);
  const writer = new ByteWriter(sizeBytes).domain(RESULTS_DOMAIN).u32(results.length);
  for (const result of results) {
    writer.lengthPrefixed(result);
  }
  return hash(writer.finish());
}
