/** What the core remarks on, for metrics, logs, the console and coverage marks. Protocol code knows none of them. */
import type { Digest } from '../util/digest.js';
import type { Explanation, ViewChangeCause } from './explanation.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import type { Evidence } from './log-record.js';
import type { ProtocolMessage } from './messages.js';
import type { RejectionCode } from './rejection.js';
import type { TimerName } from './timers.js';

/** What a rejection or a metric names: a message type, or one of the things that are not signed by replicas. */
export type InputType =
  | ProtocolMessage['type']
  | 'request'
  | 'committedBatch'
  | 'checkpointCertificate'
  | 'evidence'
  | 'ledger';

/** One remark. */
export type Note =
  | {
      readonly kind: 'rejected';
      readonly type: InputType;
      readonly code: RejectionCode;
      readonly sender: ReplicaId | undefined;
    }
  /** The phases of one sequence at this replica, in this order. */
  | { readonly kind: 'prePrepared'; readonly view: View; readonly sequence: Sequence; readonly operationCount: number }
  | { readonly kind: 'prepared'; readonly view: View; readonly sequence: Sequence }
  | { readonly kind: 'committed'; readonly view: View; readonly sequence: Sequence }
  | { readonly kind: 'stable'; readonly sequence: Sequence }
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  /** This replica's state differs from what a quorum signed: it stopped. */
  | { readonly kind: 'diverged'; readonly sequence: Sequence; readonly own: Digest; readonly certified: Digest }
  /** No digest can get a quorum at this checkpoint any more. */
  | { readonly kind: 'checkpointSplit'; readonly sequence: Sequence }
  | { readonly kind: 'behind'; readonly lastExecuted: Sequence; readonly target: Sequence }
  /** A peer asked for another digest than the one executed: an alarm. */
  | { readonly kind: 'contradictsExecuted'; readonly sequence: Sequence; readonly sender: ReplicaId }
  /** A quorum answered since it started: it votes from now on. */
  | { readonly kind: 'votingBegun'; readonly afterMs: number }
  /** It left its view. */
  | {
      readonly kind: 'viewLeft';
      readonly from: View;
      readonly to: View;
      readonly cause: ViewChangeCause;
      /** The timeout that will run in the new view. */
      readonly timeoutMs: number;
      /** As it was in the view that it left. */
      readonly explanation: Explanation;
    }
  /** A quorum left for its view or later ones: from now on its primary has a timeout to begin it. */
  | { readonly kind: 'viewAwaited'; readonly view: View; readonly explanation: Explanation }
  /** It is active in a view. */
  | {
      readonly kind: 'viewEntered';
      readonly view: View;
      /** Since it left the last view in which it was active. */
      readonly durationMs: number;
      /** How many sequences the NewView proposes again, and how many of them are null. */
      readonly proposedAgain: number;
      readonly nullBatches: number;
      /** Whose ViewChanges its NewView names. */
      readonly viewChangesOf: readonly ReplicaId[];
    }
  /** The oldest waiting request waits longer than the timeout. */
  | { readonly kind: 'requestOverdue'; readonly explanation: Explanation }
  /** A timer that runs in this replica's core came to its end. */
  | { readonly kind: 'timerExpired'; readonly timer: TimerName }
  /**
   * The own clock less the median of a quorum's, as measured; alarming where it is half the drift or more. `changed`
   * where it was not so before. At most twice a second a peer but for changes.
   */
  | { readonly kind: 'clockSkew'; readonly skewMs: number; readonly alarming: boolean; readonly changed: boolean };
