/** Invariant 3: no two correct replicas hold certificates of one (view, sequence) with different digests. */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer, Violations } from './observer.js';

/** All prepared certificates of correct replicas. */
export class PreparedUniquenessCheck implements Observer {
  private readonly prepared = new Map<string, { readonly digest: Digest; readonly by: ReplicaId }>();

  constructor(private readonly violations: Violations) {}

  onAppended(replica: ReplicaId, record: LogRecord): void {
    if (record.kind !== 'prepared') {
      return;
    }
    const { view, sequence, batchDigest } = record.certificate.prePrepare.message;
    const name = `${view}/${sequence}`;
    const known = this.prepared.get(name);
    if (known === undefined) {
      this.prepared.set(name, { digest: batchDigest, by: replica });
    } else if (known.digest !== batchDigest) {
      this.violations.report(
        3,
        `view ${view}, sequence ${sequence}: replica ${known.by} prepared ${known.digest}, ` +
          `replica ${replica} ${batchDigest}`,
      );
    }
  }
}
