/** The record of one executed batch, chained to the one before (protocol.md 7). */
import type { Digest } from '../util/digest.js';

/** No view in it: replicas may commit one sequence in different views. */
export interface Header {
  /** From 1. */
  readonly sequence: number;
  /** Of sequence 1 the genesis digest, which is the cluster id. */
  readonly previousHeaderDigest: Digest;
  readonly batchDigest: Digest;
  /** Merkle root over the requests' leaves; all zeros' hash rule for none, see merkle.ts. */
  readonly resultsRoot: Digest;
  /** One hash over the batch's ordered writes. */
  readonly writesDigest: Digest;
  /** Agreed time in milliseconds since 1970: never lower than the header's before. */
  readonly timestampMs: number;
}

/**
 * What became of a request when its batch was executed: 1 executed, 2 refused, 3 repeated.
 *
 * @example
 * ```ts
 * import { OUTCOME } from 'pbft';
 *
 * console.log(Object.keys(OUTCOME).join(' ')); //> executed refused repeated
 * ```
 */
export const OUTCOME = { executed: 1, refused: 2, repeated: 3 } as const;

/** One of the three outcomes. */
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];
