/**
 * The payloads of votes and checkpoints: PrePrepare, Prepare, Commit, Checkpoint of message.proto. Their decoding
 * depends on no limit of the cluster. Inside other messages they come signed, with the bytes that were signed.
 */
import { sequence as toSequence, view as toView } from '../protocol/identifiers.js';
import type { Checkpoint, Commit, PrePrepare, Prepare, ProtocolMessage, Signed } from '../protocol/messages.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import { decodeEnvelope, type Envelope } from './envelope.js';
import { REPLICA_COUNT_MAX } from './limits.js';
import { type Malformed, within } from './malformed.js';
import type { SignatureType } from './signature-type.js';

/** A message whose decoding depends on no limit. */
export type Statement = PrePrepare | Prepare | Commit | Checkpoint;

/** The message of one type. */
export type MessageOf<T extends ProtocolMessage['type']> = Extract<ProtocolMessage, { readonly type: T }>;

/** The bytes to sign. */
export function encodeStatement(statement: Statement): Uint8Array {
  if (statement.type === 'checkpoint') {
    return new CanonicalWriter().number(1, statement.sequence).digest(2, statement.headerDigest).finish();
  }
  const { view, sequence, batchDigest } = statement;
  return new CanonicalWriter().number(1, view).number(2, sequence).digest(3, batchDigest).finish();
}

/** The statement in signed bytes of this type; malformed for other types. */
export function decodeStatement(type: SignatureType, payload: Uint8Array): Result<Statement, Malformed> {
  switch (type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return decodeVote(type, payload);
    case 'checkpoint':
      return decodeCheckpoint(payload);
    default:
      return failed({ field: 'type', description: `${type} is not a statement of a replica here` });
  }
}

/** A signed statement of one type in encoded form, its signature not checked; the inverse of encodeSigned. */
export function decodeSignedStatement<T extends Statement['type']>(
  bytes: Uint8Array,
  type: T,
  replicaCount = REPLICA_COUNT_MAX,
): Result<Signed<MessageOf<T>>, Malformed> {
  const envelope = decodeEnvelope(bytes, replicaCount);
  if (!envelope.ok) {
    return envelope;
  }
  const message = decodeStatement(envelope.value.type, envelope.value.payload);
  if (!message.ok) {
    return failed(within('payload', message.error));
  }
  return isOfType(message.value, type)
    ? signedOf(envelope.value, message.value)
    : failed({ field: 'type', description: `is ${message.value.type}, ${type} belongs here` });
}

/** What a replica signed, with its meaning; malformed where a client signed it. */
export function signedOf<M extends ProtocolMessage>(envelope: Envelope, message: M): Result<Signed<M>, Malformed> {
  const { sender, payload, signature } = envelope;
  if (sender.kind !== 'replica') {
    return failed({ field: 'client_id', description: 'is set, but replicas sign this' });
  }
  return ok({ message, sender: sender.replica, payload, signature });
}

function isOfType<T extends ProtocolMessage['type']>(message: ProtocolMessage, type: T): message is MessageOf<T> {
  return message.type === type;
}

function decodeVote(
  type: 'prePrepare' | 'prepare' | 'commit',
  payload: Uint8Array,
): Result<PrePrepare | Prepare | Commit, Malformed> {
  const reader = new CanonicalReader(payload);
  const view = toView(reader.requireNumber(1, 'view'));
  const sequence = toSequence(reader.requireNumber(2, 'sequence', { min: 1 }));
  const batchDigest = reader.requireDigest(3, 'batch_digest');
  return reader.finish({ type, view, sequence, batchDigest });
}

function decodeCheckpoint(payload: Uint8Array): Result<Checkpoint, Malformed> {
  const reader = new CanonicalReader(payload);
  const sequence = toSequence(reader.requireNumber(1, 'sequence', { min: 1 }));
  const headerDigest = reader.requireDigest(2, 'header_digest');
  return reader.finish({ type: 'checkpoint', sequence, headerDigest });
}
