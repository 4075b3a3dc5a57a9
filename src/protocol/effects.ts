/**
 * What the core wants done, in the imperative and in order. `persist` is a barrier: nothing after it leaves the
 * process before it is durable.
 */
import type { Digest } from '../util/digest.js';
import type { CheckpointCertificate, CommitCertificate } from './certificates.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import type { LogRecord } from './log-record.js';
import type {
  Checkpoint,
  Commit,
  EncodedBatch,
  NewView,
  PrePrepare,
  Prepare,
  ProtocolMessage,
  Signed,
  SignedRequest,
  Status,
  Verified,
  ViewChange,
} from './messages.js';
import type { Note } from './notes.js';
import type { TimerEffect } from './timers.js';

/** One thing to do. */
export type Effect =
  /** Make it durable, together with whatever else this turn persists. */
  | { readonly kind: 'persist'; readonly record: LogRecord }
  /**
   * Sign it, send it to all peers, and hand the signed copy back as `messageSigned`. A pre-prepare goes out with its
   * batch.
   */
  | { readonly kind: 'broadcast'; readonly message: Prepare | Commit | Checkpoint }
  | {
      readonly kind: 'propose';
      readonly message: PrePrepare;
      readonly batch: EncodedBatch | StoredBatch;
      /** Of the batch, in its order; empty for a stored one. */
      readonly requests: readonly SignedRequest[];
    }
  /** Sign it and hand it back as `messageSigned`; nothing is sent. */
  | { readonly kind: 'sign'; readonly message: ViewChange | NewView }
  /** Sign them and hand them back as `prePreparesSigned`; nothing is sent. */
  | { readonly kind: 'signPrePrepares'; readonly view: View; readonly messages: readonly PrePrepare[] }
  /** Check every signature in a view change's certificates, a slice at a time, and answer with `viewChangeJudged`. */
  | {
      readonly kind: 'judgeViewChange';
      readonly viewChange: Verified<Signed<ViewChange>>;
      readonly digest: Digest;
    }
  /** Sign it and send it to its addressee. */
  | { readonly kind: 'sendStatus'; readonly message: Status }
  /** Send what is signed already. */
  | { readonly kind: 'forward'; readonly to: ReplicaId | 'all'; readonly item: ForwardItem }
  /** Execute the batch: the sequence is the last executed + 1. The certificate is absent for what came as ledger. */
  | {
      readonly kind: 'execute';
      readonly sequence: Sequence;
      readonly view: View;
      readonly batchDigest: Digest;
      readonly certificate: CommitCertificate | undefined;
    }
  | TimerEffect
  /** Get it from peers; a fetch of the same kind and name that runs already goes on. */
  | { readonly kind: 'fetch'; readonly what: FetchTarget }
  /** The log at or below this stable checkpoint is no longer needed; the ledger stays. */
  | { readonly kind: 'discard'; readonly lowWatermark: Sequence }
  /** A statement of its own that it doesn't remember was shown by a peer: it signs nothing any more, and ends. */
  | { readonly kind: 'giveUp'; readonly forgotten: Verified<Signed>; readonly from: ReplicaId | undefined }
  /** For metrics, logs and the console; changes nothing. */
  | { readonly kind: 'note'; readonly note: Note };

/** A batch that was persisted before, named by sequence and digest. */
export interface StoredBatch {
  readonly sequence: Sequence;
  readonly digest: Digest;
}

/** What is sent on with signatures that stand. */
export type ForwardItem =
  | { readonly kind: 'message'; readonly message: Signed<ProtocolMessage> }
  | { readonly kind: 'request'; readonly request: SignedRequest }
  /** A pre-prepare and its batch. */
  | { readonly kind: 'proposal'; readonly prePrepare: Signed<PrePrepare> }
  /** A batch and its commits. */
  | { readonly kind: 'committedBatch'; readonly sequence: Sequence; readonly certificate: CommitCertificate }
  | { readonly kind: 'checkpointCertificate'; readonly certificate: CheckpointCertificate }
  | { readonly kind: 'evidence'; readonly first: Signed; readonly second: Signed };

/** What the core lacks. */
export type FetchTarget =
  /** The ledger from last executed + 1 to a stable checkpoint, which names the last header. */
  | {
      readonly kind: 'ledger';
      readonly first: Sequence;
      readonly last: Sequence;
      readonly lastHeaderDigest: Digest;
    }
  /** A batch that is proposed in a NewView or committed, whose bytes may be missing here: the own store is asked first. */
  | { readonly kind: 'batch'; readonly sequence: Sequence; readonly digest: Digest }
  /** A view change that a NewView names; it comes as `messageReceived`. */
  | { readonly kind: 'viewChange'; readonly replica: ReplicaId; readonly digest: Digest; readonly view: View };
