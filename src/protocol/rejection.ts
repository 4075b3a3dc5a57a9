/**
 * Why the core did not take a message. A rejection is a value: nothing that comes from outside throws. Each is counted
 * by message type and code.
 */

/** Closed: a metric label. */
export type RejectionCode =
  /** A view below the current one. */
  | 'oldView'
  /** A view above the current one. */
  | 'futureView'
  /** This replica is not active in its view. */
  | 'notActive'
  /** At or below the low watermark, or already executed. */
  | 'belowWindow'
  /** Above the high watermark. */
  | 'aboveWindow'
  /** The sender already spoke on this (type, view, sequence) with the same content, or the same proof is held. */
  | 'duplicate'
  /** A vote for what is certified here already, by others, with the same digest. */
  | 'late'
  /** The sender already spoke on this (type, view, sequence), with another content: evidence. */
  | 'contradiction'
  /** Only the view's primary may send it. */
  | 'notPrimary'
  /** The view's primary may not send it. */
  | 'fromPrimary'
  /** The digest is another than the one executed at that sequence. */
  | 'contradictsExecuted'
  /** The batch breaks a limit, has no request, or names one (client, number) twice. */
  | 'badBatch'
  /** The request or batch costs more than one may. */
  | 'tooCostly'
  /** The sequence is not a multiple of the checkpoint interval. */
  | 'notCheckpoint'
  /** The certificate is not a quorum of distinct signers on one statement. */
  | 'badCertificate'
  /** The sender's share of a bounded collection is used up. */
  | 'quota'
  /** Not above what is known already. */
  | 'stale'
  /** At or below the highest sequence that the NewView of this view proposes. */
  | 'belowNewView'
  /** A ViewChange or NewView that breaks a rule whatever its signatures. */
  | 'badViewChange'
  | 'badNewView'
  /** The two statements don't contradict each other. */
  | 'noContradiction'
  /** It is this replica's own, and known to it or no longer of interest. */
  | 'own'
  /** This replica waits for Status of a quorum since it started, and votes for nothing yet. */
  | 'starting'
  /** It is addressed to another replica. */
  | 'notAddressee'
  /** This replica stopped because its state differs from the cluster's. */
  | 'diverged';

/** A judgement on a message that is not taken. */
export interface Rejection {
  readonly code: RejectionCode;
}

/** A rejection with that code. */
export function reject(code: RejectionCode): Rejection {
  return { code };
}
