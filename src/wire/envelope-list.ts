/**
 * Signed messages inside other messages: lists of one type, as certificates carry them. What is decoded here is kept
 * for long, so it is detached from the frame it came in.
 */
import type { Signed } from '../protocol/messages.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import { detach } from './detach.js';
import { decodeEnvelope, type Envelope, encodeSigned } from './envelope.js';
import { VOTE_BYTES_MAX, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import type { SignatureType } from './signature-type.js';

/** The envelopes of a CheckpointCertificate message: at most n, at least one. */
export function decodeCheckpointList(bytes: Uint8Array, limits: WireLimits): Result<readonly Envelope[], Malformed> {
  const reader = new CanonicalReader(bytes);
  const encoded = reader.readRepeated(1, 'checkpoints', { max: VOTE_BYTES_MAX, countMax: limits.replicaCount });
  const outer = reader.finish(undefined);
  return outer.ok ? decodeEnvelopeList('checkpoints', encoded, 'checkpoint', limits) : outer;
}

/** A repeated field of signed messages, without anything around it. */
export function encodeSignedList(number: number, signed: readonly Signed[]): Uint8Array {
  const writer = new CanonicalWriter(VOTE_BYTES_MAX * signed.length);
  for (const one of signed) {
    writer.bytes(number, encodeSigned(one));
  }
  return writer.finish();
}

/** Envelopes of one type, at least one; their number was checked before. They are kept for long, so detached. */
export function decodeEnvelopeList(
  name: string,
  encoded: readonly Uint8Array[],
  type: SignatureType,
  limits: WireLimits,
): Result<readonly Envelope[], Malformed> {
  if (encoded.length === 0) {
    return failed({ field: name, description: 'has no element' });
  }
  const envelopes: Envelope[] = [];
  for (const [index, bytes] of encoded.entries()) {
    const envelope = decodeEnvelopeOf(detach(bytes), type, limits);
    if (!envelope.ok) {
      return failed(within(`${name}[${index}]`, envelope.error));
    }
    envelopes.push(envelope.value);
  }
  return ok(envelopes);
}

/** The envelope in these bytes, malformed where it is of another type. */
export function decodeEnvelopeOf(
  bytes: Uint8Array,
  type: SignatureType,
  limits: WireLimits,
): Result<Envelope, Malformed> {
  const envelope = decodeEnvelope(bytes, limits.replicaCount);
  if (envelope.ok && envelope.value.type !== type) {
    return failed({ field: 'type', description: `is ${envelope.value.type}, ${type} belongs here` });
  }
  return envelope;
}
