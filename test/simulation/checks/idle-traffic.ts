/**
 * The end of invariant 15: where nothing is asked and nothing waits, healthy replicas send each other their heartbeat
 * and nothing else.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Observer } from './observer.js';
import { describeMessage, type SeenMessage } from './seen-message.js';

/** What is expected of an idle cluster. */
export interface IdleRules {
  /** Those that are held to it, in what they send each other. */
  readonly replicas: ReadonlySet<ReplicaId>;
  /** How often a Status may go from one to another. */
  readonly statusEveryMs: number;
  /** How long it was watched. */
  readonly watchedMs: number;
}

/** One at each end of the time, and one for a link or a timer that came between. */
const SPARE_STATUSES = 2;

/** Watches what is sent. */
export class IdleTraffic implements Observer {
  private isWatching = false;
  private readonly statuses = new Map<string, number>();
  private readonly others: { readonly from: ReplicaId; readonly to: ReplicaId; readonly message: SeenMessage }[] = [];

  onSent(from: ReplicaId, to: ReplicaId, message: SeenMessage): void {
    if (!this.isWatching) {
      return;
    }
    if (message.statements[0]?.message.type === 'status') {
      const pair = `${from} ${to}`;
      this.statuses.set(pair, (this.statuses.get(pair) ?? 0) + 1);
    } else {
      this.others.push({ from, to, message });
    }
  }

  /** Begins anew. */
  restart(): void {
    this.isWatching = true;
    this.statuses.clear();
    this.others.length = 0;
  }

  /** What was sent that need not be, undefined for nothing. */
  objection({ replicas, statusEveryMs, watchedMs }: IdleRules): string | undefined {
    const other = this.others.find(({ from, to }) => replicas.has(from) && replicas.has(to));
    if (other !== undefined) {
      return `replica ${other.from} sent replica ${other.to} ${describeMessage(other.message)}`;
    }
    const most = Math.ceil(watchedMs / statusEveryMs) + SPARE_STATUSES;
    for (const from of replicas) {
      for (const to of replicas) {
        const count = this.statuses.get(`${from} ${to}`) ?? 0;
        if (count > most) {
          return `replica ${from} sent replica ${to} ${count} Status in ${watchedMs.toFixed(0)} ms; ${most} are enough`;
        }
      }
    }
    return undefined;
  }
}
