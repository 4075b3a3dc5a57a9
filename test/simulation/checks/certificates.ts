/**
 * Invariant 10: whatever a correct replica emits verifies for somebody who has only the genesis. This verifier is
 * written apart from the replica's: slow, and from the rules of protocol.md alone.
 */
import { sha256 } from '../../../src/crypto/hash.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import { equalBytes } from '../../../src/util/bytes.js';
import { decodeBatch } from '../../../src/wire/batch-codec.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import { decodeRequest, type UnverifiedRequest } from '../../../src/wire/request-codec.js';
import type { Observer, Violations } from './observer.js';
import { describeMessage, isShownToItsSigner, type SeenMessage, type SeenStatement } from './seen-message.js';
import { type ProofRules, viewObjection } from './view-change-proofs.js';

/** What a certificates check needs. */
export interface CertificatesCheckOptions extends ProofRules {
  readonly violations: Violations;
  readonly limits: WireLimits;
}

/** Verifies everything that leaves a correct replica. */
export class CertificatesCheck implements Observer {
  private readonly judged = new WeakSet<SeenMessage>();

  constructor(private readonly options: CertificatesCheckOptions) {}

  onSent(from: ReplicaId, to: ReplicaId, message: SeenMessage): void {
    if (this.judged.has(message) || isShownToItsSigner(message, to)) {
      return;
    }
    this.judged.add(message);
    const wrong = this.objection(message);
    if (wrong !== undefined) {
      this.options.violations.report(10, `replica ${from} sent ${describeMessage(message)}: ${wrong}`);
    }
  }

  private objection({ input, statements, isWhole }: SeenMessage): string | undefined {
    if (input === undefined || !isWhole) {
      return 'it is malformed';
    }
    const unsigned = statements.find((statement) => !this.isSigned(statement));
    if (unsigned !== undefined) {
      return `the signature of replica ${unsigned.sender} is not valid`;
    }
    if (input.kind === 'evidence') {
      // Each may be a lie: that there are two is what it shows.
      return equalBytes(input.first.payload, input.second.payload) ? 'it is one statement twice' : undefined;
    }
    for (const { sender, message } of statements) {
      const wrong = viewObjection(message, sender, this.options);
      if (wrong !== undefined) {
        return wrong;
      }
    }
    switch (input.kind) {
      case 'request':
        return this.requestObjection(input.bytes);
      case 'committedBatch':
        return (
          this.quorumObjection(statements, input.commits.length, 'commit') ??
          this.batchObjection(statements[0], input.batchBytes)
        );
      case 'checkpointCertificate':
        return this.quorumObjection(statements, input.checkpoints.length, 'checkpoint');
      case 'fetchAnswer':
        return input.answer.kind === 'checkpointCertificate'
          ? this.quorumObjection(statements, input.answer.checkpoints.length, 'checkpoint')
          : undefined;
      case 'proposal':
        return this.primaryObjection(statements[0]) ?? this.batchObjection(statements[0], input.batchBytes);
      default:
        return undefined;
    }
  }

  private isSigned({ sender, message, payload, signature }: SeenStatement): boolean {
    return this.options.verifier.verifyReplica(message.type, sender, payload, signature);
  }

  private quorumObjection(statements: readonly SeenStatement[], count: number, type: string): string | undefined {
    const { replicaCount, checkpointInterval } = this.options;
    const faulty = Math.floor((replicaCount - 1) / 3);
    const signers = new Set(statements.map(({ sender }) => sender));
    const contents = new Set(statements.map(({ message }) => JSON.stringify(message)));
    const first = statements[0]?.message;
    if (statements.length !== count || signers.size !== count || contents.size !== 1 || first?.type !== type) {
      return `it is not one statement by ${count} distinct replicas`;
    }
    if (first.type === 'checkpoint' && first.sequence % checkpointInterval !== 0) {
      return `${first.sequence} is not a multiple of the checkpoint interval`;
    }
    // Two quorums share more than f: 2q − n > f.
    return 2 * count - replicaCount > faulty ? undefined : `${count} of ${replicaCount} are no quorum`;
  }

  /** The batch is the one that the statement names, and clients signed all of it. */
  private batchObjection(statement: SeenStatement | undefined, batchBytes: Uint8Array): string | undefined {
    const message = statement?.message;
    const decoded = decodeBatch(batchBytes, this.options.limits, sha256);
    if (!decoded.ok || message === undefined || !('batchDigest' in message)) {
      return 'its batch is malformed';
    }
    if (sha256(batchBytes) !== message.batchDigest) {
      return 'its batch is not the one that it names';
    }
    return decoded.value.requests.every((request) => this.isSignedByClient(request))
      ? undefined
      : 'a request in it was not signed by its client';
  }

  private requestObjection(bytes: Uint8Array): string | undefined {
    const decoded = decodeRequest(bytes, this.options.limits, sha256);
    return decoded.ok && this.isSignedByClient(decoded.value) ? undefined : 'its client did not sign it';
  }

  private isSignedByClient({ request, payload, signature }: UnverifiedRequest): boolean {
    return this.options.verifier.verifyClient('request', request.clientId, payload, signature);
  }

  private primaryObjection(statement: SeenStatement | undefined): string | undefined {
    const message = statement?.message;
    if (statement === undefined || message?.type !== 'prePrepare') {
      return 'it has no pre-prepare';
    }
    return statement.sender === message.view % this.options.replicaCount
      ? undefined
      : `replica ${statement.sender} is not the primary of view ${message.view}`;
  }
}
