/**
 * Invariant 13: what a replica holds of what others send is bounded, whatever they send (protocol.md 9). Each bound is
 * computed here from the parameters, apart from the code that keeps it; a look at everything that is held costs
 * something, so it is taken now and then and not at every step.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { ReplicaHeld } from '../../support/held.js';
import type { ClusterParameters } from '../cluster/parameters.js';
import type { Violations } from './observer.js';

/** What is counted. */
export type HeldName = keyof ReplicaHeld;

/** Client signatures that are remembered, and statements in certificates (verified-requests.ts, view-change-judge.ts). */
const REQUESTS_REMEMBERED_MAX = 8_192;
const STATEMENTS_REMEMBERED_MAX = 65_536;
/** Bodies in memory, and headers of one piece of a ledger that is fetched. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const HEADERS_FETCHED_MAX = 8_192;
/** Requests that one expiry of the request timer passes on (relaying.ts). */
const RELAYED_REQUESTS_MAX = 256;
/** Of a peer by level, of a client, and of what happens without one. */
const LINES_OF_SENDER = 4;
const TIMERS = 5;

/** The most of everything, for a cluster with these parameters. */
export function computeBounds({
  sizes,
  consensus,
  local,
  queues,
}: ClusterParameters): Readonly<Record<HeldName, number>> {
  const { replicaCount: n } = sizes;
  const { windowSize: window, checkpointInterval, clientWindow } = consensus;
  const evidenceKinds = 6;
  // Of each sender the highest valid one, the highest not judged, the first of this view; and those a NewView names.
  const viewChanges = 4 * n;
  // What one peer can be sent again in a second: votes, batches and certificates of the window, and about views.
  const resent = 4 * window + viewChanges + window / checkpointInterval + 2;
  // What a replica itself has under way: own votes and proposals, executions, fetches, judgements.
  const ownWork = 4 * window + viewChanges + 2 * n + TIMERS;
  return {
    slots: window,
    slotsOutsideWindow: 0,
    votesOfSlot: 2 * n,
    // Of this view, of the highest in which it prepared, of what was committed.
    batchesOfSlot: 3,
    checkpointsOfSender: window / checkpointInterval + 1,
    ownCheckpoints: window / checkpointInterval,
    viewChanges,
    viewChangesOfSender: 4,
    pendingNewViews: n,
    badViewChanges: n,
    futureVotesOfSender: 2 * window,
    futureProposalsOfSender: local.pipeline,
    delayedProposals: local.pipeline,
    evidence: n * evidenceKinds,
    waitingRequests: local.waitingRequestsMax,
    waitingRequestsOfClient: local.waitingRequestsOfClientMax,
    waitingBytes: local.waitingBytesMax,
    waitingCostOfClient: 2 * consensus.batchCostMax,
    costInFlight: consensus.batchCostMax,
    resentToPeer: resent,
    promisedHeaders: 2 * checkpointInterval + window,
    localEvents: ownWork,
    peerLaneMessages: queues.peerMessagesMax,
    peerLaneBytes: queues.peerBytesMax,
    clientLaneRequests: clientWindow,
    recordsWaiting: ownWork,
    // Behind one write: everything that each peer can ask for meanwhile, and the requests passed on at an expiry.
    waitingForDisk: ownWork + n * resent + RELAYED_REQUESTS_MAX,
    signaturesWaiting: ownWork,
    questions: window + n + 1,
    batchesFetched: window,
    viewChangesFetched: n,
    headersFetched: HEADERS_FETCHED_MAX,
    peersServed: n - 1,
    viewChangesJudged: viewChanges,
    viewChangesJudgedOfSender: 4,
    statementsRemembered: Math.min(2 * window * n, STATEMENTS_REMEMBERED_MAX),
    lateVotes: 2 * window * (n - 1),
    requestsRemembered: REQUESTS_REMEMBERED_MAX,
    bodyBytes: BODY_BYTES_MAX,
    bodiesPending: ownWork,
    batchesOrdered: 2 * checkpointInterval + window,
    clients: n,
    rowsOfClient: clientWindow,
    callsWaiting: queues.clientOperationsMax,
    ownRequestsInFlight: clientWindow,
    sequencesTimed: window,
    linesLimited: LINES_OF_SENDER * (n + 1),
  };
}

/** Holds replicas to the bounds, and remembers the most that any of them held. */
export class BoundsCheck {
  /** The most of everything so far, over all replicas that were looked at. */
  readonly most = new Map<HeldName, number>();
  readonly bounds: Readonly<Record<HeldName, number>>;

  constructor(
    private readonly violations: Violations,
    parameters: ClusterParameters,
  ) {
    this.bounds = computeBounds(parameters);
  }

  /** Looks at one correct replica. */
  judge(replica: ReplicaId, held: ReplicaHeld): void {
    for (const name of Object.keys(this.bounds) as HeldName[]) {
      const count = held[name];
      if (count > (this.most.get(name) ?? 0)) {
        this.most.set(name, count);
      }
      if (count > this.bounds[name]) {
        this.violations.report(13, `replica ${replica} holds ${count} of ${name}; the bound is ${this.bounds[name]}`);
      }
    }
  }
}
