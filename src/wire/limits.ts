/**
 * Limits on what arrives, checked before any work that grows with it. What must be equal at all replicas comes from the
 * genesis; the rest follows from it or is fixed here.
 */
import { unreachable } from '../util/assert.js';

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

/** More than tag, type, sender, and the lengths of an envelope take, without payload and signature. */
const ENVELOPE_OVERHEAD_BYTES = 64;
/** More than any payload of fixed size takes: PrePrepare, Prepare, Commit, Checkpoint, Hello. */
const FIXED_PAYLOAD_BYTES_MAX = 320;
/** More than the fields of fixed size of a Status take. */
const STATUS_FIXED_BYTES = 192;
/** More than one HeldCheckpoint takes. */
export const HELD_CHECKPOINT_BYTES_MAX = 16;
/** More than one NamedViewChange takes, as a field too. */
export const NAMED_VIEW_CHANGE_BYTES_MAX = 48;
/** More than a signed vote or checkpoint takes as a field of another message, beside its signature. */
const INNER_STATEMENT_BYTES = 72;
/** More than the fields of fixed size of a ViewChange or NewView take, or the tag and length of a certificate. */
const VIEW_CHANGE_FIXED_BYTES = 32;
const PROOF_FIXED_BYTES = 8;

/** The longest envelope of a vote, checkpoint, pre-prepare or hello. */
export const VOTE_BYTES_MAX = ENVELOPE_OVERHEAD_BYTES + FIXED_PAYLOAD_BYTES_MAX + SIGNATURE_BYTES_MAX;

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

/** The longest prepared certificate in a ViewChange: a pre-prepare and prepares of all others. */
export function computeProofBytesMax({ replicaCount }: WireLimits, signatureBytes = SIGNATURE_BYTES_MAX): number {
  return PROOF_FIXED_BYTES + replicaCount * (INNER_STATEMENT_BYTES + signatureBytes);
}

/** What replicas sign of a length that grows with the cluster or the window; everything else is as long as a vote. */
export const LONG_TYPES = ['status', 'viewChange', 'newView'] as const;

export type LongType = (typeof LONG_TYPES)[number];

/**
 * The longest envelope of one type, with signatures of at most that many bytes: by default of any allowed key.
 */
export function computeSignedBytesMax(
  type: LongType,
  limits: WireLimits,
  signatureBytes = SIGNATURE_BYTES_MAX,
): number {
  return ENVELOPE_OVERHEAD_BYTES + computePayloadBytesMax(type, limits, signatureBytes) + signatureBytes;
}

function computePayloadBytesMax(type: LongType, limits: WireLimits, signatureBytes: number): number {
  const { replicaCount, windowSize } = limits;
  const statement = INNER_STATEMENT_BYTES + signatureBytes;
  switch (type) {
    case 'status':
      return (
        STATUS_FIXED_BYTES +
        3 * computeBitmapBytesMax(limits) +
        HELD_CHECKPOINT_BYTES_MAX * computeHeldCheckpointsMax(limits) +
        NAMED_VIEW_CHANGE_BYTES_MAX * computeHeldViewChangesMax(limits)
      );
    case 'viewChange':
      return (
        VIEW_CHANGE_FIXED_BYTES + replicaCount * statement + windowSize * computeProofBytesMax(limits, signatureBytes)
      );
    case 'newView':
      return VIEW_CHANGE_FIXED_BYTES + replicaCount * NAMED_VIEW_CHANGE_BYTES_MAX + windowSize * statement;
    default:
      return unreachable(type);
  }
}
