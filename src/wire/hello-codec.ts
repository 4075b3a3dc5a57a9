/**
 * The handshake of a peer link (protocol.md 2): Greeting, and the payload of the signed Hello. Who is named must be
 * compared with who is there by the caller; a cluster of another size is told by the parameters' digest, so ids here
 * are only kept below the most replicas of any cluster.
 */
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Result } from '../util/result.js';
import { bytes, digest, type Field, integer } from './field.js';
import { ANY_CLUSTER, REPLICA_COUNT_MAX } from './limits.js';
import type { Malformed } from './malformed.js';
import { type Decoded, encode, message } from './message.js';

/** The length of a nonce. */
export const NONCE_BYTES = 32;

const UINT32_MAX = 0xffff_ffff;

const nonce = (number: number): Field<Uint8Array> => bytes(number, { min: NONCE_BYTES, max: NONCE_BYTES });
const replica = (number: number): Field<ReplicaId> => integer(number, { max: REPLICA_COUNT_MAX - 1 });

/** Opens the handshake; not signed. */
export const GREETING = message({
  /** Fresh for each link. */
  nonce: nonce(1),
  from: replica(2),
  to: replica(3),
});

/** What both ends sign. */
export const HELLO = message({
  protocolVersion: integer(1, { max: UINT32_MAX }),
  clusterId: digest(2),
  /** Of the consensus parameters the sender runs with. */
  parametersDigest: digest(3),
  from: replica(4),
  to: replica(5),
  diallerNonce: nonce(6),
  listenerNonce: nonce(7),
  /** Of the TLS certificates in DER. */
  diallerCertificateDigest: digest(8),
  listenerCertificateDigest: digest(9),
});

export type Greeting = Decoded<typeof GREETING>;
export type Hello = Decoded<typeof HELLO>;

/** The payload of a Hello: the bytes to sign. */
export function encodeHello(hello: Hello): Uint8Array {
  return encode(HELLO, hello);
}

/** The Hello in a signed payload. */
export function decodeHello(payload: Uint8Array): Result<Hello, Malformed> {
  return HELLO.decode(payload, ANY_CLUSTER);
}
