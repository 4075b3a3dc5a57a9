/**
 * Invariants 5 and 6: every executed request was signed by its client, and takes effect once. The null batch stands
 * only where a view change put it.
 */
import { sha256 } from '../../../src/crypto/hash.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { SignatureType } from '../../../src/ports/signatures.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { ClientId, Digest } from '../../../src/util/digest.js';
import { computeRequestDigest } from '../../../src/wire/request-codec.js';
import type { Observer, Violations } from './observer.js';

/** What a requests check needs. */
export interface RequestsCheckOptions {
  readonly violations: Violations;
  readonly clientOf: (replica: ReplicaId) => ClientId;
  readonly nullBatchDigest: Digest;
  /** Whether a null batch may stand at this sequence where it was decided in this view, undefined where that isn't known. */
  readonly mayBeNull: (sequence: number, view: number | undefined) => boolean;
}

/** All requests that were signed, and where each took effect. */
export class RequestsCheck implements Observer {
  private readonly signed = new Set<string>();
  private readonly executedAt = new Map<string, { readonly sequence: number; readonly digest: Digest }>();

  constructor(private readonly options: RequestsCheckOptions) {}

  onSigned(signer: ReplicaId, type: SignatureType, payload: Uint8Array): void {
    if (type === 'request') {
      const clientId = this.options.clientOf(signer);
      this.signed.add(`${clientId} ${computeRequestDigest(clientId, payload, sha256)}`);
    }
  }

  onExecuted(replica: ReplicaId, writes: readonly ExecutionWrite[]): void {
    const { violations, nullBatchDigest, mayBeNull } = this.options;
    for (const { header, certificate, rowsPut } of writes) {
      const view = certificate?.commits[0]?.message.view;
      if (header.batchDigest === nullBatchDigest && !mayBeNull(header.sequence, view)) {
        violations.report(5, `replica ${replica} executed the null batch at sequence ${header.sequence}`);
      }
      for (const { clientId, number, requestDigest, sequence } of rowsPut) {
        // Rows of earlier sequences are written again when their results are dropped.
        if (sequence === header.sequence) {
          this.judge(replica, sequence, { name: `${clientId} ${number}`, clientId, digest: requestDigest });
        }
      }
    }
  }

  private judge(
    replica: ReplicaId,
    sequence: number,
    { name, clientId, digest }: { readonly name: string; readonly clientId: ClientId; readonly digest: Digest },
  ): void {
    const { violations } = this.options;
    if (!this.signed.has(`${clientId} ${digest}`)) {
      violations.report(5, `replica ${replica} executed request ${name} at ${sequence}, which its client never signed`);
    }
    const known = this.executedAt.get(name);
    if (known === undefined) {
      this.executedAt.set(name, { sequence, digest });
    } else if (known.sequence !== sequence || known.digest !== digest) {
      violations.report(6, `request ${name} took effect at sequence ${known.sequence} and at ${sequence}`);
    }
  }
}
