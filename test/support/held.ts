/**
 * Counts what a replica holds of what others sent: what protocol.md 9 says is bounded, and by what. The bounds themselves
 * follow from the parameters; who checks them computes them apart.
 *
 * It looks into the parts that hold something and changes nothing. The code has no use for these numbers, so it doesn't
 * offer them: this file alone reads what is private there.
 */
import type { Core } from '../../src/protocol/core.js';
import type { ReplicaId } from '../../src/protocol/identifiers.js';
import { isInWindow } from '../../src/protocol/state.js';
import type { BatchBodies } from '../../src/runtime/execution/batch-bodies.js';
import type { Ingress } from '../../src/runtime/ingress/ingress.js';
import type { ReplicaRuntime } from '../../src/runtime/replica-runtime.js';

/** How much is held; of what is bounded by sender, slot or client, the most that any of them has. */
export interface CoreHeld {
  readonly slots: number;
  readonly slotsOutsideWindow: number;
  /** Prepares and commits. */
  readonly votesOfSlot: number;
  readonly batchesOfSlot: number;
  readonly checkpointsOfSender: number;
  readonly ownCheckpoints: number;
  readonly viewChanges: number;
  readonly viewChangesOfSender: number;
  readonly pendingNewViews: number;
  /** Digests of bad ViewChanges that a NewView names. */
  readonly badViewChanges: number;
  readonly futureVotesOfSender: number;
  readonly futureProposalsOfSender: number;
  readonly delayedProposals: number;
  readonly evidence: number;
  readonly waitingRequests: number;
  readonly waitingRequestsOfClient: number;
  readonly waitingBytes: number;
  readonly waitingCostOfClient: number;
  /** Of the batches that it proposed and that are not executed. */
  readonly costInFlight: number;
  /** Names of what was sent again to one peer. */
  readonly resentToPeer: number;
  readonly promisedHeaders: number;
}

/** Counts what the core holds. */
export function countCoreHeld(core: Core): CoreHeld {
  const state = core['state'];
  const slots = [...state.slots.values()];
  const viewChanges = state.viewChanges.all();
  const future = [...state.future.values()];
  const checkpointSenders = [...state.checkpoints.values()].flatMap((bySender) => [...bySender.keys()]);
  const clients = [...state.pool['clients'].values()];
  return {
    slots: slots.length,
    slotsOutsideWindow: slots.filter(({ sequence }) => !isInWindow(state, sequence)).length,
    votesOfSlot: most(slots.map(({ prepares, commits }) => prepares.size + commits.size)),
    batchesOfSlot: most(slots.map(({ batches }) => batches.size)),
    checkpointsOfSender: mostOfOne(checkpointSenders),
    ownCheckpoints: state.ownCheckpoints.size,
    viewChanges: viewChanges.length,
    viewChangesOfSender: mostOfOne(viewChanges.map(({ signed }) => signed.sender)),
    pendingNewViews: state.pendingNewViews.size,
    badViewChanges: state.view.kind === 'changing' ? state.view.badNamed.size : 0,
    futureVotesOfSender: most(future.map(({ votes }) => votes.length)),
    futureProposalsOfSender: most(future.map(({ proposals }) => proposals.length)),
    delayedProposals: state.delayed.size,
    evidence: state.evidence.length,
    waitingRequests: state.pool.size,
    waitingRequestsOfClient: most(clients.map(({ waiting }) => waiting.size)),
    waitingBytes: state.pool['sizeBytes'],
    waitingCostOfClient: most(clients.map(({ cost }) => cost)),
    costInFlight: [...state.proposedCosts].reduce((sum, [at, cost]) => sum + (at > state.lastExecuted ? cost : 0), 0),
    resentToPeer: most([...state.peers.values()].map(({ resentAtMs }) => resentAtMs.size)),
    promisedHeaders: state.promisedHeaders.size,
  };
}

function most(counts: readonly number[]): number {
  return Math.max(0, ...counts);
}

/** How often the sender that is named most often is named. */
function mostOfOne(senders: readonly ReplicaId[]): number {
  const counts = new Map<ReplicaId, number>();
  for (const sender of senders) {
    counts.set(sender, (counts.get(sender) ?? 0) + 1);
  }
  return most([...counts.values()]);
}

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

/** Counts what a running replica holds; undefined before it is ready. */
export function countReplicaHeld(runtime: ReplicaRuntime): ReplicaHeld | undefined {
  const rooms = runtime['rooms'];
  if (rooms === undefined) {
    return undefined;
  }
  const { core, report, loop, ingress, egress, execution, catchUp, gateway } = rooms;
  const { inbox, groupCommit } = loop;
  const { fetcher, fetchServer } = catchUp;
  const peerLanes = [...inbox.queue['peerLanes'].values()];
  const cases = [...ingress.viewChanges['cases'].values()].map(({ length }) => length);
  const clients = [...execution.table['clients'].values()];
  return {
    ...countCoreHeld(core),
    localEvents: inbox.queue.depth('local'),
    peerLaneMessages: most(peerLanes.map(({ length }) => length)),
    peerLaneBytes: most(peerLanes.map(({ sizeBytes }) => sizeBytes)),
    clientLaneRequests: inbox.queue.depth('client'),
    recordsWaiting: groupCommit['records'].length,
    waitingForDisk: groupCommit['waiting'].length + (groupCommit['underWay']?.length ?? 0),
    signaturesWaiting: egress.signing['waiting'].length,
    questions: fetcher['asker']['pending'].size,
    batchesFetched: fetcher['batches'].size,
    viewChangesFetched: fetcher['viewChanges'].size,
    headersFetched: fetcher['ledger']['headers'].length,
    peersServed: fetchServer['asking'].size,
    viewChangesJudged: cases.reduce((sum, length) => sum + length, 0),
    viewChangesJudgedOfSender: most(cases),
    statementsRemembered: ingress.viewChanges['known']['names'].size,
    lateVotes: lateVotesOf(ingress.messages),
    requestsRemembered: ingress.verifiedRequests['known']['names'].size,
    bodyBytes: heldBytesOf(execution.bodies),
    bodiesPending: [...execution.bodies['pending'].values()].reduce((sum, { size }) => sum + size, 0),
    batchesOrdered: execution.executor.waitingBatches,
    clients: clients.length,
    rowsOfClient: most(clients.map(({ entries }) => entries.size)),
    callsWaiting: gateway.calls.waitingOperations,
    ownRequestsInFlight: gateway.calls.requestsInFlight,
    sequencesTimed: report['times'].size,
    linesLimited: report['lineLimit']['lines'].size,
  };
}

/** How many late votes are kept unread. */
export function lateVotesOf(ingress: Ingress): number {
  return ingress['evidence'].late.size;
}

/** What the bodies of batches take that are kept in memory. */
export function heldBytesOf(bodies: BatchBodies): number {
  return bodies['heldBytes'];
}

/** T, the delay of the request and new-view timers; undefined before the replica is ready. */
export function timeoutMsOf(runtime: ReplicaRuntime): number | undefined {
  return runtime['rooms']?.core['state'].timeout.ms;
}
