/** Signing and verifying statements. */
import type { ReplicaId } from '../protocol/identifiers.js';
import type { ProtocolMessage } from '../protocol/messages.js';
import type { ClientId } from '../util/digest.js';

/** What a signature is of: it is part of what is signed. */
export type SignatureType = ProtocolMessage['type'] | 'request' | 'hello' | 'header';

/** Signs with this process's own key. */
export interface Signer {
  /**
   * Signs a payload off the main thread; `done` is called exactly once, never before the call returns. Completions may
   * come in another order than the calls. A key that can't sign ends the process: it was checked at the start.
   */
  sign(type: SignatureType, payload: Uint8Array, done: (signature: Uint8Array) => void): void;
}

/** Verifies others' signatures with the keys of the genesis. Total: false for anything that isn't right. */
export interface Verifier {
  verifyReplica(type: SignatureType, replica: ReplicaId, payload: Uint8Array, signature: Uint8Array): boolean;
  /** False also for a client that isn't known. */
  verifyClient(type: 'request', client: ClientId, payload: Uint8Array, signature: Uint8Array): boolean;
}
