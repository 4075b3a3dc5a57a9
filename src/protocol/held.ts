/**
 * Counts what the core holds of what others sent: what protocol.md 9 says is bounded, and by what. The bounds themselves
 * follow from the parameters; who checks them computes them apart.
 *
 * It reads and changes nothing. It looks at everything that is held, so it is for tests and for a look now and then.
 */
import type { ReplicaId } from './identifiers.js';
import { type CoreState, isInWindow } from './state.js';

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

/** Counts it. */
export function countHeld(state: CoreState): CoreHeld {
  // order: none, they are counted.
  const slots = [...state.slots.values()];
  const viewChanges = state.viewChanges.all();
  // order: none, they are counted.
  const future = [...state.future.values()];
  // order: none, they are counted.
  const checkpointSenders = [...state.checkpoints.values()].flatMap((bySender) => [...bySender.keys()]);
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
    badViewChanges: state.badNamed.size,
    futureVotesOfSender: most(future.map(({ votes }) => votes.length)),
    futureProposalsOfSender: most(future.map(({ proposals }) => proposals.length)),
    delayedProposals: state.delayed.size,
    evidence: state.evidence.length,
    waitingRequests: state.pool.size,
    waitingRequestsOfClient: state.pool.mostOfOneClient,
    waitingBytes: state.pool.waitingBytes,
    waitingCostOfClient: state.pool.highestCostOfOneClient,
    // order: none, they are summed.
    costInFlight: [...state.proposedCosts].reduce((sum, [at, cost]) => sum + (at > state.lastExecuted ? cost : 0), 0),
    // order: none, the largest is taken.
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
  // order: none, the largest is taken.
  return most([...counts.values()]);
}
