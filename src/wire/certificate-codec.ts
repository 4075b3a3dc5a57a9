/**
 * Certificates and signed messages as the store keeps them: bytes ↔ values. The store's data is trusted, so what is
 * decoded here counts as verified: it was when it was stored. Still nothing throws; a damaged record is malformed.
 *
 * A CheckpointCertificate is the message of peer.proto; commit certificates are `repeated SignedMessage commits = 1`,
 * prepared certificates `SignedMessage pre_prepare = 1; repeated SignedMessage prepares = 2`.
 */

import type { CheckpointCertificate, CommitCertificate, PreparedCertificate } from '../protocol/certificates.js';
import type { ProtocolMessage, Signed, Verified } from '../protocol/messages.js';
import { own } from '../protocol/verified.js';
import { concatBytes } from '../util/bytes.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import { decodeEnvelope, encodeSigned } from './envelope.js';
import { encodeSignedList } from './envelope-list.js';
import { REPLICA_COUNT_MAX, VOTE_BYTES_MAX, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import { decodePayload } from './message-codec.js';
import {
  decodeSignedStatement as decodeUnverified,
  type MessageOf,
  type Statement,
  signedOf,
} from './statement-codec.js';

type StatementType = Statement['type'];

/** The encoded certificate. */
export function encodePreparedCertificate(certificate: PreparedCertificate): Uint8Array {
  const prePrepare = new CanonicalWriter(VOTE_BYTES_MAX).bytes(1, encodeSigned(certificate.prePrepare)).finish();
  return concatBytes([prePrepare, encodeSignedList(2, certificate.prepares)]);
}

/** The certificate in the store's own bytes. */
export function decodePreparedCertificate(bytes: Uint8Array): Result<PreparedCertificate, Malformed> {
  const reader = new CanonicalReader(bytes);
  const prePrepareBytes = reader.requireBytes(1, 'pre_prepare', { max: VOTE_BYTES_MAX });
  const preparesBytes = reader.readRepeated(2, 'prepares', { max: VOTE_BYTES_MAX, countMax: REPLICA_COUNT_MAX });
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const prePrepare = decodeSignedStatement(prePrepareBytes, 'prePrepare');
  if (!prePrepare.ok) {
    return failed(within('pre_prepare', prePrepare.error));
  }
  const prepares = decodeStatements('prepares', preparesBytes, 'prepare');
  return prepares.ok ? ok({ prePrepare: prePrepare.value, prepares: prepares.value }) : prepares;
}

/** The encoded certificate. */
export function encodeCommitCertificate(certificate: CommitCertificate): Uint8Array {
  return encodeSignedList(1, certificate.commits);
}

/** The certificate in the store's own bytes. */
export function decodeCommitCertificate(bytes: Uint8Array): Result<CommitCertificate, Malformed> {
  const commits = decodeStatementList('commits', bytes, 'commit');
  return commits.ok ? ok({ commits: commits.value }) : commits;
}

/** The encoded certificate. */
export function encodeCheckpointCertificate(certificate: CheckpointCertificate): Uint8Array {
  return encodeSignedList(1, certificate.checkpoints);
}

/** The certificate in the store's own bytes. */
export function decodeCheckpointCertificate(bytes: Uint8Array): Result<CheckpointCertificate, Malformed> {
  const checkpoints = decodeStatementList('checkpoints', bytes, 'checkpoint');
  return checkpoints.ok ? ok({ checkpoints: checkpoints.value }) : checkpoints;
}

/** A signed message of any type in the store's own bytes, such as one half of evidence; the inverse of encodeSigned. */
export function decodeSigned(bytes: Uint8Array, limits: WireLimits): Result<Verified<Signed>, Malformed> {
  const envelope = decodeEnvelope(bytes);
  if (!envelope.ok) {
    return envelope;
  }
  const message = decodePayload(envelope.value.type, envelope.value.payload, limits);
  return message.ok ? trusted(signedOf(envelope.value, message.value)) : failed(within('payload', message.error));
}

/** A signed statement of one type in the store's own bytes; the inverse of encodeSigned. */
export function decodeSignedStatement<T extends StatementType>(
  bytes: Uint8Array,
  type: T,
): Result<Verified<Signed<MessageOf<T>>>, Malformed> {
  return trusted(decodeUnverified(bytes, type));
}

/** It was verified when it was stored. */
function trusted<M extends ProtocolMessage>(
  signed: Result<Signed<M>, Malformed>,
): Result<Verified<Signed<M>>, Malformed> {
  return signed.ok ? ok(own(signed.value)) : signed;
}

function decodeStatementList<T extends StatementType>(
  name: string,
  bytes: Uint8Array,
  type: T,
): Result<readonly Verified<Signed<MessageOf<T>>>[], Malformed> {
  const reader = new CanonicalReader(bytes);
  const encoded = reader.readRepeated(1, name, { max: VOTE_BYTES_MAX, countMax: REPLICA_COUNT_MAX });
  const outer = reader.finish(undefined);
  return outer.ok ? decodeStatements(name, encoded, type) : outer;
}

function decodeStatements<T extends StatementType>(
  name: string,
  encoded: readonly Uint8Array[],
  type: T,
): Result<readonly Verified<Signed<MessageOf<T>>>[], Malformed> {
  const statements: Verified<Signed<MessageOf<T>>>[] = [];
  for (const [index, bytes] of encoded.entries()) {
    const statement = decodeSignedStatement(bytes, type);
    if (!statement.ok) {
      return failed(within(`${name}[${index}]`, statement.error));
    }
    statements.push(statement.value);
  }
  return ok(statements);
}
