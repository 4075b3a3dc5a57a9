/**
 * A part of invariant 4 that shows early: a ViewChange proves, with a certificate of at least that view, whatever its
 * sender committed above the stable checkpoint; and after it no commit of a lower view leaves that it doesn't prove.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Commit, ViewChange } from '../../../src/protocol/messages.js';
import type { Observer, Violations } from './observer.js';
import type { SeenMessage } from './seen-message.js';

/** What one correct replica said in all its lives. */
interface Said {
  /** By sequence: the commit of the highest view. */
  readonly commits: Map<number, Commit>;
  readonly viewChanges: ViewChange[];
}

/** The commits and view changes of correct replicas. */
export class ShownCommitsCheck implements Observer {
  private readonly said = new Map<ReplicaId, Said>();
  private readonly judged = new WeakSet<SeenMessage>();

  constructor(
    private readonly violations: Violations,
    private readonly isCorrect: (replica: ReplicaId) => boolean,
  ) {}

  onSent(_from: ReplicaId, _to: ReplicaId, message: SeenMessage): void {
    if (this.judged.has(message)) {
      return;
    }
    this.judged.add(message);
    for (const { sender, message: statement } of message.statements) {
      if (!this.isCorrect(sender)) {
        continue;
      }
      if (statement.type === 'commit') {
        this.onCommit(sender, statement);
      } else if (statement.type === 'viewChange') {
        this.onViewChange(sender, statement);
      }
    }
  }

  private onCommit(replica: ReplicaId, commit: Commit): void {
    const { commits, viewChanges } = this.saidBy(replica);
    const known = commits.get(commit.sequence);
    if (known === undefined || known.view < commit.view) {
      commits.set(commit.sequence, commit);
    }
    for (const viewChange of viewChanges) {
      this.judge(replica, viewChange, commit);
    }
  }

  private onViewChange(replica: ReplicaId, viewChange: ViewChange): void {
    const { commits, viewChanges } = this.saidBy(replica);
    if (viewChanges.some(({ newView }) => newView === viewChange.newView)) {
      return;
    }
    viewChanges.push(viewChange);
    for (const commit of commits.values()) {
      this.judge(replica, viewChange, commit);
    }
  }

  private judge(replica: ReplicaId, { newView, stableCheckpoint, prepared }: ViewChange, commit: Commit): void {
    const { view, sequence } = commit;
    if (view >= newView || sequence <= stableCheckpoint) {
      return;
    }
    const proof = prepared.find(({ prePrepare }) => prePrepare.message.sequence === sequence)?.prePrepare.message;
    if (proof === undefined || proof.view < view) {
      const shown = proof === undefined ? 'nothing' : `view ${proof.view}`;
      this.violations.report(
        4,
        `replica ${replica} committed sequence ${sequence} in view ${view}; its view change for ${newView} shows ${shown}`,
      );
    }
  }

  private saidBy(replica: ReplicaId): Said {
    const known = this.said.get(replica) ?? { commits: new Map(), viewChanges: [] };
    this.said.set(replica, known);
    return known;
  }
}
