/**
 * The protocol messages as the core sees them. Bytes stay beside their meaning: a certificate carries the payloads and
 * signatures as they came.
 */
import type { ClientId, Digest } from '../util/digest.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';

/** [OSDI §4.2] The primary assigns a batch to a sequence. */
export interface PrePrepare {
  readonly type: 'prePrepare';
  readonly view: View;
  readonly sequence: Sequence;
  readonly batchDigest: Digest;
}

/** [OSDI §4.2] A backup accepted the pre-prepare of this view, sequence and digest. */
export interface Prepare {
  readonly type: 'prepare';
  readonly view: View;
  readonly sequence: Sequence;
  readonly batchDigest: Digest;
}

/** [OSDI §4.2] The batch is prepared at the sender. */
export interface Commit {
  readonly type: 'commit';
  readonly view: View;
  readonly sequence: Sequence;
  readonly batchDigest: Digest;
}

/** [OSDI §4.3] The sender executed everything up to this multiple of K, and its header there has this digest. */
export interface Checkpoint {
  readonly type: 'checkpoint';
  readonly sequence: Sequence;
  readonly headerDigest: Digest;
}

/** What the sender has and lacks (protocol.md 8). Bit i of a bitmap is for sequence max(h, last executed) + 1 + i. */
export interface Status {
  readonly type: 'status';
  readonly to: ReplicaId;
  readonly view: View;
  readonly active: boolean;
  readonly lowWatermark: Sequence;
  readonly lastExecuted: Sequence;
  /** The sender's wall clock in milliseconds since 1970. */
  readonly clockMs: number;
  /** Least significant bit first; at most window / 8 bytes, like the two below. */
  readonly missingPrePrepares: Uint8Array;
  readonly missingPrepares: Uint8Array;
  readonly missingCommits: Uint8Array;
  /** The Checkpoints above h that the sender holds, sorted by sequence, then replica; at most n × (window / K + 1). */
  readonly checkpoints: readonly HeldCheckpoint[];
  /** Ascending in one life of the sender, from a random number on: one that isn't above the last on its link is old. */
  readonly number: number;
  /** Whether the sender doesn't vote (yet): since its start it waits for Status of a quorum. */
  readonly recovering: boolean;
  /** The ViewChanges that the sender holds, sorted by replica, then digest; at most 4 × n. */
  readonly viewChanges: readonly NamedViewChange[];
  /** Of the NewView of its view that the sender holds. */
  readonly newViewDigest: Digest | undefined;
  /** The number of the last Status of the addressee that the sender handled on this link; 0 for none. */
  readonly heard: number;
}

/** [OSDI §4.4] The sender has left every view below `newView`, and shows what prepared at it. */
export interface ViewChange {
  readonly type: 'viewChange';
  readonly newView: View;
  /** h, 0 for none. */
  readonly stableCheckpoint: Sequence;
  /** A quorum of checkpoints for h; empty at 0. Their signatures are not checked with the ViewChange's own. */
  readonly checkpointCertificate: readonly Signed<Checkpoint>[];
  /** Ascending by sequence, in (h, h + window]. Their signatures are not checked with the ViewChange's own. */
  readonly prepared: readonly PreparedProof[];
}

/** A prepared certificate as it comes in a ViewChange. */
export interface PreparedProof {
  readonly prePrepare: Signed<PrePrepare>;
  /** Quorum − 1, by distinct backups, sorted by sender. */
  readonly prepares: readonly Signed<Prepare>[];
}

/** [OSDI §4.4] The primary of a view begins it with what a quorum of ViewChanges says. */
export interface NewView {
  readonly type: 'newView';
  readonly newView: View;
  /** A quorum, by distinct replicas, ascending. */
  readonly viewChanges: readonly NamedViewChange[];
  /** O: ascending by sequence; at most a window. Their signatures are checked with the NewView's own. */
  readonly prePrepares: readonly Signed<PrePrepare>[];
}

/** Names a ViewChange: its digest is H(sender, 4 bytes big-endian ‖ payload). */
export interface NamedViewChange {
  readonly replica: ReplicaId;
  readonly digest: Digest;
}

/** A Checkpoint that a replica holds. */
export interface HeldCheckpoint {
  readonly replica: ReplicaId;
  readonly sequence: Sequence;
}

/** What replicas sign and send each other. */
export type ProtocolMessage = PrePrepare | Prepare | Commit | Checkpoint | Status | ViewChange | NewView;

/** A message with the exact bytes that were signed. */
export interface Signed<M extends ProtocolMessage = ProtocolMessage> {
  readonly message: M;
  readonly sender: ReplicaId;
  /** The signed bytes, as they came. */
  readonly payload: Uint8Array;
  /** Randomised: nothing is identified, stored or compared by it. */
  readonly signature: Uint8Array;
}

declare const verified: unique symbol;

/** Why a signature needs no (further) check: ingress did it, or the value is this replica's own. */
export type VerifiedBy = 'checked' | 'own';

/** A value whose signatures hold. It has two makers, `checked` and `own` in verified.ts. */
export type Verified<T, By extends VerifiedBy = VerifiedBy> = T & { readonly [verified]: By };

/** Names a client's request. */
export interface RequestKey {
  readonly clientId: ClientId;
  readonly number: number;
}

/** A client's signed request. */
export interface SignedRequest extends RequestKey {
  /** The client has the results of every request up to this number; less than `number`. */
  readonly acknowledged: number;
  /** H(client id ‖ payload): what was asked, whoever signed it how often. */
  readonly digest: Digest;
  /** Opaque to everything but the application; at least one. */
  readonly operations: readonly Uint8Array[];
  /** The encoded SignedMessage as it came: what goes into a batch and to peers. */
  readonly bytes: Uint8Array;
}

/** What the core keeps of a batch: who asked, not what. */
export interface BatchSummary {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** The primary's proposal of the time, in milliseconds since 1970; 0 in the null batch. */
  readonly timestampMs: number;
  /** In the order of execution; none in the null batch. */
  readonly requests: readonly RequestKey[];
  /** Operations of all requests together. */
  readonly operationCount: number;
}

/** A batch with its bytes, on its way through the core to disk and peers. */
export interface EncodedBatch extends BatchSummary {
  /** The encoded Batch; its hash is the digest. */
  readonly bytes: Uint8Array;
}
