/**
 * Sets of signed messages by distinct replicas that prove something to whoever has the genesis, and the one rule of what
 * such a set must be: at least so many replicas, none twice, on one statement. [OSDI §4.2, §4.3, §4.4]
 *
 * The rule looks at no signature: it is cheap, and made before those are checked.
 */
import type { ReplicaId } from './identifiers.js';
import type { Checkpoint, Commit, PrePrepare, Prepare, ProtocolMessage, Signed, Verified } from './messages.js';
import { primaryOf, type QuorumSizes } from './quorum.js';

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

/** Who said what; whether it is signed is another question. */
type Said<M extends ProtocolMessage> = Pick<Signed<M>, 'message' | 'sender'>;

/** Whether these are at least `countMin` replicas, none of them twice. */
export function areDistinct(replicas: readonly ReplicaId[], countMin: number): boolean {
  return replicas.length >= countMin && new Set(replicas).size === replicas.length;
}

/** Whether at least `countMin` distinct replicas said the same. */
function isOneStatement<M extends ProtocolMessage>(
  statements: readonly Said<M>[],
  countMin: number,
  isSame: (message: M, first: M) => boolean,
): boolean {
  const first = statements[0]?.message;
  return (
    first !== undefined &&
    areDistinct(
      statements.map(({ sender }) => sender),
      countMin,
    ) &&
    statements.every(({ message }) => isSame(message, first))
  );
}

/** Whether a quorum says that one batch is decided at one sequence, in one view. */
export function isCommitQuorum(commits: readonly Said<Commit>[], quorum: number): boolean {
  return isOneStatement(commits, quorum, isSameVote);
}

/** Whether a quorum says that the state after one sequence is one. */
export function isCheckpointQuorum(checkpoints: readonly Said<Checkpoint>[], quorum: number): boolean {
  return isOneStatement(
    checkpoints,
    quorum,
    (message, first) => message.sequence === first.sequence && message.headerDigest === first.headerDigest,
  );
}

/** Whether a proposal is by its view's primary, and prepares for it by quorum − 1 others make it prepared. */
export function isPreparedProof(
  prePrepare: Said<PrePrepare>,
  prepares: readonly Said<Prepare>[],
  { quorum, replicaCount }: QuorumSizes,
): boolean {
  const primary = primaryOf(prePrepare.message.view, replicaCount);
  return (
    prePrepare.sender === primary &&
    areDistinct(
      prepares.map(({ sender }) => sender),
      quorum - 1,
    ) &&
    prepares.every(({ message, sender }) => sender !== primary && isSameVote(message, prePrepare.message))
  );
}

function isSameVote(vote: Prepare | Commit, other: PrePrepare | Commit): boolean {
  return vote.view === other.view && vote.sequence === other.sequence && vote.batchDigest === other.batchDigest;
}
