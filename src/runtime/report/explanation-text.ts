/** What a replica waits for, in words: for the log, which knows replicas by their ids, and the status, which has names. */

import type { Explanation, HeldBy, LeavingTimer, Missing, OldestRequest } from '../../protocol/explanation.js';
import type { ReplicaId } from '../../protocol/identifiers.js';

/** What a replica is called. */
export type NameOf = (replica: ReplicaId) => string;

/** In the log. */
export const nameById: NameOf = (replica) => `replica ${replica}`;

/** As many digits of a client's id as tell clients apart. */
const CLIENT_DIGITS = 12;

const LEFT_FOR: Readonly<Record<NonNullable<NonNullable<Explanation['left']>['cause']>, string>> = {
  requestTimeout: 'a request was not executed in time',
  newViewTimeout: 'the NewView did not come in time',
  joined: 'a weak quorum had left',
  primaryLeft: 'the primary itself had left',
  evidence: 'the primary contradicted itself',
  badNewView: 'the NewView was wrong',
};

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Which request waits longest, and since when. */
export function requestText({ clientId, number, waitedMs }: OldestRequest): string {
  return `request ${number} of client ${clientId.slice(0, CLIENT_DIGITS)} for ${seconds(waitedMs)}`;
}

/** Which timer runs, and for how long. */
export function timerText({ name, remainingMs }: LeavingTimer, timeoutMs: number): string {
  const timer = name === 'request' ? 'request timer' : 'new-view timer';
  const left = remainingMs > 0 ? `${seconds(remainingMs)} of ${seconds(timeoutMs)} left` : 'overdue';
  return `${timer}: ${left}`;
}

/** Whose ViewChanges are held, for which views: those that count, then those that are not checked yet. */
export function viewChangesText(held: readonly HeldBy[], nameOf: NameOf): string {
  return held
    .map(({ replica, view, isValid }) => `${nameOf(replica)} for ${view}${isValid ? '' : ' (not checked)'}`)
    .join(', ');
}

/** What is missing, things of one kind together. */
export function missingText(missing: readonly Missing[], nameOf: NameOf): string {
  const texts = new Map<string, string[]>();
  for (const thing of missing) {
    const what = missingThing(thing);
    const of = texts.get(what) ?? [];
    texts.set(what, 'replica' in thing ? [...of, nameOf(thing.replica)] : of);
  }
  return [...texts].map(([what, of]) => (of.length === 0 ? what : `${what} of ${of.join(', ')}`)).join('; ');
}

function missingThing(thing: Missing): string {
  switch (thing.kind) {
    case 'status':
      return 'an answer to its Status';
    case 'viewChange':
      return `ViewChange for ${thing.view}`;
    case 'judgement':
      return `a check of the ViewChange for ${thing.view}`;
    case 'newView':
      return `NewView for ${thing.view}`;
    case 'prePrepare':
      return `PrePrepare at ${thing.sequence}`;
    case 'prepare':
      return `Prepare at ${thing.sequence}`;
    case 'commit':
      return `Commit at ${thing.sequence}`;
    case 'batch':
      return `the batch at ${thing.sequence}`;
    case 'ledger':
      return `the ledger up to ${thing.sequence}`;
    case 'execution':
      return `the own execution of ${thing.sequence}`;
  }
}

/** How long it is between two views, and why. */
function leftText({ cause, sinceMs }: NonNullable<Explanation['left']>, view: number): string {
  const why = cause === undefined ? 'since it started' : LEFT_FOR[cause];
  return `view ${view} to begin, for ${seconds(sinceMs)} (${why})`;
}

/** All of it in one line, for the operator. */
export function explanationText(explanation: Explanation, view: number, nameOf: NameOf): string {
  const { left, oldestRequest, timer, timeoutMs, viewChanges, missing } = explanation;
  const parts = [
    left === undefined ? '' : leftText(left, view),
    oldestRequest === undefined ? '' : requestText(oldestRequest),
    timer === undefined ? '' : timerText(timer, timeoutMs),
    viewChanges.length === 0 ? '' : `holds ViewChanges of ${viewChangesText(viewChanges, nameOf)}`,
    missing.length === 0 ? '' : `lacks ${missingText(missing, nameOf)}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}
