/**
 * Certificates and signed messages as the store keeps them: bytes ↔ values. The store's data is trusted, so what is
 * decoded here counts as verified: it was when it was stored. Still nothing throws; a damaged record is malformed.
 */
import type { CheckpointCertificate, CommitCertificate, PreparedCertificate } from '../protocol/certificates.js';
import type { PrePrepare, ProtocolMessage, Signed, Verified } from '../protocol/messages.js';
import { own } from '../protocol/verified.js';
import { ok, type Result } from '../util/result.js';
import { decodeEnvelope, opened } from './envelope.js';
import { ANY_CLUSTER, type WireLimits } from './limits.js';
import type { Malformed } from './malformed.js';
import { converted, encode, list, type Message, message } from './message.js';
import { decodePayload } from './message-codec.js';
import {
  preparedCertificateOf,
  SIGNED_CHECKPOINT,
  SIGNED_COMMIT,
  SIGNED_PRE_PREPARE,
  SIGNED_PREPARE,
} from './payloads.js';

/** The same as it comes out of the store: it was verified when it was stored. */
function stored<M extends ProtocolMessage>(signed: Message<Signed<M>>): Message<Verified<Signed<M>>, Signed<M>> {
  return converted(signed, { decoded: (value) => ok(own(value)), encoded: (value: Signed<M>) => value });
}

const perReplica = ({ replicaCount }: WireLimits): number => replicaCount;
const PRE_PREPARE = stored(SIGNED_PRE_PREPARE);
const PREPARED_CERTIFICATE = preparedCertificateOf(PRE_PREPARE, stored(SIGNED_PREPARE));
const COMMIT_CERTIFICATE = message({ commits: list(1, stored(SIGNED_COMMIT), { countMax: perReplica }) });
const CHECKPOINT_CERTIFICATE = message({ checkpoints: list(1, stored(SIGNED_CHECKPOINT), { countMax: perReplica }) });

/** The encoded certificate. */
export function encodePreparedCertificate(certificate: PreparedCertificate): Uint8Array {
  return encode(PREPARED_CERTIFICATE, certificate);
}

/** The certificate in the store's own bytes. */
export function decodePreparedCertificate(bytes: Uint8Array): Result<PreparedCertificate, Malformed> {
  return PREPARED_CERTIFICATE.decode(bytes, ANY_CLUSTER);
}

/** The encoded certificate. */
export function encodeCommitCertificate(certificate: CommitCertificate): Uint8Array {
  return encode(COMMIT_CERTIFICATE, certificate);
}

/** The certificate in the store's own bytes. */
export function decodeCommitCertificate(bytes: Uint8Array): Result<CommitCertificate, Malformed> {
  return COMMIT_CERTIFICATE.decode(bytes, ANY_CLUSTER);
}

/** The encoded certificate. */
export function encodeCheckpointCertificate(certificate: CheckpointCertificate): Uint8Array {
  return encode(CHECKPOINT_CERTIFICATE, certificate);
}

/** The certificate in the store's own bytes. */
export function decodeCheckpointCertificate(bytes: Uint8Array): Result<CheckpointCertificate, Malformed> {
  return CHECKPOINT_CERTIFICATE.decode(bytes, ANY_CLUSTER);
}

/** A signed pre-prepare in the store's own bytes; the inverse of encodeSigned. */
export function decodeSignedPrePrepare(bytes: Uint8Array): Result<Verified<Signed<PrePrepare>>, Malformed> {
  return PRE_PREPARE.decode(bytes, ANY_CLUSTER);
}

/** A signed message of any type in the store's own bytes, such as one half of evidence; the inverse of encodeSigned. */
export function decodeSigned(bytes: Uint8Array, limits: WireLimits): Result<Verified<Signed>, Malformed> {
  const envelope = decodeEnvelope(bytes);
  if (!envelope.ok) {
    return envelope;
  }
  const { type, payload } = envelope.value;
  const signed = opened(envelope.value, decodePayload(type, payload, limits));
  return signed.ok ? ok(own(signed.value)) : signed;
}
