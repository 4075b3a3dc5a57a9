/**
 * Invariant 4: what some correct replica committed at s in v is in every NewView that a correct replica accepted for a
 * later view and that begins below s. And where a null batch may stand: only where an accepted NewView put it.
 */
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer, Violations } from './observer.js';

interface Committed {
  readonly digest: Digest;
  /** The lowest view in which it is known to be committed. */
  view: number;
}

interface Begun {
  readonly view: number;
  readonly by: ReplicaId;
  /** min-s: what is at or below it is certified by a checkpoint. */
  readonly minSequence: number;
  readonly proposals: ReadonlyMap<number, Digest>;
}

/** What was committed, and how views began. */
export class ViewChangesCheck implements Observer {
  private readonly committed = new Map<number, Committed>();
  private readonly begun: Begun[] = [];
  /** By sequence: the views that began with the null batch there. */
  private readonly nulls = new Map<number, Set<number>>();

  constructor(
    private readonly violations: Violations,
    private readonly nullBatchDigest: Digest,
  ) {}

  /** Whether this view began with the null batch at this sequence; any view where it is not known which decided it. */
  mayBeNull(sequence: number, view: number | undefined): boolean {
    const views = this.nulls.get(sequence);
    return views !== undefined && (view === undefined || views.has(view));
  }

  onAppended(replica: ReplicaId, record: LogRecord): void {
    if (record.kind !== 'newView') {
      return;
    }
    const { newView, viewChanges } = record.begun;
    const { prePrepares } = newView.message;
    const proposals = new Map(prePrepares.map(({ message }) => [Number(message.sequence), message.batchDigest]));
    const minSequence = Math.max(0, ...viewChanges.map(({ message }) => message.stableCheckpoint));
    const begun = { view: newView.message.newView, by: replica, minSequence, proposals };
    this.begun.push(begun);
    for (const [sequence, digest] of proposals) {
      if (digest === this.nullBatchDigest) {
        this.nulls.set(sequence, (this.nulls.get(sequence) ?? new Set()).add(begun.view));
      }
    }
    for (const [sequence, committed] of this.committed) {
      this.judge(sequence, committed, begun);
    }
  }

  onExecuted(_replica: ReplicaId, writes: readonly ExecutionWrite[]): void {
    for (const { header, certificate } of writes) {
      const view = certificate?.commits[0]?.message.view;
      const known = this.committed.get(header.sequence);
      if (view === undefined || (known !== undefined && known.view <= view)) {
        continue;
      }
      const committed = { digest: header.batchDigest, view };
      this.committed.set(header.sequence, committed);
      for (const begun of this.begun) {
        this.judge(header.sequence, committed, begun);
      }
    }
  }

  private judge(sequence: number, { digest, view }: Committed, begun: Begun): void {
    if (begun.view > view && begun.minSequence < sequence && begun.proposals.get(sequence) !== digest) {
      this.violations.report(
        4,
        `sequence ${sequence} was committed with ${digest} in view ${view}; replica ${begun.by} began view ` +
          `${begun.view} above ${begun.minSequence} with ${begun.proposals.get(sequence)} there`,
      );
    }
  }
}
