/** The part of invariant 8 that is about clients: no correct one signs two requests with one number, in all its lives. */
import { sha256 } from '../../../src/crypto/hash.js';
import type { SignatureType } from '../../../src/ports/signatures.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { ClientId, Digest } from '../../../src/util/digest.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import { decodeRequest } from '../../../src/wire/request-codec.js';
import type { Observer, Violations } from './observer.js';

/** What the check needs. */
export interface RequestContradictionOptions {
  readonly violations: Violations;
  readonly limits: WireLimits;
  readonly clientOf: (replica: ReplicaId) => ClientId;
  readonly isCorrect: (replica: ReplicaId) => boolean;
}

const NO_SIGNATURE = new Uint8Array(1);

/** The requests that correct replicas signed as clients. */
export class RequestContradictionCheck implements Observer {
  private readonly signed = new Map<string, Digest>();

  constructor(private readonly options: RequestContradictionOptions) {}

  onSigned(signer: ReplicaId, type: SignatureType, payload: Uint8Array): void {
    const { violations, limits, clientOf, isCorrect } = this.options;
    if (type !== 'request' || !isCorrect(signer)) {
      return;
    }
    const sender = { kind: 'client', clientId: clientOf(signer) } as const;
    const bytes = encodeEnvelope({ type: 'request', sender, payload, signature: NO_SIGNATURE });
    const decoded = decodeRequest(bytes, limits, sha256);
    if (!decoded.ok) {
      violations.report(10, `replica ${signer} signed a request that is none: ${decoded.error.description}`);
      return;
    }
    const { number, digest } = decoded.value.request;
    const known = this.signed.get(`${signer} ${number}`);
    if (known !== undefined && known !== digest) {
      violations.report(8, `replica ${signer} signed request ${number} with ${known} and with ${digest}`);
    }
    this.signed.set(`${signer} ${number}`, digest);
  }
}
