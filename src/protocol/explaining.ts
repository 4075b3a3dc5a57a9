/**
 * What a replica waits for, so that view changes explain themselves (protocol.md 6): which timer runs and for how long,
 * which request is the oldest, whose ViewChanges are held, what is missing.
 *
 * It reads the state and changes nothing. What is missing is what would make the replica go on now: in a view, what its
 * next sequence lacks; between two views, what the next one lacks to begin. A healthy replica under load lacks something
 * at every moment, for a moment; who reads this judges by how long.
 */

import type { BufferClass, Explanation, LeavingTimer, Missing } from './explanation.js';
import { type ReplicaId, replicaId, sequenceAfter, type View } from './identifiers.js';
import { computeRemainingMs } from './request-timer.js';
import { isPrepared, type Slot } from './slot.js';
import { type CoreState, currentPrimary, isPrimary, lowWatermark, mayVote } from './state.js';
import { answeredBy, highestExecutedElsewhere } from './status.js';
import { isActive } from './view-state.js';

/** What the replica waits for at this moment of its monotonic clock. */
export function computeExplanation(state: CoreState, nowMs: number): Explanation {
  const { view } = state;
  const oldest = state.pool.oldest();
  return {
    timeoutMs: state.timeout.ms,
    timer: leavingTimer(state, nowMs),
    oldestRequest: oldest && {
      clientId: oldest.request.clientId,
      number: oldest.request.number,
      waitedMs: nowMs - oldest.knownSinceMs,
    },
    left: view.kind === 'active' ? undefined : { cause: view.cause, sinceMs: nowMs - view.leftAtMs },
    viewChanges: state.viewChanges.all().map(({ signed, judgement }) => ({
      replica: signed.sender,
      view: signed.message.newView,
      isValid: judgement === 'valid',
    })),
    missing: computeMissing(state),
  };
}

/** The request timer of a backup that is active, or the new-view timer; nothing moves the primary but others. */
function leavingTimer(state: CoreState, nowMs: number): LeavingTimer | undefined {
  if (state.diverged) {
    return undefined;
  }
  if (!isActive(state)) {
    const untilMs = state.timers.runningUntilMs('newView');
    return untilMs === undefined ? undefined : { name: 'newView', remainingMs: untilMs - nowMs };
  }
  const remainingMs = isPrimary(state) ? undefined : computeRemainingMs(state, nowMs);
  return remainingMs === undefined ? undefined : { name: 'request', remainingMs };
}

function computeMissing(state: CoreState): readonly Missing[] {
  if (state.diverged) {
    return [];
  }
  if (!mayVote(state)) {
    return others(state, new Set(answeredBy(state)), state.configuration.replica).map(
      (replica) => ({ kind: 'status', replica }) as const,
    );
  }
  return isActive(state) ? missingForSequence(state) : missingForView(state);
}

/** What the view that this replica moved to lacks to begin: ViewChanges of a quorum, then its primary's NewView. */
function missingForView(state: CoreState): readonly Missing[] {
  const primary = currentPrimary(state);
  const pending = state.pendingNewViews.get(primary)?.signed.message;
  if (!isPrimary(state) && pending?.newView === state.view.number) {
    return pending.viewChanges.flatMap(({ replica, digest }) => {
      const held = state.viewChanges.get(digest);
      return held?.judgement === 'valid' ? [] : [missingViewChange(state.view.number, replica, held !== undefined)];
    });
  }
  // A primary begins with ViewChanges for exactly this view; for the others it is enough that the view is over.
  const counts = (view: View): boolean => (isPrimary(state) ? view === state.view.number : view >= state.view.number);
  const { replica: own, sizes } = state.configuration;
  const held = state.viewChanges.all().filter(({ signed }) => counts(signed.message.newView));
  const senders = new Set(held.map(({ signed }) => signed.sender));
  if (senders.size < sizes.quorum) {
    return others(state, senders, own).map((replica) => missingViewChange(state.view.number, replica, false));
  }
  const valid = new Set(held.filter(({ judgement }) => judgement === 'valid').map(({ signed }) => signed.sender));
  if (valid.size < sizes.quorum) {
    return others(state, valid)
      .filter((replica) => senders.has(replica))
      .map((replica) => missingViewChange(state.view.number, replica, true));
  }
  return [{ kind: 'newView', replica: primary, view: state.view.number }];
}

function missingViewChange(view: View, replica: ReplicaId, isHeld: boolean): Missing {
  return { kind: isHeld ? 'judgement' : 'viewChange', replica, view };
}

/** What the next sequence lacks to be executed; nothing where nobody waits and nothing is under way. */
function missingForSequence(state: CoreState): readonly Missing[] {
  if (state.lastExecuted < lowWatermark(state)) {
    return [{ kind: 'ledger', sequence: lowWatermark(state) }];
  }
  const next = sequenceAfter(state.lastExecuted);
  if (state.lastDispatched > state.lastExecuted) {
    return [{ kind: 'execution', sequence: next }];
  }
  const slot = state.slots.get(next);
  if (slot?.committed !== undefined) {
    return slot.committedBatch === undefined ? [{ kind: 'batch', sequence: next }] : [];
  }
  if (slot?.proposal === undefined) {
    const isAwaited =
      state.pool.oldest() !== undefined || slot !== undefined || highestExecutedElsewhere(state) >= next;
    return isAwaited ? [{ kind: 'prePrepare', replica: currentPrimary(state), sequence: next }] : [];
  }
  return missingVotes(state, slot);
}

function missingVotes(state: CoreState, slot: Slot): readonly Missing[] {
  const { sequence } = slot;
  const missing: Missing[] = [];
  if (slot.proposal?.batch === undefined) {
    missing.push({ kind: 'batch', sequence });
  }
  if (isPrepared(slot)) {
    return [
      ...missing,
      ...others(state, slot.commits).map((replica) => ({ kind: 'commit', replica, sequence }) as const),
    ];
  }
  return [
    ...missing,
    ...others(state, slot.prepares, currentPrimary(state)).map(
      (replica) => ({ kind: 'prepare', replica, sequence }) as const,
    ),
  ];
}

/** The replicas that are not among these, in order. */
function others(
  { configuration }: CoreState,
  these: { has(replica: ReplicaId): boolean },
  except?: ReplicaId,
): readonly ReplicaId[] {
  return Array.from({ length: configuration.sizes.replicaCount }, (_, id) => replicaId(id)).filter(
    (id) => id !== except && !these.has(id),
  );
}

/** How many messages of others it keeps until their time comes. */
export function countBuffered(state: CoreState): Readonly<Record<BufferClass, number>> {
  let [futureVote, futureProposal] = [0, 0];
  // order: none, they are added up.
  for (const { votes, proposals } of state.future.values()) {
    futureVote += votes.length;
    futureProposal += proposals.length;
  }
  return {
    viewChange: state.viewChanges.size,
    newView: state.pendingNewViews.size,
    futureVote,
    futureProposal,
    delayedProposal: state.delayed.size,
  };
}
