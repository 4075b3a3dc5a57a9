/** Gets what the core lacks: batches and view changes by digest, and the ledger by ranges. */
import type { Completion } from '../ports/key-value-store.js';
import type { FetchTarget } from '../protocol/effects.js';
import type { ReplicaId, Sequence, View } from '../protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../protocol/messages.js';
import { computeViewChangeDigest } from '../protocol/view-change-log.js';
import type { Digest } from '../util/digest.js';
import { decodeBatch } from '../wire/batch-codec.js';
import type { Envelope } from '../wire/envelope.js';
import type { FetchAnswer } from '../wire/peer-message.js';
import { Asker, type AskerOptions, type Question } from './asker.js';
import type { BatchBody } from './batch-bodies.js';
import type { RuntimeHeld } from './held.js';
import { LedgerFetch, type LedgerFetchOptions } from './ledger-fetch.js';

/** What a fetcher needs. */
export interface FetcherOptions extends AskerOptions, Omit<LedgerFetchOptions, 'asker'> {
  /** The batch in memory or in the own store. */
  readonly loadBatch: (sequence: Sequence, digest: Digest, done: Completion<BatchBody | undefined>) => void;
  /** The view change in an envelope whose own signature is right, or undefined. */
  readonly verifyViewChange: (envelope: Envelope) => Verified<Signed<ViewChange>> | undefined;
}

/** The fetches under way. */
export class Fetcher {
  private readonly asker: Asker;
  private readonly ledger: LedgerFetch;
  /** At most one a sequence of the window. */
  private readonly batches = new Map<Digest, { readonly sequence: Sequence; readonly question: Question }>();
  /** Those that the NewView of one view names. */
  private readonly viewChanges = new Map<Digest, { readonly view: View; readonly question: Question }>();

  constructor(private readonly options: FetcherOptions) {
    this.asker = new Asker(options);
    this.ledger = new LedgerFetch({ ...options, asker: this.asker });
  }

  /** How much is being fetched. */
  get held(): Pick<RuntimeHeld, 'questions' | 'batchesFetched' | 'viewChangesFetched' | 'headersFetched'> {
    return {
      questions: this.asker.size,
      batchesFetched: this.batches.size,
      viewChangesFetched: this.viewChanges.size,
      headersFetched: this.ledger.headerCount,
    };
  }

  /** Begins a fetch; one of the same kind and name that runs goes on. */
  fetch(target: FetchTarget): void {
    switch (target.kind) {
      case 'ledger':
        return this.ledger.start(target.first, { sequence: target.last, headerDigest: target.lastHeaderDigest });
      case 'batch':
        return this.findBatch(target.sequence, target.digest);
      case 'viewChange':
        return this.fetchViewChange(target);
    }
  }

  /** A peer answered. */
  onAnswer(peer: ReplicaId, id: number, answer: FetchAnswer<Envelope>): void {
    this.asker.onAnswer(peer, id, answer);
  }

  /** This replica executed a sequence: what was fetched for it is no longer needed. */
  onExecuted(executed: Sequence): void {
    for (const [digest, { sequence, question }] of this.batches) {
      if (sequence <= executed) {
        question.cancel();
        this.batches.delete(digest);
      }
    }
    this.ledger.onExecuted(executed);
  }

  /** Ends all fetches. */
  stop(): void {
    this.ledger.stop();
    this.asker.stop();
  }

  /** The own store may have it: it was accepted in an earlier view, or decided before this replica asked. */
  private findBatch(sequence: Sequence, digest: Digest): void {
    if (this.batches.has(digest)) {
      return;
    }
    this.options.loadBatch(sequence, digest, (result) => {
      if (result.ok && result.value !== undefined) {
        this.options.onEvent({ kind: 'batchFetched', sequence, batch: result.value.batch });
      } else if (!this.batches.has(digest)) {
        this.fetchBatch(sequence, digest);
      }
    });
  }

  private fetchViewChange({ replica, digest, view }: Extract<FetchTarget, { kind: 'viewChange' }>): void {
    this.dropViewChangesBelow(view);
    if (this.viewChanges.has(digest)) {
      return;
    }
    const question = this.asker.ask({ kind: 'viewChange', replica, digest }, (answer) => {
      const message = answer.kind === 'viewChange' ? this.options.verifyViewChange(answer.viewChange) : undefined;
      if (message === undefined || computeViewChangeDigest(message, this.options.hash) !== digest) {
        return false;
      }
      this.viewChanges.delete(digest);
      this.options.onEvent({ kind: 'messageReceived', message });
      return true;
    });
    this.viewChanges.set(digest, { view, question });
  }

  /** What an older view's NewView named is no longer asked for. */
  private dropViewChangesBelow(view: View): void {
    for (const [digest, asked] of this.viewChanges) {
      if (asked.view < view) {
        asked.question.cancel();
        this.viewChanges.delete(digest);
      }
    }
  }

  private fetchBatch(sequence: Sequence, digest: Digest): void {
    const { limits, hash, keepBatch, onEvent } = this.options;
    const question = this.asker.ask({ kind: 'batch', sequence, batchDigest: digest }, (answer) => {
      const decoded = answer.kind === 'batch' ? decodeBatch(answer.batchBytes, limits, hash) : undefined;
      if (!decoded?.ok || decoded.value.batch.digest !== digest) {
        return false;
      }
      const { batch, requests } = decoded.value;
      keepBatch(
        batch,
        requests.map(({ request }) => request),
      );
      this.batches.delete(digest);
      onEvent({ kind: 'batchFetched', sequence, batch });
      return true;
    });
    this.batches.set(digest, { sequence, question });
  }
}
