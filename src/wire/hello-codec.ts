/**
 * The handshake of a peer link (protocol.md 2): Greeting, and the payload of the signed Hello. Who is named must be
 * compared with who is there by the caller; a cluster of another size is told by the parameters' digest, so ids here
 * are only kept below the most replicas of any cluster.
 */
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import type { Digest } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import { REPLICA_COUNT_MAX } from './limits.js';
import type { Malformed } from './malformed.js';

/** The length of a nonce. */
export const NONCE_BYTES = 32;

const UINT32_MAX = 0xffff_ffff;
const HELLO_CAPACITY_BYTES = 256;

/** Opens the handshake; not signed. */
export interface Greeting {
  /** 32 bytes, fresh for each link. */
  readonly nonce: Uint8Array;
  readonly from: ReplicaId;
  readonly to: ReplicaId;
}

/** What both ends sign. */
export interface Hello {
  readonly protocolVersion: number;
  readonly clusterId: Digest;
  /** Of the consensus parameters the sender runs with. */
  readonly parametersDigest: Digest;
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  /** 32 bytes each. */
  readonly diallerNonce: Uint8Array;
  readonly listenerNonce: Uint8Array;
  /** Of the TLS certificates in DER. */
  readonly diallerCertificateDigest: Digest;
  readonly listenerCertificateDigest: Digest;
}

/** The encoded Greeting. */
export function encodeGreeting(greeting: Greeting): Uint8Array {
  return new CanonicalWriter().bytes(1, greeting.nonce).number(2, greeting.from).number(3, greeting.to).finish();
}

/** The Greeting in these bytes. */
export function decodeGreeting(bytes: Uint8Array): Result<Greeting, Malformed> {
  const reader = new CanonicalReader(bytes);
  const nonce = requireNonce(reader, 1, 'nonce');
  const from = requireReplica(reader, 2, 'from');
  const to = requireReplica(reader, 3, 'to');
  return reader.finish({ nonce, from, to });
}

/** The payload of a Hello: the bytes to sign. */
export function encodeHello(hello: Hello): Uint8Array {
  return new CanonicalWriter(HELLO_CAPACITY_BYTES)
    .number(1, hello.protocolVersion)
    .digest(2, hello.clusterId)
    .digest(3, hello.parametersDigest)
    .number(4, hello.from)
    .number(5, hello.to)
    .bytes(6, hello.diallerNonce)
    .bytes(7, hello.listenerNonce)
    .digest(8, hello.diallerCertificateDigest)
    .digest(9, hello.listenerCertificateDigest)
    .finish();
}

/** The Hello in a signed payload. */
export function decodeHello(payload: Uint8Array): Result<Hello, Malformed> {
  const reader = new CanonicalReader(payload);
  const protocolVersion = reader.requireNumber(1, 'protocol_version', { max: UINT32_MAX });
  const clusterId = reader.requireDigest(2, 'cluster_id');
  const parametersDigest = reader.requireDigest(3, 'parameters_digest');
  const from = requireReplica(reader, 4, 'from');
  const to = requireReplica(reader, 5, 'to');
  const diallerNonce = requireNonce(reader, 6, 'dialler_nonce');
  const listenerNonce = requireNonce(reader, 7, 'listener_nonce');
  const diallerCertificateDigest = reader.requireDigest(8, 'dialler_certificate_digest');
  const listenerCertificateDigest = reader.requireDigest(9, 'listener_certificate_digest');
  return reader.finish({
    protocolVersion,
    clusterId,
    parametersDigest,
    from,
    to,
    diallerNonce,
    listenerNonce,
    diallerCertificateDigest,
    listenerCertificateDigest,
  });
}

function requireNonce(reader: CanonicalReader, number: number, name: string): Uint8Array {
  return reader.requireBytes(number, name, { min: NONCE_BYTES, max: NONCE_BYTES });
}

function requireReplica(reader: CanonicalReader, number: number, name: string): ReplicaId {
  return replicaId(reader.requireNumber(number, name, { max: REPLICA_COUNT_MAX - 1 }));
}
