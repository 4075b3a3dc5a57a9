/** Invariant 12: evidence exists only against the faulty, and verifies by itself. */
import type { Verifier } from '../../../src/ports/signatures.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Evidence, LogRecord } from '../../../src/protocol/log-record.js';
import type { Signed } from '../../../src/protocol/messages.js';
import { equalBytes } from '../../../src/util/bytes.js';
import type { Observer, Violations } from './observer.js';

/** What an evidence check needs. */
export interface EvidenceCheckOptions {
  readonly violations: Violations;
  readonly verifier: Verifier;
  readonly isCorrect: (replica: ReplicaId) => boolean;
}

/** Judges the evidence that correct replicas keep. */
export class EvidenceCheck implements Observer {
  constructor(private readonly options: EvidenceCheckOptions) {}

  onAppended(replica: ReplicaId, record: LogRecord): void {
    if (record.kind !== 'evidence') {
      return;
    }
    const { violations, isCorrect } = this.options;
    const { evidence } = record;
    if (isCorrect(evidence.replica)) {
      violations.report(12, `replica ${replica} accuses the correct replica ${evidence.replica} of ${evidence.kind}`);
    }
    if (!this.verifies(evidence)) {
      violations.report(12, `what replica ${replica} holds against replica ${evidence.replica} does not verify`);
    }
  }

  private verifies({ replica, kind, first, second }: Evidence): boolean {
    const isSigned = ({ message, sender, payload, signature }: Signed): boolean =>
      sender === replica &&
      message.type === kind &&
      this.options.verifier.verifyReplica(kind, replica, payload, signature);
    return isSigned(first) && isSigned(second) && !equalBytes(first.payload, second.payload);
  }
}
