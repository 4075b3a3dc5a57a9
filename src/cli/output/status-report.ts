/** The states of replicas side by side, and what they mean together. */
import { digestOf } from '../../util/digest.js';
import { shortDigest } from './answers.js';
import { type Colours, harmless } from './colours.js';
import {
  disagreementNotes,
  engineNotes,
  evidenceCell,
  evidenceNotes,
  findDisagreements,
  type Status,
  waitingNotes,
} from './status-notes.js';
import { formatTable } from './table.js';

export type { Status };

/** A replica's answer, or why there is none. */
export interface Answer {
  readonly label: string;
  readonly address: string;
  readonly status?: Status;
  readonly error?: string;
}

/** What the answers mean together. */
export interface Summary {
  readonly asked: number;
  readonly answering: number;
  /** How many make a quorum; 0 where nobody answered. */
  readonly quorum: number;
  /** As many answered as are needed. */
  readonly isEnough: boolean;
  /** Sequences for which replicas show different headers: some of them lie or have diverged. */
  readonly disagreements: readonly number[];
}

/** ceil((n + f + 1) / 2). */
function quorumOf({ replicaCount, faultsMax }: Status): number {
  return Math.ceil((replicaCount + faultsMax + 1) / 2);
}

function statusesOf(answers: readonly Answer[]): readonly Status[] {
  return answers.flatMap(({ status }) => (status === undefined ? [] : [status]));
}

/** Judges the answers. Where fewer were asked than make a quorum, all of them have to answer. */
export function summarize(answers: readonly Answer[]): Summary {
  const statuses = statusesOf(answers);
  const [first] = statuses;
  const quorum = first === undefined ? 0 : quorumOf(first);
  return {
    asked: answers.length,
    answering: statuses.length,
    quorum,
    isEnough: first !== undefined && statuses.length >= Math.min(quorum, answers.length),
    disagreements: findDisagreements(statuses),
  };
}

function roleOf({ replica, primary, active }: Status): string {
  return active ? (replica === primary ? 'primary' : 'backup') : 'changing view';
}

function connectedOf({ peers }: Status): number {
  return peers.filter(({ connected }) => connected).length;
}

function requestJson(request: Status['oldestRequest']) {
  return request === undefined ? null : { ...request, clientId: request.clientId.toString('hex') };
}

/** The answers as one document. */
export function statusJson(answers: readonly Answer[], summary: Summary) {
  const { asked, answering, quorum, disagreements } = summary;
  const replicas = answers.map(({ label, address, status, error }) =>
    status === undefined
      ? { name: label, address, reachable: false, error: error ?? '' }
      : {
          replica: status.replica,
          name: status.name,
          address,
          reachable: true,
          clusterId: digestOf(status.clusterId) ?? null,
          view: status.view,
          primary: status.primary,
          role: roleOf(status),
          active: status.active,
          viewOfOthers: status.viewOfOthers ?? null,
          ready: status.ready,
          notReadyReasons: status.notReadyReasons,
          lastExecutedSequence: status.lastExecutedSequence,
          headerDigest: digestOf(status.headerDigest) ?? null,
          stableCheckpoint: status.stableCheckpoint,
          peersConnected: connectedOf(status),
          peers: status.peers,
          waitingRequests: status.waitingRequests,
          waitingFor: status.waitingFor,
          timeoutMs: status.timeoutMs,
          timer: status.timer ?? null,
          oldestRequest: requestJson(status.oldestRequest),
          leftView: status.leftView ?? null,
          viewChanges: status.viewChanges,
          missing: status.missing,
          agreedTimeMs: status.agreedTimeMs,
          evidence: status.evidence,
          storageEngine: status.storageEngine,
          version: status.version,
        },
  );
  return { asked, answering, quorum, disagreements, replicas };
}

const HEADER = ['replica', 'name', 'view', 'role', 'executed', 'header', 'stable', 'peers', 'evidence', 'state'];

/** Why a replica is apart stands below the table, as what it waits for. */
function stateOf({ ready, notReadyReasons, viewOfOthers }: Status, colours: Colours): string {
  if (!ready) {
    return colours.yellow(harmless(notReadyReasons.join('; ')));
  }
  return viewOfOthers === undefined ? colours.green('ready') : colours.yellow('apart');
}

function rowOf({ label, status, error }: Answer, colours: Colours): readonly string[] {
  if (status === undefined) {
    const row = ['–', label, '–', '–', '–', '–', '–', '–', '–'];
    return [...row, colours.red(`unreachable: ${harmless(error ?? '')}`)];
  }
  const { evidence } = status;
  return [
    String(status.replica),
    colours.ofReplica(status.replica, harmless(status.name)),
    String(status.view),
    roleOf(status),
    String(status.lastExecutedSequence),
    shortDigest(digestOf(status.headerDigest)),
    String(status.stableCheckpoint),
    `${connectedOf(status)}/${status.replicaCount - 1}`,
    evidence.length === 0 ? '0' : colours.red(evidenceCell(evidence)),
    stateOf(status, colours),
  ];
}

function notesOf(answers: readonly Answer[], summary: Summary, colours: Colours): readonly string[] {
  const { asked, answering, quorum } = summary;
  const statuses = statusesOf(answers);
  const count = quorum === 0 ? 'none answers' : `${answering} of ${asked} asked answer; a quorum is ${quorum}`;
  const notes = [waitingNotes, disagreementNotes, evidenceNotes, engineNotes].flatMap((notesOfKind) =>
    notesOfKind(statuses, colours),
  );
  return [count, ...notes];
}

/** The answers as a table with notes below. */
export function statusText(answers: readonly Answer[], summary: Summary, colours: Colours): string {
  const table = formatTable(
    HEADER,
    answers.map((answer) => rowOf(answer, colours)),
    colours,
  );
  return `${table}\n${notesOf(answers, summary, colours)
    .map((line) => `${line}\n`)
    .join('')}`;
}
