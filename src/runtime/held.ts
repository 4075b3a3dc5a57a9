/**
 * What a running replica holds, counted by the parts that hold it (protocol.md 9): nothing that others send may make any
 * of it grow without bound. For tests, and for a look now and then.
 */
import type { CoreHeld } from '../protocol/held.js';

/** How much waits, is under way, or is remembered outside the core. */
export interface RuntimeHeld {
  readonly localEvents: number;
  /** Of the peer that has most. */
  readonly peerLaneMessages: number;
  readonly peerLaneBytes: number;
  readonly clientLaneRequests: number;
  /** Records, and what waits for them to be durable. */
  readonly recordsWaiting: number;
  readonly waitingForDisk: number;
  readonly signaturesWaiting: number;
  readonly questions: number;
  readonly batchesFetched: number;
  readonly viewChangesFetched: number;
  readonly headersFetched: number;
  readonly peersServed: number;
  readonly viewChangesJudged: number;
  readonly viewChangesJudgedOfSender: number;
  readonly statementsRemembered: number;
  /** Unread. */
  readonly lateVotes: number;
  readonly requestsRemembered: number;
  readonly bodyBytes: number;
  readonly bodiesPending: number;
  readonly batchesOrdered: number;
  readonly clients: number;
  readonly rowsOfClient: number;
  readonly callsWaiting: number;
  readonly ownRequestsInFlight: number;
  readonly sequencesTimed: number;
  readonly linesLimited: number;
}

/** All of it. */
export type ReplicaHeld = CoreHeld & RuntimeHeld;
