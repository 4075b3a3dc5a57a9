/**
 * What a peer message holds of signed messages that travel without anything else: one alone, or two that contradict each
 * other. Each is no longer than its type can be.
 */
import type { Signed } from '../protocol/messages.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { detach } from './detach.js';
import { decodeEnvelope, type Envelope, encodeSigned } from './envelope.js';
import { computeSignedBytesMax, LONG_TYPES, VOTE_BYTES_MAX, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import type { SignatureType } from './signature-type.js';

const LONE_TYPES: ReadonlySet<SignatureType> = new Set([
  'prePrepare',
  'prepare',
  'commit',
  'checkpoint',
  'status',
  'viewChange',
  'newView',
]);

/** Only what a primary contradicts itself in concerns all. */
const EVIDENCE_TYPES: ReadonlySet<SignatureType> = new Set(['prePrepare', 'newView']);

/** The envelope of a message that travels alone. */
export function decodeLoneEnvelope(bytes: Uint8Array, limits: WireLimits): Result<Envelope, Malformed> {
  return decodeEnvelopeWithin(bytes, LONE_TYPES, limits);
}

/** The encoded Evidence. */
export function encodeEvidence(evidence: { readonly first: Signed; readonly second: Signed }): Uint8Array {
  const first = encodeSigned(evidence.first);
  const second = encodeSigned(evidence.second);
  return new CanonicalWriter(bytesFieldSizeBytes(first.length) + bytesFieldSizeBytes(second.length) + 16)
    .bytes(1, first)
    .bytes(2, second)
    .finish();
}

/** The Evidence in these bytes: two envelopes of one type, detached from what they came in; not compared yet. */
export function decodeEvidence(
  bytes: Uint8Array,
  limits: WireLimits,
): Result<{ readonly first: Envelope; readonly second: Envelope }, Malformed> {
  const reader = new CanonicalReader(bytes);
  const firstBytes = reader.requireBytes(1, 'first');
  const secondBytes = reader.requireBytes(2, 'second');
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const first = decodeEnvelopeWithin(detach(firstBytes), EVIDENCE_TYPES, limits);
  if (!first.ok) {
    return failed(within('first', first.error));
  }
  const second = decodeEnvelopeWithin(detach(secondBytes), EVIDENCE_TYPES, limits);
  if (!second.ok) {
    return failed(within('second', second.error));
  }
  return first.value.type === second.value.type
    ? ok({ first: first.value, second: second.value })
    : failed({
        field: 'second.type',
        description: `is ${second.value.type}, but that of the first is ${first.value.type}`,
      });
}

function decodeEnvelopeWithin(
  bytes: Uint8Array,
  types: ReadonlySet<SignatureType>,
  limits: WireLimits,
): Result<Envelope, Malformed> {
  const envelope = decodeEnvelope(bytes, limits.replicaCount);
  if (!envelope.ok) {
    return envelope;
  }
  const { type } = envelope.value;
  if (!types.has(type)) {
    return failed({ field: 'type', description: `is ${type}, which doesn't belong here` });
  }
  const longType = LONG_TYPES.find((long) => long === type);
  const bytesMax = longType === undefined ? VOTE_BYTES_MAX : computeSignedBytesMax(longType, limits);
  return bytes.length <= bytesMax
    ? envelope
    : failed({ field: '', description: `has ${bytes.length} bytes, a ${type} has at most ${bytesMax}` });
}
