/** What the core is told, in the past tense. Everything here is verified: the types admit nothing else. */
import type { ClientId, Digest } from '../util/digest.js';
import type { CheckpointCertificate, CommitCertificate } from './certificates.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import type {
  Checkpoint,
  Commit,
  EncodedBatch,
  NewView,
  PrePrepare,
  Prepare,
  RequestKey,
  Signed,
  SignedRequest,
  Status,
  Verified,
  ViewChange,
} from './messages.js';
import type { TimerName } from './timers.js';

/** The clocks of the turn in which an event is handled. */
export interface Now {
  /** Wall clock, milliseconds since 1970: for batch timestamps only. */
  readonly wallMs: number;
  /** Monotonic, milliseconds since any fixed point: for everything else. */
  readonly elapsedMs: number;
}

/** One step's input. */
export type Event =
  /** The first event, once: the state that was recovered stands. */
  | { readonly kind: 'started' }
  /** A client's request, from a caller of this replica or relayed by a peer. */
  | { readonly kind: 'requestReceived'; readonly request: Verified<SignedRequest>; readonly from: ReplicaId | 'local' }
  /** A peer's pre-prepare with its batch, whose digest and requests were verified. */
  | {
      readonly kind: 'prePrepareReceived';
      readonly prePrepare: Verified<Signed<PrePrepare>>;
      readonly batch: Verified<EncodedBatch>;
      /** Of the batch, in its order, but for those that are executed or dead already. */
      readonly requests: readonly Verified<SignedRequest>[];
      /** As below. */
      readonly over?: ReplicaId | undefined;
    }
  /**
   * A peer's vote, checkpoint, status, view change or new view. Of a view change only its own signature is checked; of a
   * new view also those of its pre-prepares.
   */
  | {
      readonly kind: 'messageReceived';
      readonly message: Verified<Signed<Prepare | Commit | Checkpoint | Status | ViewChange | NewView>>;
      /**
       * The peer over whose link it came just now: only where that is its sender was it heard of. Absent for what was
       * fetched, or kept until its time came.
       */
      readonly over?: ReplicaId | undefined;
    }
  /** A peer showed a statement that this replica's own key signed, in this life or in an earlier one. */
  | { readonly kind: 'ownStatementReceived'; readonly message: Verified<Signed>; readonly from: ReplicaId }
  /**
   * The signed copy of what this replica broadcast, durable and on its way to the peers; or of a view change or new view
   * that it asked to be signed, which is neither yet.
   */
  | {
      readonly kind: 'messageSigned';
      readonly message: Verified<Signed<PrePrepare | Prepare | Commit | Checkpoint | ViewChange | NewView>>;
    }
  /** The signed pre-prepares of a new view that this replica prepares to begin, in the order that was asked for. */
  | {
      readonly kind: 'prePreparesSigned';
      readonly view: View;
      readonly prePrepares: readonly Verified<Signed<PrePrepare>>[];
    }
  /** Every signature in a view change's certificates was checked. */
  | {
      readonly kind: 'viewChangeJudged';
      readonly replica: ReplicaId;
      readonly digest: Digest;
      readonly isValid: boolean;
    }
  /** Two statements of one replica, both with right signatures. */
  | {
      readonly kind: 'evidenceReceived';
      readonly first: Verified<Signed>;
      readonly second: Verified<Signed>;
      readonly from: ReplicaId;
    }
  /** A batch with the quorum of commits that decides it. */
  | {
      readonly kind: 'committedBatchReceived';
      readonly batch: Verified<EncodedBatch>;
      readonly certificate: CommitCertificate;
      readonly from: ReplicaId;
    }
  /** A quorum of checkpoints, from a peer. */
  | {
      readonly kind: 'checkpointCertificateReceived';
      readonly certificate: CheckpointCertificate;
      readonly from: ReplicaId;
    }
  | { readonly kind: 'timerExpired'; readonly timer: TimerName; readonly generation: number }
  /** The batch of the next sequence is executed and its writes are in the store, not yet synced by themselves. */
  | {
      readonly kind: 'batchExecuted';
      readonly sequence: Sequence;
      readonly headerDigest: Digest;
      /** The requests of the batch: executed, refused or repeated, in any case done. */
      readonly settled: readonly RequestKey[];
      /** What the client table acknowledges after it, of the batch's clients: everything up to it is dead. */
      readonly acknowledged: readonly { readonly clientId: ClientId; readonly number: number }[];
    }
  /**
   * A fetched range of the ledger, from last executed + 1 on without a gap, whose chain of headers ends in the digest
   * that the fetch named.
   */
  | { readonly kind: 'ledgerFetched'; readonly entries: readonly FetchedEntry[] }
  /** A fetched batch: its bytes have the digest that was asked for, which is all the proof it needs. */
  | { readonly kind: 'batchFetched'; readonly sequence: Sequence; readonly batch: EncodedBatch }
  /** A link to this peer is up, or down. */
  | { readonly kind: 'peerConnected' | 'peerDisconnected'; readonly peer: ReplicaId };

/** One batch that was fetched from a peer's ledger. */
export interface FetchedEntry {
  readonly sequence: Sequence;
  readonly headerDigest: Digest;
  readonly batch: EncodedBatch;
}
