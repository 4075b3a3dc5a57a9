/** Signatures for tests that look at who checks what: a digest over cluster, type, signer and payload, and a verifier that counts. */
import { sha256 } from '../../src/crypto/hash.js';
import type { SignatureType, Verifier } from '../../src/ports/signatures.js';
import { type ReplicaId, replicaId } from '../../src/protocol/identifiers.js';
import type { ProtocolMessage, Signed } from '../../src/protocol/messages.js';
import { concatBytes, equalBytes, utf8 } from '../../src/util/bytes.js';
import { type ClientId, digestBytes } from '../../src/util/digest.js';
import { encodePayload } from '../../src/wire/message-codec.js';

const CLUSTER = 'this cluster';

/** The signature of a replica (by number) or client. */
export function fakeSignature(
  type: SignatureType,
  signer: number | ClientId,
  payload: Uint8Array,
  cluster = CLUSTER,
): Uint8Array {
  return digestBytes(sha256(concatBytes([utf8(`${cluster}|${type}|${signer}|`), payload])));
}

/** A statement with its fake signature. */
export function fakeSigned<M extends ProtocolMessage>(message: M, sender: number): Signed<M> {
  const payload = encodePayload(message);
  return { message, sender: replicaId(sender), payload, signature: fakeSignature(message.type, sender, payload) };
}

/** Checks fake signatures and counts how often it was asked. */
export class CountingVerifier implements Verifier {
  replicaChecks = 0;
  clientChecks = 0;

  constructor(private readonly clients: ReadonlySet<ClientId>) {}

  verifyReplica(type: SignatureType, replica: ReplicaId, payload: Uint8Array, signature: Uint8Array): boolean {
    this.replicaChecks++;
    return equalBytes(signature, fakeSignature(type, replica, payload));
  }

  verifyClient(type: 'request', client: ClientId, payload: Uint8Array, signature: Uint8Array): boolean {
    this.clientChecks++;
    return this.clients.has(client) && equalBytes(signature, fakeSignature(type, client, payload));
  }
}
