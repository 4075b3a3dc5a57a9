/**
 * Votes for a view that this replica isn't active in yet: kept until it enters the view, so that the first round of a
 * new view isn't lost (protocol.md 6 and 9).
 *
 * Of each sender one view is kept, the lowest that it sent: at most 2 × window votes and, from its primary, `pipeline`
 * pre-prepares. A flooding sender crowds out only its own.
 */

import { type Owned, owned } from '../util/owned.js';
import type { Event } from './events.js';
import type { ReplicaId, Sequence } from './identifiers.js';
import type { Commit, PrePrepare, Prepare, RequestKey } from './messages.js';
import type { CoreState, DelayedProposal, FutureMessages } from './state.js';
import { isActive } from './view-state.js';

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'future' | 'delayed'>> {
  return owned(state);
}

/** Whether a vote of this view by this sender would be kept. */
export function isKeptForLater(state: CoreState, vote: PrePrepare | Prepare | Commit, sender: ReplicaId): boolean {
  const isAhead = vote.view > state.view.number || (vote.view === state.view.number && !isActive(state));
  const kept = state.future.get(sender);
  if (!isAhead || (kept !== undefined && kept.view < vote.view)) {
    return false;
  }
  const list = kept === undefined || kept.view > vote.view ? [] : listOf(kept, vote);
  return list.length < limitOf(state, vote);
}

/** Whether this very vote is kept already. */
export function isKeptAlready(state: CoreState, vote: PrePrepare | Prepare | Commit, sender: ReplicaId): boolean {
  const kept = state.future.get(sender);
  return (
    kept?.view === vote.view &&
    listOf(kept, vote).some((event) => {
      const held = event.kind === 'prePrepareReceived' ? event.prePrepare.message : messageOf(event);
      return held?.type === vote.type && held.sequence === vote.sequence && held.batchDigest === vote.batchDigest;
    })
  );
}

function messageOf(event: Event): Prepare | Commit | undefined {
  const message = event.kind === 'messageReceived' ? event.message.message : undefined;
  return message?.type === 'prepare' || message?.type === 'commit' ? message : undefined;
}

/** Keeps an event with a vote for later; returns whether it did. */
export function keepForLater(
  state: CoreState,
  event: Event,
  vote: PrePrepare | Prepare | Commit,
  sender: ReplicaId,
): boolean {
  if (!isKeptForLater(state, vote, sender)) {
    return false;
  }
  let kept = state.future.get(sender);
  if (kept === undefined || kept.view > vote.view) {
    kept = { view: vote.view, votes: [], proposals: [] };
    own(state).future.set(sender, kept);
  }
  // When its time comes, that its sender is heard of is long past.
  listOf(kept, vote).push('over' in event ? { ...event, over: undefined } : event);
  return true;
}

/** Keeps a pre-prepare whose time has not come, where it isn't kept and there is room. */
export function keepDelayed(state: CoreState, event: DelayedProposal): void {
  const { sequence } = event.prePrepare.message;
  if (!state.delayed.has(sequence) && state.delayed.size < state.configuration.local.pipeline) {
    own(state).delayed.set(sequence, event);
  }
}

/** Its time has come. */
export function forgetDelayed(state: CoreState, sequence: Sequence): void {
  own(state).delayed.delete(sequence);
}

/** Forgets the pre-prepares whose time has not come: all, or those up to a sequence. */
export function dropDelayed(state: CoreState, upTo: number = Infinity): void {
  for (const sequence of [...state.delayed.keys()]) {
    if (sequence <= upTo) {
      own(state).delayed.delete(sequence);
    }
  }
}

/** Takes what was kept for the view that was just entered, and forgets what is older. */
export function takeFutureMessages(state: CoreState): readonly Event[] {
  const events: Event[] = [];
  for (const [sender, kept] of [...state.future].sort(([left], [right]) => left - right)) {
    if (kept.view <= state.view.number) {
      own(state).future.delete(sender);
    }
    if (kept.view === state.view.number) {
      events.push(...kept.proposals, ...kept.votes);
    }
  }
  return events;
}

/**
 * Moving to a later view without having entered one: what was kept for views below it would keep their senders' place
 * from the votes of this one.
 */
export function dropOlderMessages(state: CoreState): void {
  // order: none, each sender by itself.
  for (const [sender, kept] of state.future) {
    if (kept.view < state.view.number) {
      own(state).future.delete(sender);
    }
  }
}

/**
 * These requests are done: a proposal that is kept brings them no more. Else they would begin to wait when it is
 * accepted, and what is executed already is never executed again.
 */
export function dropSettledRequests(state: CoreState, isSettled: (request: RequestKey) => boolean): void {
  // order: each proposal by itself.
  for (const [sequence, event] of state.delayed) {
    own(state).delayed.set(sequence, withoutSettled(event, isSettled));
  }
  // order: each list by itself.
  for (const kept of state.future.values()) {
    for (const [index, event] of kept.proposals.entries()) {
      if (event.kind === 'prePrepareReceived') {
        kept.proposals[index] = withoutSettled(event, isSettled);
      }
    }
  }
}

function withoutSettled(event: ProposalEvent, isSettled: (request: RequestKey) => boolean): ProposalEvent {
  return event.requests.some(isSettled)
    ? { ...event, requests: event.requests.filter((request) => !isSettled(request)) }
    : event;
}

type ProposalEvent = Extract<Event, { kind: 'prePrepareReceived' }>;

function listOf(kept: FutureMessages, vote: PrePrepare | Prepare | Commit): Event[] {
  return vote.type === 'prePrepare' ? kept.proposals : kept.votes;
}

function limitOf({ configuration }: CoreState, vote: PrePrepare | Prepare | Commit): number {
  return vote.type === 'prePrepare' ? configuration.local.pipeline : 2 * configuration.consensus.windowSize;
}
