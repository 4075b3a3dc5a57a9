/**
 * Limits on what arrives, checked before any work that grows with it. What must be equal at all replicas comes from the
 * genesis; the rest follows from it or is fixed here.
 */

/** The limits that a cluster's parameters give. */
export interface WireLimits {
  /** n, at most 100. */
  readonly replicaCount: number;
  /** H − h, in sequences. */
  readonly windowSize: number;
  /** K, in sequences. */
  readonly checkpointInterval: number;
  /** The most operations in a batch, and so in a request. */
  readonly batchOperationsMax: number;
  /** The longest encoded Batch. */
  readonly batchBytesMax: number;
  /** The longest encoded SignedMessage with a Request. */
  readonly requestBytesMax: number;
}

/**
 * The largest number in any message: 2^52 − 1. Below the largest safe integer, so that the sum of two received numbers,
 * or of one and any window, is still exact and a loop over a window ends.
 */
export const INTEGER_MAX = 2 ** 52 - 1;

/** The most replicas of any cluster. */
export const REPLICA_COUNT_MAX = 100;

/** The longest signature: of an RSA key of 4,096 bits. */
export const SIGNATURE_BYTES_MAX = 512;

/** The most PeerMessages in one frame. */
export const FRAME_MESSAGES_MAX = 16_384;

/** The longest header of a ledger entry; its decoder wants its exact length. */
export const HEADER_BYTES_MAX = 256;

/** What is decoded without knowing the cluster is within these. */
export const ANY_CLUSTER: WireLimits = {
  replicaCount: REPLICA_COUNT_MAX,
  windowSize: INTEGER_MAX,
  checkpointInterval: INTEGER_MAX,
  batchOperationsMax: INTEGER_MAX,
  batchBytesMax: INTEGER_MAX,
  requestBytesMax: INTEGER_MAX,
};

/** The longest bitmap in a Status. */
export function computeBitmapBytesMax(limits: WireLimits): number {
  return Math.ceil(limits.windowSize / 8);
}

/** The most Checkpoints that a Status names. */
export function computeHeldCheckpointsMax(limits: WireLimits): number {
  return limits.replicaCount * (Math.ceil(limits.windowSize / limits.checkpointInterval) + 1);
}

/** The most ViewChanges that a Status names: four of each replica. */
export function computeHeldViewChangesMax(limits: WireLimits): number {
  return 4 * limits.replicaCount;
}
