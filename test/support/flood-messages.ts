/**
 * The messages that a replica can send again and again at no cost of its own: one of each kind, really signed by the
 * replica whose keys the intruder has unless said, so that only what it says tells that it isn't worth its check.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from '../../src/crypto/hash.js';
import { replicaId, sequence, type View } from '../../src/protocol/identifiers.js';
import type { ProtocolMessage, Signed, Status } from '../../src/protocol/messages.js';
import { isOf } from '../../src/protocol/verified.js';
import { openStatement } from '../../src/runtime/ingress/unverified.js';
import { encodeBatch } from '../../src/wire/batch-codec.js';
import { frameOf, messagesOf } from '../../src/wire/frame.js';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peer-codec.js';
import type { FetchWhat } from '../../src/wire/peer-message.js';
import type { Intruder } from './cluster-intruder.js';
import type { HostileStream } from './network-hostile-peer.js';

/** Of the default genesis of four. */
const LIMITS = {
  replicaCount: 4,
  windowSize: 256,
  checkpointInterval: 128,
  batchOperationsMax: 1_000,
  batchBytesMax: 2 ** 21,
  requestBytesMax: 2 ** 20,
};
const WITHIN_MS = 10_000;
const FAR = 2 ** 40;

/** Where the cluster is, and who gets the messages. */
export interface FloodContext {
  readonly intruder: Intruder;
  /** The link to the replica that gets them. */
  readonly stream: HostileStream;
  readonly to: number;
  readonly lastExecuted: number;
  readonly view: View;
  /** A view above that, in which the intruder is primary. */
  readonly ownView: View;
}

type Make = (context: FloodContext) => Promise<Uint8Array>;

const randomDigest = () => sha256(randomBytes(32));

function statement(make: (context: FloodContext) => ProtocolMessage): Make {
  return async (context) => encodePeerMessage({ kind: 'signed', signed: await context.intruder.signed(make(context)) });
}

/** A vote for a batch that nobody proposed, so many sequences above the executed. */
function vote(type: 'prepare' | 'commit', above: number, isForged = false): Make {
  return async ({ intruder, view, lastExecuted }) => {
    const at = sequence(Math.max(1, lastExecuted + above));
    const signed = await intruder.signed({ type, view, sequence: at, batchDigest: randomDigest() });
    const signature = isForged ? randomBytes(signed.signature.length) : signed.signature;
    return encodePeerMessage({ kind: 'signed', signed: { ...signed, signature } });
  };
}

function fetchOf(make: (lastExecuted: number) => FetchWhat): Make {
  return ({ lastExecuted }) => Promise.resolve(encodePeerMessage({ kind: 'fetch', id: 1, what: make(lastExecuted) }));
}

function ledger(count: number, headersOnly: boolean): Make {
  return fetchOf((last) => {
    const to = Math.max(1, last - 1);
    return { kind: 'ledger', first: sequence(Math.max(1, to - count + 1)), last: sequence(to), headersOnly };
  });
}

/** The Status of one who lacks everything. */
function statusOf({ to, view, lastExecuted }: FloodContext): Status {
  const everything = new Uint8Array(LIMITS.windowSize / 8).fill(0xff);
  return {
    type: 'status',
    to: replicaId(to),
    view,
    active: true,
    lowWatermark: sequence(0),
    lastExecuted: sequence(Math.max(0, lastExecuted - 100)),
    clockMs: Date.now(),
    missingPrePrepares: everything,
    missingPrepares: everything,
    missingCommits: everything,
    checkpoints: [],
    number: FAR,
    recovering: false,
    viewChanges: [],
    newViewDigest: undefined,
    heard: 0,
  };
}

function ownProposal({ intruder, ownView, lastExecuted }: FloodContext, batchBytes: Uint8Array) {
  const batchDigest = sha256(batchBytes);
  return intruder.signed({ type: 'prePrepare', view: ownView, sequence: sequence(lastExecuted + 1), batchDigest });
}

/** Two proposals of the intruder's own view, one of them badly signed where they are forged. */
function evidence(isForged: boolean): Make {
  return async (context) => {
    const first = await ownProposal(context, encodeBatch(1, []));
    const second = await ownProposal(context, encodeBatch(2, []));
    const signature = isForged ? randomBytes(second.signature.length) : second.signature;
    return encodePeerMessage({ kind: 'evidence', first, second: { ...second, signature } });
  };
}

const proposal: Make = async (context) => {
  const batchBytes = encodeBatch(1, []);
  return encodePeerMessage({ kind: 'proposal', prePrepare: await ownProposal(context, batchBytes), batchBytes });
};

/** Commits of one replica alone around a batch. */
const unaskedBatch: Make = async ({ intruder, view, lastExecuted }) => {
  const batchBytes = encodeBatch(1, []);
  const at = sequence(lastExecuted + 1);
  const commit = await intruder.signed({ type: 'commit', view, sequence: at, batchDigest: sha256(batchBytes) });
  return encodePeerMessage({ kind: 'committedBatch', batchBytes, commits: [commit] });
};

/** The certificate of the first stable checkpoint, fetched from the one who is to get it back. */
const staleCertificate: Make = async ({ stream }) => {
  const what = { kind: 'checkpointCertificate', sequence: sequence(1) } as const;
  stream.write(frameOf([encodePeerMessage({ kind: 'fetch', id: 77, what })]));
  const untilMs = performance.now() + WITHIN_MS;
  while (performance.now() < untilMs) {
    for (const frame of stream.frames.splice(0)) {
      const messages = messagesOf(frame);
      const [found] = messages.ok ? messages.value.flatMap((message) => certificateIn(message) ?? []) : [];
      if (found !== undefined) {
        return found;
      }
    }
    await delay(20);
  }
  throw new Error('no certificate came: there is no stable checkpoint yet');
};

function certificateIn(message: Uint8Array): Uint8Array | undefined {
  const decoded = decodePeerMessage(message, LIMITS);
  const answer = decoded.ok && decoded.value.kind === 'fetchAnswer' ? decoded.value.answer : undefined;
  if (answer?.kind !== 'checkpointCertificate') {
    return undefined;
  }
  const checkpoints = answer.checkpoints.flatMap((envelope) => {
    const opened: Signed | undefined = openStatement(envelope, LIMITS);
    return opened !== undefined && isOf(opened, 'checkpoint') ? [opened] : [];
  });
  return encodePeerMessage({ kind: 'checkpointCertificate', checkpoints });
}

/** One message of each kind, by name. Those that follow the cluster have to be made anew as it goes on. */
export const FLOOD_MESSAGES: Readonly<Record<string, Make>> = {
  'vote-known': vote('commit', 20),
  'vote-stale': vote('commit', -2 * LIMITS.windowSize),
  'vote-forged': vote('prepare', 20, true),
  // Of what the others have certified, and for another batch.
  'vote-against': vote('commit', -1),
  'status-old': statement(statusOf),
  'evidence-held': evidence(false),
  'evidence-forged': evidence(true),
  'checkpoint-held': statement(() => ({
    type: 'checkpoint',
    sequence: sequence(FAR * LIMITS.checkpointInterval),
    headerDigest: sha256(new Uint8Array(1)),
  })),
  'checkpoint-stale': statement(() => ({
    type: 'checkpoint',
    sequence: sequence(LIMITS.checkpointInterval),
    headerDigest: sha256(new Uint8Array(1)),
  })),
  'certificate-stale': staleCertificate,
  'view-change-held': statement(({ ownView }) => ({
    type: 'viewChange',
    newView: ownView,
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [],
  })),
  'new-view-held': statement(({ ownView }) => ({
    type: 'newView',
    newView: ownView,
    viewChanges: [0, 1, 3].map((replica) => ({ replica: replicaId(replica), digest: sha256(new Uint8Array(1)) })),
    prePrepares: [],
  })),
  'proposal-held': proposal,
  // The first is executed.
  'request-settled': ({ intruder }) => intruder.request(1),
  'request-forged': ({ intruder }) => intruder.request(2, false),
  // As many operations as a request may have, each of which is looked at before the signature.
  'request-of-many': ({ intruder }) =>
    intruder.request(3, false, new Array<Uint8Array>(LIMITS.batchOperationsMax).fill(new Uint8Array())),
  'request-beyond': ({ intruder }) => intruder.request(FAR),
  'fetch-header': ledger(1, true),
  'fetch-headers': ledger(2 * LIMITS.checkpointInterval, true),
  'fetch-ledger': ledger(2 * LIMITS.checkpointInterval, false),
  'fetch-missing': fetchOf((last) => ({ kind: 'batch', sequence: sequence(last), batchDigest: randomDigest() })),
  'fetch-certificate': fetchOf(() => ({ kind: 'checkpointCertificate', sequence: sequence(1) })),
  'fetch-view-change': fetchOf(() => ({ kind: 'viewChange', replica: replicaId(0), digest: randomDigest() })),
  'answer-unasked': () =>
    Promise.resolve(encodePeerMessage({ kind: 'fetchAnswer', id: FAR, answer: { kind: 'notFound' } })),
  'batch-unasked': unaskedBatch,
  malformed: () => Promise.resolve(randomBytes(300)),
};
