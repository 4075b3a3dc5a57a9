/**
 * How many replicas are enough [OSDI §4.1, generalised to any n as in SmartBFT].
 *
 * 1. Two quorums of distinct replicas share at least f + 1, so at least one correct replica.
 * 2. The correct replicas alone, n − f, make a quorum.
 *
 * 2f + 1 has property 1 only where n = 3f + 1: at n = 6, f = 1 two sets of three can be disjoint.
 */
import { assert } from '../util/assert.js';
import { type ReplicaId, replicaId, type View } from './identifiers.js';

/** The sizes that follow from n. */
export interface QuorumSizes {
  /** n. */
  readonly replicaCount: number;
  /** f: how many replicas may be faulty. */
  readonly faultsMax: number;
  /** ceil((n + f + 1) / 2). */
  readonly quorum: number;
  /** f + 1: at least one of them is correct. */
  readonly weakQuorum: number;
}

/** Whether a cluster of `replicaCount` is allowed: 4 to 100, or 1 for development. */
export function isReplicaCountAllowed(replicaCount: number): boolean {
  return Number.isInteger(replicaCount) && (replicaCount === 1 || (replicaCount >= 4 && replicaCount <= 100));
}

/** The quorum sizes of a cluster of n replicas, n = 1 or 4 to 100. */
export function computeQuorumSizes(replicaCount: number): QuorumSizes {
  assert(isReplicaCountAllowed(replicaCount), `a cluster has 1 or 4 to 100 replicas, not ${replicaCount}`);
  const faultsMax = Math.floor((replicaCount - 1) / 3);
  return {
    replicaCount,
    faultsMax,
    quorum: Math.ceil((replicaCount + faultsMax + 1) / 2),
    weakQuorum: faultsMax + 1,
  };
}

/** The primary of a view: view mod n. */
export function primaryOf(view: View, replicaCount: number): ReplicaId {
  return replicaId(view % replicaCount);
}
