/**
 * How often a run comes to the places where view changes go wrong. It judges nothing: a check of what never happens
 * proves nothing, so what happens is counted.
 */
import { sha256 } from '../../../src/crypto/hash.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { BegunView, LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer } from './observer.js';

/** What is counted. */
export const VIEW_SITUATIONS = [
  /** NewViews that correct replicas accepted or sent, each counted once; and of them those that propose something, */
  'newViews',
  'proposing',
  /** that propose what prepared in an older view than the last one, */
  'olderThanLast',
  /** whose ViewChanges certify one sequence in two views, or with two digests, */
  'twoViews',
  'twoDigests',
  /** that fill a gap with the null batch. */
  'gaps',
  /** Acceptances that made a replica's stable checkpoint a higher one. */
  'minAhead',
  /** Executions by commits of a lower view than the replica is in. */
  'olderCommits',
  /** Starts of a replica that had left a view and begun no other. */
  'startsBetweenViews',
] as const;

/** One of them. */
export type ViewSituation = (typeof VIEW_SITUATIONS)[number];

/** Counts. */
export class ViewTally implements Observer {
  readonly counts = new Map<ViewSituation, number>(VIEW_SITUATIONS.map((situation) => [situation, 0]));
  private readonly seen = new Set<Digest>();
  private readonly viewOf = new Map<ReplicaId, number>();
  private readonly lastRecord = new Map<ReplicaId, LogRecord>();

  constructor(private readonly nullBatchDigest: Digest) {}

  onAppended(replica: ReplicaId, record: LogRecord): void {
    if (record.kind === 'view') {
      this.viewOf.set(replica, record.view);
    } else if (record.kind === 'newView') {
      this.onBegun(replica, record.begun);
    }
    this.lastRecord.set(replica, record);
  }

  onRecovered(replica: ReplicaId, { view, active }: RecoveredState): void {
    this.viewOf.set(replica, view);
    this.count('startsBetweenViews', !active);
  }

  onExecuted(replica: ReplicaId, writes: readonly ExecutionWrite[]): void {
    for (const { certificate } of writes) {
      const view = certificate?.commits[0]?.message.view;
      this.count('olderCommits', view !== undefined && view < (this.viewOf.get(replica) ?? 0));
    }
  }

  private onBegun(replica: ReplicaId, { newView, viewChanges }: BegunView): void {
    const { newView: view, prePrepares } = newView.message;
    const before = this.lastRecord.get(replica);
    const minSequence = Math.max(0, ...viewChanges.map(({ message }) => message.stableCheckpoint));
    const adopted =
      before?.kind === 'stableCheckpoint' ? before.certificate.checkpoints[0]?.message.sequence : undefined;
    this.count('minAhead', adopted === minSequence);
    const name = sha256(newView.payload);
    if (this.seen.has(name)) {
      return;
    }
    this.seen.add(name);
    const shown = viewChanges
      .flatMap(({ message }) => message.prepared.map(({ prePrepare }) => prePrepare.message))
      .filter(({ sequence }) => sequence > minSequence);
    const differ = (by: 'view' | 'batchDigest'): boolean =>
      shown.some((one) => shown.some((other) => other.sequence === one.sequence && other[by] !== one[by]));
    const highestOf = (at: number): number =>
      Math.max(-1, ...shown.filter(({ sequence }) => sequence === at).map((proof) => proof.view));
    const highest = prePrepares.map(({ message }) => highestOf(message.sequence));
    this.count('newViews', true);
    this.count('proposing', prePrepares.length > 0);
    this.count(
      'olderThanLast',
      highest.some((shownIn) => shownIn >= 0 && shownIn < view - 1),
    );
    this.count('twoViews', differ('view'));
    this.count('twoDigests', differ('batchDigest'));
    this.count(
      'gaps',
      prePrepares.some(({ message }) => message.batchDigest === this.nullBatchDigest),
    );
  }

  private count(situation: ViewSituation, isSo: boolean): void {
    if (isSo) {
      this.counts.set(situation, (this.counts.get(situation) ?? 0) + 1);
    }
  }
}
