/**
 * What replicas send each other, PeerMessage of peer.proto, declared. Coming in, signed parts are envelopes to be judged;
 * going out, they are signed messages. Everything else is the same both ways.
 *
 * Votes are detached from the batch that they came with: they are kept for long.
 */
import type { Checkpoint, Commit, PrePrepare, ProtocolMessage, ViewChange } from '../protocol/messages.js';
import { bytesFieldSizeBytes } from './canonical-writer.js';
import { envelopesOf, type Payloads, signedOf } from './envelope.js';
import { bytes, bytesOrEmpty, digest, type Field, flag, integer, type SizeLimits, sequence } from './field.js';
import { GREETING, HELLO } from './hello-codec.js';
import { HEADER_BYTES_MAX, INTEGER_MAX, type WireLimits } from './limits.js';
import { type Decoded, type Encoded, list, message, nested, only } from './message.js';
import { as, oneof } from './oneof.js';
import { NAMED_VIEW_CHANGE, PAYLOADS } from './payloads.js';

const batch = (number: number) => bytes(number, { min: 1, max: ({ batchBytesMax }) => batchBytesMax, name: 'batch' });

const PRE_PREPARES = signedOf<PrePrepare>({ prePrepare: PAYLOADS.prePrepare });
const VIEW_CHANGES = signedOf<ViewChange>({ viewChange: PAYLOADS.viewChange });
/** Only what a primary contradicts itself in concerns all. */
const CONTRADICTIONS = signedOf<ProtocolMessage>({ prePrepare: PAYLOADS.prePrepare, newView: PAYLOADS.newView });

/** A pre-prepare with the batch that it names. */
const PROPOSAL = message({ prePrepare: nested(1, PRE_PREPARES, { detached: true }), batchBytes: batch(2) });

const perReplica = ({ replicaCount }: WireLimits): number => replicaCount;

/** A batch with the commits that decide it. */
const COMMITTED_BATCH = message({
  batchBytes: batch(1),
  commits: list(2, signedOf<Commit>({ commit: PAYLOADS.commit }), {
    countMin: 1,
    countMax: perReplica,
    detached: true,
  }),
});

const CHECKPOINT_CERTIFICATE = message({
  checkpoints: list(1, signedOf<Checkpoint>({ checkpoint: PAYLOADS.checkpoint }), {
    countMin: 1,
    countMax: perReplica,
    detached: true,
  }),
});

/** Both pre-prepares or both new views; not compared yet. */
const EVIDENCE = message(
  { first: nested(1, CONTRADICTIONS, { detached: true }), second: nested(2, CONTRADICTIONS, { detached: true }) },
  ({ first, second }) =>
    first.type === second.type
      ? undefined
      : { field: 'second.type', description: `is ${second.type}, but that of the first is ${first.type}` },
);

/** The most entries of the ledger that are asked for and given at once: two checkpoint intervals. */
const computeRangeMax = ({ checkpointInterval }: WireLimits): number => 2 * checkpointInterval;

const FETCH_BATCH = message({ sequence: sequence(1), batchDigest: digest(2) });
/** With headers only all of the range, else as many entries as fit. */
const FETCH_LEDGER = message(
  { first: sequence(1), last: sequence(2), headersOnly: flag(3) },
  ({ first, last }, limits) => {
    const lastMax = Math.min(INTEGER_MAX, first + computeRangeMax(limits) - 1);
    return first <= last && last <= lastMax
      ? undefined
      : { field: 'last', description: `is ${last}, allowed are ${first} to ${lastMax}` };
  },
);
/** The certificate's sequence is this or a higher one. */
const FETCH_CHECKPOINT_CERTIFICATE = message({ sequence: sequence(1, 0) });

const FETCH = message({
  /** The asker's, given back in the answer. */
  id: integer(1),
  what: oneof({
    batch: nested(2, FETCH_BATCH),
    ledger: nested(3, FETCH_LEDGER),
    checkpointCertificate: nested(4, FETCH_CHECKPOINT_CERTIFICATE),
    viewChange: nested(5, NAMED_VIEW_CHANGE),
  }),
});

/** In its fixed-width encoding, not looked into: its decoder wants its exact length. */
const header = bytes(1, { min: 1, max: HEADER_BYTES_MAX, name: 'header' });
/** One executed batch; without the batch where only headers were asked for. */
const LEDGER_ENTRY = message({
  headerBytes: header,
  batchBytes: bytesOrEmpty(2, { max: ({ batchBytesMax }) => batchBytesMax, name: 'batch' }),
});

const entries = list(1, LEDGER_ENTRY, { countMin: 1, countMax: computeRangeMax });
const LEDGER_RANGE = message({
  entries: {
    ...entries,
    /** Of the longest that must be: one entry, since more are cut to fit, or all headers. */
    sizeBytesMax: (limits: SizeLimits) =>
      Math.max(
        nested(1, LEDGER_ENTRY).sizeBytesMax(limits),
        computeRangeMax(limits) * nested(1, message({ header })).sizeBytesMax(limits),
      ),
  },
});

const ID = integer(1);
const CHECKPOINT_CERTIFICATE_ANSWER = nested(5, CHECKPOINT_CERTIFICATE);
const VIEW_CHANGE_ANSWER = as('viewChange', nested(6, VIEW_CHANGES));
const LEDGER_ANSWER = nested(4, LEDGER_RANGE, { anyLength: true });
const FETCH_ANSWER = message({
  id: ID,
  answer: oneof({
    notFound: nested(2, message({})),
    batch: as('batchBytes', batch(3)),
    ledger: LEDGER_ANSWER,
    checkpointCertificate: CHECKPOINT_CERTIFICATE_ANSWER,
    viewChange: VIEW_CHANGE_ANSWER,
  }),
});

const ARMS = {
  greeting: as('greeting', nested(1, GREETING)),
  hello: as('envelope', nested(2, envelopesOf({ hello: HELLO }))),
  /**
   * A prepare, commit, checkpoint, status, view change or new view; or a pre-prepare without its batch, which says
   * nothing but that.
   */
  signed: as('envelope', nested(3, signedOf<ProtocolMessage>(PAYLOADS)), 'signed'),
  proposal: nested(4, PROPOSAL),
  /** An encoded SignedMessage with a request, not looked into. */
  request: as('bytes', bytes(5, { max: ({ requestBytesMax }) => requestBytesMax })),
  committedBatch: nested(6, COMMITTED_BATCH),
  checkpointCertificate: nested(7, CHECKPOINT_CERTIFICATE),
  fetch: nested(8, FETCH),
  /** As long as the link lets through: a range of the ledger is limited entry by entry. */
  fetchAnswer: nested(9, FETCH_ANSWER, { anyLength: true }),
  evidence: nested(10, EVIDENCE),
};

/** The message between two replicas. */
export const PEER_MESSAGE = only(oneof(ARMS));

/** What came: well-formed, of types that belong there, signed by someone or not. */
export type PeerInput = Decoded<typeof PEER_MESSAGE>;
/** What to send. */
export type PeerOutput = Encoded<typeof PEER_MESSAGE>;

/** What a fetch asks for. */
export type FetchWhat = Decoded<typeof FETCH>['what'];
/** What answers a fetch, as it comes in. */
export type FetchAnswer = Decoded<typeof FETCH_ANSWER>['answer'];
/** An answer going out. */
export type OwnFetchAnswer = Encoded<typeof FETCH_ANSWER>['answer'];
/** One executed batch. */
export type EncodedLedgerEntry = Decoded<typeof LEDGER_ENTRY>;

/** A kind of message with the length of the longest, in bytes. */
export interface MessageSize {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * The longest PeerMessage of each kind that can be long, in these limits: a link must carry them. Of ranges of the ledger
 * that is one entry with its batch (more are cut to fit), or two checkpoint intervals of headers.
 */
export function computePeerMessageSizes(limits: SizeLimits): readonly MessageSize[] {
  const signed = (payloads: Payloads): number => nested(3, envelopesOf(payloads)).sizeBytesMax(limits);
  const answer = (arm: Field<unknown, never>): number =>
    bytesFieldSizeBytes(ID.sizeBytesMax(limits) + arm.sizeBytesMax(limits));
  return [
    { name: 'Proposal', sizeBytes: ARMS.proposal.sizeBytesMax(limits) },
    { name: 'CommittedBatch', sizeBytes: ARMS.committedBatch.sizeBytesMax(limits) },
    { name: 'LedgerRange', sizeBytes: answer(LEDGER_ANSWER) },
    { name: 'Request', sizeBytes: ARMS.request.sizeBytesMax(limits) },
    { name: 'CheckpointCertificate', sizeBytes: answer(CHECKPOINT_CERTIFICATE_ANSWER) },
    { name: 'ViewChange', sizeBytes: answer(VIEW_CHANGE_ANSWER) },
    { name: 'NewView', sizeBytes: signed({ newView: PAYLOADS.newView }) },
    { name: 'Evidence', sizeBytes: ARMS.evidence.sizeBytesMax(limits) },
    { name: 'Status', sizeBytes: signed({ status: PAYLOADS.status }) },
  ];
}
