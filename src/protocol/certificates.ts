/** Sets of signed messages by distinct replicas that prove something to whoever has the genesis. */
import type { Checkpoint, Commit, PrePrepare, Prepare, Signed, Verified } from './messages.js';

/** A batch prepared in a view: the pre-prepare and quorum − 1 prepares by other replicas, sorted by sender. */
export interface PreparedCertificate {
  readonly prePrepare: Verified<Signed<PrePrepare>>;
  readonly prepares: readonly Verified<Signed<Prepare>>[];
}

/** A batch committed: a quorum of commits with one view, sequence and digest, sorted by sender. */
export interface CommitCertificate {
  readonly commits: readonly Verified<Signed<Commit>>[];
}

/** A stable checkpoint: a quorum of checkpoints with one sequence and header digest, sorted by sender. */
export interface CheckpointCertificate {
  readonly checkpoints: readonly Verified<Signed<Checkpoint>>[];
}
