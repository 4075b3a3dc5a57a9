/** A verifier that counts what it is asked, so that the work can be put down to the peer whose message caused it. */
import type { SignatureType, Verifier } from '../../ports/signatures.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { ClientId } from '../../util/digest.js';

/** Counts signature checks. */
export class CountedVerifier implements Verifier {
  private checks = 0;

  constructor(private readonly verifier: Verifier) {}

  verifyReplica(type: SignatureType, replica: ReplicaId, payload: Uint8Array, signature: Uint8Array): boolean {
    this.checks++;
    return this.verifier.verifyReplica(type, replica, payload, signature);
  }

  verifyClient(type: 'request', client: ClientId, payload: Uint8Array, signature: Uint8Array): boolean {
    this.checks++;
    return this.verifier.verifyClient(type, client, payload, signature);
  }

  /** The checks since the last call. */
  takeChecks(): number {
    const { checks } = this;
    this.checks = 0;
    return checks;
  }
}
