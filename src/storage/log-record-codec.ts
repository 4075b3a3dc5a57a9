/**
 * Log records as bytes. A record holds what it says and refers to what is stored once elsewhere: a batch by sequence and
 * digest, a stable checkpoint's certificate by its sequence, what proves a view by its digest.
 *
 * What is decoded counts as verified: it was when it was written, and the log's chain shows that it is what was written.
 */
import type { CheckpointCertificate, PreparedCertificate } from '../protocol/certificates.js';
import type { ReplicaId, Sequence, View } from '../protocol/identifiers.js';
import type { Evidence } from '../protocol/log-record.js';
import type { Checkpoint, PrePrepare, Signed, Verified } from '../protocol/messages.js';
import { defined, unreachable } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from '../wire/canonical-reader.js';
import { CanonicalWriter } from '../wire/canonical-writer.js';
import {
  decodePreparedCertificate,
  decodeSigned,
  decodeSignedPrePrepare,
  encodePreparedCertificate,
} from '../wire/certificate-codec.js';
import { encodeSigned } from '../wire/envelope.js';
import type { WireLimits } from '../wire/limits.js';
import { type Malformed, within } from '../wire/malformed.js';
import { decodeStatement, encodePayload } from '../wire/message-codec.js';
import { NUMBER_OF_TYPE, typeOfNumber } from '../wire/signature-type.js';

import type { ViewStanding } from './view-proof.js';

/** A record as it stands in the log. */
export type StoredRecord =
  | {
      readonly kind: 'accepted';
      readonly prePrepare: PrePrepare;
      readonly signed: Verified<Signed<PrePrepare>> | undefined;
    }
  | { readonly kind: 'prepared'; readonly certificate: PreparedCertificate }
  | { readonly kind: 'ownCheckpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'stableCheckpoint'; readonly sequence: Sequence }
  | { readonly kind: 'view'; readonly standing: ViewStanding }
  | { readonly kind: 'evidence'; readonly evidence: Evidence };

const NUMBER_OF_KIND = {
  accepted: 1,
  prepared: 2,
  ownCheckpoint: 3,
  stableCheckpoint: 4,
  view: 5,
  evidence: 6,
} as const;

const NUMBER_OF_PHASE = { left: 1, changing: 2, active: 3 } as const;

/** The sequence that a certificate proves stable. */
export function sequenceOfCertificate(certificate: CheckpointCertificate): Sequence {
  return defined(certificate.checkpoints[0], 'a checkpoint certificate has checkpoints').message.sequence;
}

/** The encoded record. */
export function encodeRecord(record: StoredRecord): Uint8Array {
  switch (record.kind) {
    case 'accepted': {
      const writer = writerOf(record.kind).bytes(2, encodePayload(record.prePrepare));
      return record.signed === undefined ? writer.finish() : writer.bytes(3, encodeSigned(record.signed)).finish();
    }
    case 'prepared': {
      const certificate = encodePreparedCertificate(record.certificate);
      return writerOf(record.kind, certificate.length).bytes(2, certificate).finish();
    }
    case 'ownCheckpoint':
      return writerOf(record.kind).bytes(2, encodePayload(record.checkpoint)).finish();
    case 'stableCheckpoint':
      return writerOf(record.kind).number(2, record.sequence).finish();
    case 'view':
      return encodeStanding(record.standing);
    case 'evidence': {
      const { replica, kind, first, second } = record.evidence;
      return writerOf(record.kind)
        .number(2, replica)
        .number(3, NUMBER_OF_TYPE[kind])
        .bytes(4, encodeSigned(first))
        .bytes(5, encodeSigned(second))
        .finish();
    }
    default:
      return unreachable(record);
  }
}

/** The record in the log's own bytes. */
export function decodeRecord(bytes: Uint8Array, limits: WireLimits): Result<StoredRecord, Malformed> {
  const reader = new CanonicalReader(bytes);
  const kind = reader.requireNumber(1, 'kind', { min: 1, max: 255 });
  switch (kind) {
    case NUMBER_OF_KIND.accepted:
      return decodeAccepted(reader, bytes.length);
    case NUMBER_OF_KIND.prepared:
      return decodePrepared(reader, bytes.length);
    case NUMBER_OF_KIND.ownCheckpoint:
      return decodeOwnCheckpoint(reader, bytes.length);
    case NUMBER_OF_KIND.stableCheckpoint:
      return reader.finish({ kind: 'stableCheckpoint', sequence: reader.requireNumber(2, 'sequence') as Sequence });
    case NUMBER_OF_KIND.view:
      return decodeStanding(reader);
    case NUMBER_OF_KIND.evidence:
      return decodeEvidence(reader, bytes.length, limits);
    default:
      return failed({ field: 'kind', description: `is ${kind}, which this version does not know` });
  }
}

/** The highest sequence up to which a record is needed, 0 where it is not about one. */
export function sequenceOfRecord(record: StoredRecord): number {
  switch (record.kind) {
    case 'accepted':
      return record.prePrepare.sequence;
    case 'prepared':
      return record.certificate.prePrepare.message.sequence;
    case 'ownCheckpoint':
      return record.checkpoint.sequence;
    case 'stableCheckpoint':
    case 'view':
    case 'evidence':
      return 0;
    default:
      return unreachable(record);
  }
}

function writerOf(kind: StoredRecord['kind'], sizeBytes = 0): CanonicalWriter {
  return new CanonicalWriter(128 + sizeBytes).number(1, NUMBER_OF_KIND[kind]);
}

function encodeStanding(standing: ViewStanding): Uint8Array {
  const writer = writerOf('view').number(2, standing.view).number(3, NUMBER_OF_PHASE[standing.phase]);
  return standing.phase === 'left' ? writer.finish() : writer.digest(4, standing.proofDigest).finish();
}

function decodeStanding(reader: CanonicalReader): Result<StoredRecord, Malformed> {
  const view = reader.requireNumber(2, 'view') as View;
  const phase = reader.requireNumber(3, 'phase', { min: NUMBER_OF_PHASE.left, max: NUMBER_OF_PHASE.active });
  if (phase === NUMBER_OF_PHASE.left) {
    return reader.finish({ kind: 'view', standing: { view, phase: 'left' } });
  }
  const proofDigest: Digest = reader.requireDigest(4, 'proof_digest');
  const standing = { view, phase: phase === NUMBER_OF_PHASE.active ? 'active' : 'changing', proofDigest } as const;
  return reader.finish({ kind: 'view', standing });
}

function decodeAccepted(reader: CanonicalReader, max: number): Result<StoredRecord, Malformed> {
  const payload = reader.requireBytes(2, 'pre_prepare', { max });
  const signedBytes = reader.readBytes(3, 'signed', { max });
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const prePrepare = decodeStatement('prePrepare', payload);
  if (!prePrepare.ok) {
    return prePrepare;
  }
  if (signedBytes.length === 0) {
    return ok({ kind: 'accepted', prePrepare: prePrepare.value, signed: undefined });
  }
  const signed = decodeSignedPrePrepare(signedBytes);
  return signed.ok
    ? ok({ kind: 'accepted', prePrepare: prePrepare.value, signed: signed.value })
    : failed(within('signed', signed.error));
}

function decodePrepared(reader: CanonicalReader, max: number): Result<StoredRecord, Malformed> {
  const bytes = reader.finish(reader.requireBytes(2, 'certificate', { max }));
  if (!bytes.ok) {
    return bytes;
  }
  const certificate = decodePreparedCertificate(bytes.value);
  return certificate.ok ? ok({ kind: 'prepared', certificate: certificate.value }) : certificate;
}

function decodeOwnCheckpoint(reader: CanonicalReader, max: number): Result<StoredRecord, Malformed> {
  const bytes = reader.finish(reader.requireBytes(2, 'checkpoint', { max }));
  if (!bytes.ok) {
    return bytes;
  }
  const checkpoint = decodeStatement('checkpoint', bytes.value);
  return checkpoint.ok ? ok({ kind: 'ownCheckpoint', checkpoint: checkpoint.value }) : checkpoint;
}

function decodeEvidence(reader: CanonicalReader, max: number, limits: WireLimits): Result<StoredRecord, Malformed> {
  const replica = reader.requireNumber(2, 'replica', { max: limits.replicaCount - 1 }) as ReplicaId;
  const type = typeOfNumber(reader.requireNumber(3, 'kind', { max: 255 }));
  const firstBytes = reader.requireBytes(4, 'first', { max });
  const secondBytes = reader.requireBytes(5, 'second', { max });
  if (type === undefined || type === 'request' || type === 'hello' || type === 'header') {
    return failed({ field: 'kind', description: 'is no message of a replica' });
  }
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const first = decodeSigned(firstBytes, limits);
  if (!first.ok) {
    return failed(within('first', first.error));
  }
  const second = decodeSigned(secondBytes, limits);
  return second.ok
    ? ok({ kind: 'evidence', evidence: { replica, kind: type, first: first.value, second: second.value } })
    : failed(within('second', second.error));
}
