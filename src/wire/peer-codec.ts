/**
 * PeerMessage of peer.proto: bytes ↔ values. Lengths are limited by what a message is before anything in it is read.
 * A message is detached from the frame it came in, and votes are from the batch they came with; all else are views.
 */
import { unreachable } from '../util/assert.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { detach } from './detach.js';
import { encodeEnvelope, encodeSigned } from './envelope.js';
import { decodeCheckpointList, decodeEnvelopeList, decodeEnvelopeOf, encodeSignedList } from './envelope-list.js';
import { decodeEvidence, decodeLoneEnvelope, encodeEvidence } from './evidence-codec.js';
import { decodeFetch, decodeFetchAnswer, encodeFetch, encodeFetchAnswer } from './fetch-codec.js';
import { decodeGreeting, encodeGreeting } from './hello-codec.js';
import {
  computeSignedBytesMax,
  HEADER_BYTES_MAX,
  LONG_TYPES,
  SIGNATURE_BYTES_MAX,
  VOTE_BYTES_MAX,
  type WireLimits,
} from './limits.js';
import { type Malformed, within } from './malformed.js';
import type { PeerInput, PeerOutput } from './peer-message.js';

/** The fields of the oneof in PeerMessage, in order of their numbers from 1. */
const FIELDS = [
  'greeting',
  'hello',
  'signed',
  'proposal',
  'request',
  'committed_batch',
  'checkpoint_certificate',
  'fetch',
  'fetch_answer',
  'evidence',
] as const;

type Field = (typeof FIELDS)[number];

/** More than tags, lengths and ids of a peer message take beside its parts. */
const OVERHEAD_BYTES = 64;
const FETCH_BYTES_MAX = 128;
const GREETING_BYTES_MAX = 64;

/** The encoded PeerMessage: made once, sent to whom it may concern. */
export function encodePeerMessage(output: PeerOutput): Uint8Array {
  switch (output.kind) {
    case 'greeting':
      return wrap('greeting', encodeGreeting(output.greeting));
    case 'hello':
      return wrap('hello', encodeEnvelope(output.envelope));
    case 'signed':
      return wrap('signed', encodeSigned(output.signed));
    case 'proposal':
      return wrap('proposal', encodeProposal(output));
    case 'request':
      return wrap('request', output.bytes);
    case 'committedBatch':
      return wrap('committed_batch', encodeCommittedBatch(output));
    case 'checkpointCertificate':
      return wrap('checkpoint_certificate', encodeSignedList(1, output.checkpoints));
    case 'fetch':
      return wrap('fetch', encodeFetch(output.id, output.what));
    case 'fetchAnswer':
      return wrap('fetch_answer', encodeFetchAnswer(output.id, output.answer));
    case 'evidence':
      return wrap('evidence', encodeEvidence(output));
    default:
      return unreachable(output);
  }
}

/** The message of a peer in these bytes. Signatures, digests and requests are not judged yet. */
export function decodePeerMessage(bytes: Uint8Array, limits: WireLimits): Result<PeerInput, Malformed> {
  const number = (bytes[0] ?? 0) >> 3;
  const field = FIELDS[number - 1];
  if (field === undefined) {
    return failed({ field: '', description: 'is of no known kind' });
  }
  const reader = new CanonicalReader(detach(bytes));
  const content = reader.requireBytes(number, field, { max: computeBytesMax(field, bytes.length, limits) });
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const input = decodeContent(field, content, limits);
  return input.ok ? input : failed(within(field, input.error));
}

function computeBytesMax(field: Field, messageBytes: number, limits: WireLimits): number {
  switch (field) {
    case 'greeting':
      return GREETING_BYTES_MAX;
    case 'hello':
      return VOTE_BYTES_MAX;
    case 'signed':
      return Math.max(...LONG_TYPES.map((type) => computeSignedBytesMax(type, limits)), VOTE_BYTES_MAX);
    case 'proposal':
      return OVERHEAD_BYTES + VOTE_BYTES_MAX + limits.batchBytesMax;
    case 'request':
      return limits.requestBytesMax;
    case 'committed_batch':
      return limits.batchBytesMax + computeListBytesMax(limits);
    case 'checkpoint_certificate':
      return computeListBytesMax(limits);
    case 'fetch':
      return FETCH_BYTES_MAX;
    case 'fetch_answer':
      // A range of the ledger is as long as the link lets through; its entries are limited one by one.
      return messageBytes;
    case 'evidence':
      return computeEvidenceBytesMax(limits);
    default:
      return unreachable(field);
  }
}

/** More than two pre-prepares or two new views take. */
function computeEvidenceBytesMax(limits: WireLimits, signatureBytes = SIGNATURE_BYTES_MAX): number {
  const newView = computeSignedBytesMax('newView', limits, signatureBytes);
  return 2 * (OVERHEAD_BYTES + Math.max(newView, VOTE_BYTES_MAX));
}

/** More than a signed message of each replica takes. */
function computeListBytesMax(limits: WireLimits): number {
  return OVERHEAD_BYTES + limits.replicaCount * (OVERHEAD_BYTES + VOTE_BYTES_MAX);
}

/** More than a PeerMessage takes around a signed message, be it an answer to a fetch. */
export const PEER_MESSAGE_OVERHEAD_BYTES = 2 * OVERHEAD_BYTES;

/**
 * The longest PeerMessage that these limits make necessary: a link's message limit must not be lower. Of ranges of the
 * ledger that is one entry with its batch (more are cut to fit), or two checkpoint intervals of headers. Messages whose
 * length is mostly signatures count with replicas' signatures of that length: by default of any allowed key.
 */
export function computePeerMessageBytesMax(limits: WireLimits, signatureBytes = SIGNATURE_BYTES_MAX): number {
  return (
    OVERHEAD_BYTES +
    Math.max(
      ...LONG_TYPES.map((type) => OVERHEAD_BYTES + computeSignedBytesMax(type, limits, signatureBytes)),
      computeEvidenceBytesMax(limits, signatureBytes),
      limits.requestBytesMax,
      computeBytesMax('proposal', 0, limits),
      computeBytesMax('committed_batch', 0, limits),
      OVERHEAD_BYTES + HEADER_BYTES_MAX + limits.batchBytesMax,
      OVERHEAD_BYTES + 2 * limits.checkpointInterval * HEADER_BYTES_MAX,
    )
  );
}

function decodeContent(field: Field, content: Uint8Array, limits: WireLimits): Result<PeerInput, Malformed> {
  switch (field) {
    case 'greeting':
      return mapped(decodeGreeting(content), (greeting) => ({ kind: 'greeting', greeting }));
    case 'hello':
      return mapped(decodeEnvelopeOf(content, 'hello', limits), (envelope) => ({ kind: 'hello', envelope }));
    case 'signed':
      return decodeSignedContent(content, limits);
    case 'proposal':
      return decodeProposal(content, limits);
    case 'request':
      return ok({ kind: 'request', bytes: content });
    case 'committed_batch':
      return decodeCommittedBatch(content, limits);
    case 'checkpoint_certificate':
      return mapped(decodeCheckpointList(content, limits), (checkpoints) => ({
        kind: 'checkpointCertificate',
        checkpoints,
      }));
    case 'fetch':
      return mapped(decodeFetch(content, limits), (fetch) => ({ kind: 'fetch', ...fetch }));
    case 'fetch_answer':
      return mapped(decodeFetchAnswer(content, limits), (answer) => ({ kind: 'fetchAnswer', ...answer }));
    case 'evidence':
      return mapped(decodeEvidence(content, limits), (evidence) => ({ kind: 'evidence', ...evidence }));
    default:
      return unreachable(field);
  }
}

function decodeSignedContent(content: Uint8Array, limits: WireLimits): Result<PeerInput, Malformed> {
  return mapped(decodeLoneEnvelope(content, limits), (envelope) => ({ kind: 'signed', envelope }));
}

function encodeProposal(output: PeerOutput & { readonly kind: 'proposal' }): Uint8Array {
  const prePrepare = encodeSigned(output.prePrepare);
  return new CanonicalWriter(OVERHEAD_BYTES + prePrepare.length + output.batchBytes.length)
    .bytes(1, prePrepare)
    .bytes(2, output.batchBytes)
    .finish();
}

function decodeProposal(content: Uint8Array, limits: WireLimits): Result<PeerInput, Malformed> {
  const reader = new CanonicalReader(content);
  const prePrepareBytes = reader.requireBytes(1, 'pre_prepare', { max: VOTE_BYTES_MAX });
  const batchBytes = reader.requireBytes(2, 'batch', { min: 1, max: limits.batchBytesMax });
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const prePrepare = decodeEnvelopeOf(detach(prePrepareBytes), 'prePrepare', limits);
  return prePrepare.ok
    ? ok({ kind: 'proposal', prePrepare: prePrepare.value, batchBytes })
    : failed(within('pre_prepare', prePrepare.error));
}

function encodeCommittedBatch(output: PeerOutput & { readonly kind: 'committedBatch' }): Uint8Array {
  const sizeBytes = OVERHEAD_BYTES + output.batchBytes.length + output.commits.length * VOTE_BYTES_MAX;
  const writer = new CanonicalWriter(sizeBytes).bytes(1, output.batchBytes);
  for (const commit of output.commits) {
    writer.bytes(2, encodeSigned(commit));
  }
  return writer.finish();
}

function decodeCommittedBatch(content: Uint8Array, limits: WireLimits): Result<PeerInput, Malformed> {
  const reader = new CanonicalReader(content);
  const batchBytes = reader.requireBytes(1, 'batch', { min: 1, max: limits.batchBytesMax });
  const encoded = reader.readRepeated(2, 'commits', { max: VOTE_BYTES_MAX, countMax: limits.replicaCount });
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const commits = decodeEnvelopeList('commits', encoded, 'commit', limits);
  return mapped(commits, (value) => ({ kind: 'committedBatch', batchBytes, commits: value }));
}

function wrap(field: Field, content: Uint8Array): Uint8Array {
  const capacityBytes = OVERHEAD_BYTES + bytesFieldSizeBytes(content.length);
  return new CanonicalWriter(capacityBytes).bytes(FIELDS.indexOf(field) + 1, content).finish();
}

function mapped<T>(result: Result<T, Malformed>, make: (value: T) => PeerInput): Result<PeerInput, Malformed> {
  return result.ok ? ok(make(result.value)) : result;
}
