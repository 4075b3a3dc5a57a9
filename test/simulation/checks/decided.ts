/**
 * Invariants 1 and 4 before anybody executes. A batch is decided from the moment when so many correct replicas hold a
 * prepared certificate for it, on disk, that no quorum of ViewChanges can leave all of them out. From then on every
 * NewView for a later view that begins below it has it, and no correct replica prepares another in a later view. What
 * breaks this would break agreement only if the batch was also committed somewhere, which is rarer.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { PrePrepare } from '../../../src/protocol/messages.js';
import type { QuorumSizes } from '../../../src/protocol/quorum.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer, Violations } from './observer.js';

interface Decided {
  readonly digest: Digest;
  /** The lowest view in which it is known to be decided. */
  readonly view: number;
}

interface Prepared {
  readonly by: ReplicaId;
  readonly prePrepare: PrePrepare;
}

interface Begun {
  readonly by: ReplicaId;
  readonly view: number;
  readonly minSequence: number;
  readonly proposals: ReadonlyMap<number, Digest>;
}

/** What correct replicas prepared, and what follows from it. */
export class DecidedCheck implements Observer {
  /** By view, sequence and digest. */
  private readonly holders = new Map<string, Set<ReplicaId>>();
  private readonly decided = new Map<number, Decided>();
  private readonly prepared: Prepared[] = [];
  private readonly begun: Begun[] = [];

  constructor(
    private readonly violations: Violations,
    private readonly sizes: Pick<QuorumSizes, 'replicaCount' | 'quorum'>,
  ) {}

  onAppended(replica: ReplicaId, record: LogRecord): void {
    if (record.kind === 'prepared') {
      const prepared = { by: replica, prePrepare: record.certificate.prePrepare.message };
      this.prepared.push(prepared);
      this.judgePrepared(prepared);
    } else if (record.kind === 'newView') {
      const { newView, viewChanges } = record.begun;
      const begun = {
        by: replica,
        view: newView.message.newView,
        minSequence: Math.max(0, ...viewChanges.map(({ message }) => message.stableCheckpoint)),
        proposals: new Map(
          newView.message.prePrepares.map(({ message }) => [Number(message.sequence), message.batchDigest]),
        ),
      };
      this.begun.push(begun);
      for (const sequence of this.decided.keys()) {
        this.judgeBegun(sequence, begun);
      }
    }
  }

  onDurable(replica: ReplicaId, record: LogRecord): void {
    if (record.kind !== 'prepared') {
      return;
    }
    const { view, sequence, batchDigest: digest } = record.certificate.prePrepare.message;
    const name = `${view} ${sequence} ${digest}`;
    const holders = this.holders.get(name) ?? new Set();
    this.holders.set(name, holders.add(replica));
    const { replicaCount, quorum } = this.sizes;
    const known = this.decided.get(sequence);
    if (holders.size <= replicaCount - quorum || (known !== undefined && known.view <= view)) {
      return;
    }
    this.decided.set(sequence, { digest, view });
    for (const prepared of this.prepared) {
      this.judgePrepared(prepared);
    }
    for (const begun of this.begun) {
      this.judgeBegun(sequence, begun);
    }
  }

  private judgePrepared({ by, prePrepare }: Prepared): void {
    const decided = this.decided.get(prePrepare.sequence);
    if (decided !== undefined && prePrepare.view > decided.view && prePrepare.batchDigest !== decided.digest) {
      this.violations.report(
        4,
        `sequence ${prePrepare.sequence} was decided with ${decided.digest} in view ${decided.view}; ` +
          `replica ${by} prepared ${prePrepare.batchDigest} in view ${prePrepare.view}`,
      );
    }
  }

  private judgeBegun(sequence: number, { by, view, minSequence, proposals }: Begun): void {
    const decided = this.decided.get(sequence);
    if (decided === undefined || view <= decided.view || sequence <= minSequence) {
      return;
    }
    if (proposals.get(sequence) !== decided.digest) {
      this.violations.report(
        4,
        `sequence ${sequence} was decided with ${decided.digest} in view ${decided.view}; ` +
          `replica ${by} began view ${view} above ${minSequence} with ${proposals.get(sequence)} there`,
      );
    }
  }
}
