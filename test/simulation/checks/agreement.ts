/**
 * Invariants 1, 2 and 7: no two correct replicas execute different batches at one sequence, their headers form one
 * chain, and what a caller was told stands in it. What one correct replica executed once is history for ever: nothing
 * is forgotten here when replicas crash.
 */
import type { Header } from '../../../src/ledger/header.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Executed } from '../../../src/runtime/face.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer, Violations } from './observer.js';

interface Decided {
  readonly header: Header;
  readonly headerDigest: Digest;
  readonly by: ReplicaId;
}

/** The history that all correct replicas share. */
export class AgreementCheck implements Observer {
  private readonly decided = new Map<number, Decided>();

  constructor(
    private readonly violations: Violations,
    private readonly genesisDigest: Digest,
  ) {}

  /** The highest sequence that any correct replica executed. */
  get height(): number {
    return this.decided.size;
  }

  /** The header digest at a sequence, undefined where nobody executed it yet. */
  headerDigestAt(sequence: number): Digest | undefined {
    return sequence === 0 ? this.genesisDigest : this.decided.get(sequence)?.headerDigest;
  }

  onExecuted(replica: ReplicaId, writes: readonly ExecutionWrite[]): void {
    for (const { header, headerDigest } of writes) {
      const known = this.decided.get(header.sequence);
      if (known === undefined) {
        this.add(replica, header, headerDigest);
      } else if (known.header.batchDigest !== header.batchDigest) {
        this.violations.report(
          1,
          `sequence ${header.sequence}: replica ${known.by} executed batch ${known.header.batchDigest}, ` +
            `replica ${replica} batch ${header.batchDigest}`,
        );
      } else if (known.headerDigest !== headerDigest) {
        this.violations.report(
          2,
          `sequence ${header.sequence}: replica ${known.by} has header ${JSON.stringify(known.header)}, ` +
            `replica ${replica} ${JSON.stringify(header)}`,
        );
      }
    }
  }

  onAnswered(replica: ReplicaId, { sequence, headerDigest }: Executed): void {
    const known = this.headerDigestAt(sequence);
    if (known !== headerDigest) {
      this.violations.report(
        7,
        `replica ${replica} told a caller of header ${headerDigest} at sequence ${sequence}; executed is ${known}`,
      );
    }
  }

  private add(replica: ReplicaId, header: Header, headerDigest: Digest): void {
    const previous = this.headerDigestAt(header.sequence - 1);
    if (previous !== header.previousHeaderDigest) {
      this.violations.report(
        2,
        `replica ${replica} executed sequence ${header.sequence} after header ${header.previousHeaderDigest}; ` +
          `the one before it is ${previous}`,
      );
    }
    this.decided.set(header.sequence, { header, headerDigest, by: replica });
  }
}
