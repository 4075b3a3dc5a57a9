/** What a replica says of its waiting: to the operator in its status, in the log as it leaves, joins and enters views. */
import type { ClientId } from '../util/digest.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';

/** Why a replica leaves its view; a metric label. */
export type ViewChangeCause =
  /** The oldest waiting request was not executed in time. */
  | 'requestTimeout'
  /** The NewView did not come in time. */
  | 'newViewTimeout'
  /** A weak quorum left for this view or later ones. */
  | 'joined'
  /** The primary itself left the view. */
  | 'primaryLeft'
  /** The primary signed contradicting statements. */
  | 'evidence'
  /** The primary's NewView does not follow from the ViewChanges it names. */
  | 'badNewView';

/** The timer at whose end this replica leaves its view. */
export interface LeavingTimer {
  readonly name: 'request' | 'newView';
  /** Below 0 where it is overdue. */
  readonly remainingMs: number;
}

/** The oldest request that no quorum has committed. */
export interface OldestRequest {
  readonly clientId: ClientId;
  readonly number: number;
  /** Since this replica first knew it. */
  readonly waitedMs: number;
}

/** A ViewChange that is held; its own signature was checked. */
export interface HeldBy {
  readonly replica: ReplicaId;
  readonly view: View;
  /** Whether its certificates were checked, so that it counts. */
  readonly isValid: boolean;
}

/** One thing that is missing, and of whom where only one can have said it. */
export type Missing =
  /** Since its start: an answer to its Status. */
  | { readonly kind: 'status'; readonly replica: ReplicaId }
  | { readonly kind: 'viewChange' | 'judgement'; readonly replica: ReplicaId; readonly view: View }
  | { readonly kind: 'newView'; readonly replica: ReplicaId; readonly view: View }
  | { readonly kind: 'prePrepare'; readonly replica: ReplicaId; readonly sequence: Sequence }
  | { readonly kind: 'prepare' | 'commit'; readonly replica: ReplicaId; readonly sequence: Sequence }
  /** The bytes of a batch that is proposed or committed; anyone may have them. */
  | { readonly kind: 'batch'; readonly sequence: Sequence }
  /** The ledger up to a stable checkpoint. */
  | { readonly kind: 'ledger'; readonly sequence: Sequence }
  /** The own execution of what is committed. */
  | { readonly kind: 'execution'; readonly sequence: Sequence };

/** All of it. */
export interface Explanation {
  /** T: the delay of both timers. */
  readonly timeoutMs: number;
  /** Undefined where none runs. */
  readonly timer: LeavingTimer | undefined;
  readonly oldestRequest: OldestRequest | undefined;
  /** Between two views: why it left the last one, undefined for a start in between; and for how long it is in none. */
  readonly left: { readonly cause: ViewChangeCause | undefined; readonly sinceMs: number } | undefined;
  /** By sender. */
  readonly viewChanges: readonly HeldBy[];
  readonly missing: readonly Missing[];
}

/** What a replica keeps of others until its time comes; each is bounded by sender (protocol.md 9). */
export const BUFFER_CLASSES = ['viewChange', 'newView', 'futureVote', 'futureProposal', 'delayedProposal'] as const;

/** A metric label. */
export type BufferClass = (typeof BUFFER_CLASSES)[number];
