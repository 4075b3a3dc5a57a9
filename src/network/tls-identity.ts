/**
 * Who stands at the other end of a TLS connection: the certificate's URI `pbft://<cluster id>/replica/<i>` and the pin
 * of its key in the genesis must both say so [protocol.md 2; MK-04]. That the cluster's authority signed it
 * was checked by TLS before. Common names mean nothing.
 */
import type { X509Certificate } from 'node:crypto';
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import type { Digest, Hash } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';

const REPLICA_URI = /^URI:pbft:\/\/([0-9a-f]{64})\/replica\/(0|[1-9][0-9]{0,5})$/;

/** What a certificate is compared with. */
export interface KnownReplicas {
  readonly clusterId: Digest;
  /** SHA-256 of each replica's TLS key's SPKI DER, in the order of their ids. */
  readonly tlsPins: readonly Digest[];
  readonly hash: Hash;
}

/** Why a certificate is nobody's. */
export interface IdentityFault {
  readonly text: string;
  /** The replica that is pinned with this key, where the certificate names another cluster but is one's all the same. */
  readonly otherClusterOf: ReplicaId | undefined;
}

/** A certificate that is a replica's. */
export interface LinkIdentity {
  readonly replica: ReplicaId;
  /** SHA-256 of the certificate's DER: what the handshake binds itself to. */
  readonly certificateDigest: Digest;
}

function fault(text: string, otherClusterOf?: ReplicaId): { readonly ok: false; readonly error: IdentityFault } {
  return failed({ text, otherClusterOf });
}

/** The names of the form above. node:crypto puts quotes around what could be mistaken for a list. */
function replicaNames(certificate: X509Certificate): RegExpExecArray[] {
  const names = certificate.subjectAltName ?? '';
  if (names.includes('"')) {
    return [];
  }
  return names.split(', ').flatMap((name) => {
    const match = REPLICA_URI.exec(name);
    return match === null ? [] : [match];
  });
}

/** The replica that a certificate proves to be, or why it proves none. */
export function identifyReplica(
  certificate: X509Certificate,
  known: KnownReplicas,
): Result<LinkIdentity, IdentityFault> {
  const [name, ...others] = replicaNames(certificate);
  if (name === undefined || others.length > 0) {
    return fault(`the certificate names ${others.length === 0 ? 'no replica' : 'more than one replica'}`);
  }
  const [, clusterId, digits] = name;
  const replica = replicaId(Number(digits));
  const pin = known.hash(certificate.publicKey.export({ type: 'spki', format: 'der' }));
  const pinned = known.tlsPins.indexOf(pin);
  if (pinned !== replica) {
    const whose = pinned === -1 ? 'no replica' : `replica ${pinned}`;
    return fault(`the certificate names replica ${replica}, its key is pinned for ${whose}`);
  }
  if (clusterId !== known.clusterId) {
    return fault(`the certificate is for cluster ${clusterId}, this is cluster ${known.clusterId}`, replica);
  }
  return ok({ replica, certificateDigest: known.hash(certificate.raw) });
}
