/** What the core makes durable, and what it gets back when the replica starts again. */
import type { Digest } from '../util/digest.js';
import type { CheckpointCertificate, CommitCertificate, PreparedCertificate } from './certificates.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import type {
  BatchSummary,
  Checkpoint,
  EncodedBatch,
  NewView,
  PrePrepare,
  ProtocolMessage,
  Signed,
  Verified,
  ViewChange,
} from './messages.js';

/** Two contradicting statements of one replica, each with its signature: it verifies by itself. */
export interface Evidence {
  readonly replica: ReplicaId;
  readonly kind: ProtocolMessage['type'];
  readonly first: Signed;
  readonly second: Signed;
}

/** What evidence can be about: any kind of statement. */
const IS_EVIDENCE: Readonly<Record<Evidence['kind'], true>> = {
  prePrepare: true,
  prepare: true,
  commit: true,
  checkpoint: true,
  status: true,
  viewChange: true,
  newView: true,
};

/** All of them. */
export const EVIDENCE_KINDS = Object.keys(IS_EVIDENCE) as readonly Evidence['kind'][];

/** One durable fact. */
export type LogRecord =
  /** The batch proposed (primary) or accepted (backup) for (view, sequence); signed unless it is the own, new one. */
  | {
      readonly kind: 'accepted';
      readonly prePrepare: PrePrepare;
      readonly signed: Verified<Signed<PrePrepare>> | undefined;
      readonly batch: EncodedBatch;
    }
  /**
   * A batch that was decided without being accepted here (fetched, or sent with its commits): its bytes are kept under
   * (sequence, digest) for execution. It says nothing of any vote.
   */
  | { readonly kind: 'batch'; readonly sequence: Sequence; readonly batch: EncodedBatch }
  /** It prepared, with the certificate; replaces one of a lower view for the same sequence. */
  | { readonly kind: 'prepared'; readonly certificate: PreparedCertificate }
  /** The own checkpoint: execution up to it is durable with it. */
  | { readonly kind: 'ownCheckpoint'; readonly checkpoint: Checkpoint }
  /** The stable checkpoint moved here. */
  | { readonly kind: 'stableCheckpoint'; readonly certificate: CheckpointCertificate }
  /** It left every view below this one and is not active in this one; its ViewChange is not signed yet. */
  | { readonly kind: 'view'; readonly view: View }
  /** The own ViewChange, the very bytes: it is in that view and not active. */
  | { readonly kind: 'viewChange'; readonly viewChange: Verified<Signed<ViewChange>> }
  /** The NewView it sent or accepted, with the ViewChanges that it names: it is active in that view. */
  | { readonly kind: 'newView'; readonly begun: BegunView }
  | { readonly kind: 'evidence'; readonly evidence: Evidence };

/** The state that a replica starts with: what its records and its store say. Of a new one all is empty or 0. */
export interface RecoveredState {
  readonly view: View;
  readonly active: boolean;
  /** The own ViewChange for `view`, where it is not active in it and had signed one. */
  readonly ownViewChange: Verified<Signed<ViewChange>> | undefined;
  /** What began `view`, where it is active in it; undefined in view 0. */
  readonly begunView: BegunView | undefined;
  /** Every batch above h whose bytes are in the store, executed or not. */
  readonly batches: readonly RecoveredBatch[];
  /** Undefined where no checkpoint is stable yet. */
  readonly stableCheckpoint: CheckpointCertificate | undefined;
  /** Every accepted pre-prepare above h, the latest view's for each sequence. */
  readonly accepted: readonly RecoveredProposal[];
  /** The certificate of the highest view for each sequence above h that prepared. */
  readonly prepared: readonly PreparedCertificate[];
  /** The own checkpoints above h. */
  readonly ownCheckpoints: readonly Checkpoint[];
  /** Kept from execution until stable, for peers that lack them. */
  readonly committed: readonly RecoveredCommit[];
  readonly evidence: readonly Evidence[];
  readonly lastExecuted: Sequence;
  /** The genesis digest where nothing is executed. */
  readonly lastHeaderDigest: Digest;
}

/** A NewView and the ViewChanges that it names, in its order. */
export interface BegunView {
  readonly newView: Verified<Signed<NewView>>;
  readonly viewChanges: readonly Verified<Signed<ViewChange>>[];
}

/** A batch whose bytes are in the store. */
export interface RecoveredBatch {
  readonly sequence: Sequence;
  readonly batch: BatchSummary;
}

/** An accepted pre-prepare with its batch, whose bytes stay in the store. */
export interface RecoveredProposal {
  readonly prePrepare: PrePrepare;
  readonly signed: Verified<Signed<PrePrepare>> | undefined;
  readonly batch: BatchSummary;
}

/** An executed sequence above h with what decided it; its batch is in the ledger. */
export interface RecoveredCommit {
  readonly sequence: Sequence;
  readonly batch: BatchSummary;
  /** Absent for what came as ledger. */
  readonly certificate: CommitCertificate | undefined;
}
