/** Gets what the core lacks: batches and view changes by digest, and the ledger by ranges. */
import type { Completion } from '../../ports/key-value-store.js';
import type { CoreView } from '../../protocol/core.js';
import type { FetchTarget } from '../../protocol/effects.js';
import { type ReplicaId, type Sequence, view as toView, type View } from '../../protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../../protocol/messages.js';
import { computeViewChangeDigest } from '../../protocol/view-change-log.js';
import type { Digest } from '../../util/digest.js';
import { decodeBatch } from '../../wire/batch-codec.js';
import type { Envelope } from '../../wire/envelope.js';
import type { FetchAnswer } from '../../wire/peer-message.js';
import type { BatchBody } from '../execution/batch-bodies.js';
import { Asker, type AskerOptions, type Question } from './asker.js';
import { LedgerFetch, type LedgerFetchOptions } from './ledger-fetch.js';

/** What a fetcher needs. */
export interface FetcherOptions extends AskerOptions, Omit<LedgerFetchOptions, 'asker'> {
  /** The batch in memory or in the own store. */
  readonly loadBatch: (sequence: Sequence, digest: Digest, done: Completion<BatchBody | undefined>) => void;
  /** The view change in an envelope whose own signature is right, or undefined. */
  readonly verifyViewChange: (envelope: Envelope) => Verified<Signed<ViewChange>> | undefined;
  /** A peer answered what it wasn't asked. */
  readonly onUnasked: (peer: ReplicaId) => void;
}

/** The fetches under way. */
export class Fetcher {
  private readonly asker: Asker;
  private readonly ledger: LedgerFetch;
  /** One a sequence of the window: what a later view wants there replaces what an earlier one wanted. */
  private readonly batches = new Map<Sequence, { readonly digest: Digest; readonly question: Question }>();
  /** Those that the NewView of one view names. */
  private readonly viewChanges = new Map<Digest, { readonly view: View; readonly question: Question }>();

  constructor(private readonly options: FetcherOptions) {
    this.asker = new Asker(options);
    this.ledger = new LedgerFetch({ ...options, asker: this.asker });
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

  /** A peer answered. Returns whether it was asked. */
  onAnswer(peer: ReplicaId, id: number, answer: FetchAnswer): boolean {
    const isAsked = this.asker.onAnswer(peer, id, answer);
    if (!isAsked) {
      this.options.onUnasked(peer);
    }
    return isAsked;
  }

  /** This replica executed a sequence: what was fetched for it is no longer needed. */
  onExecuted(executed: Sequence): void {
    this.dropBatchesUpTo(executed);
    this.ledger.onExecuted(executed);
  }

  /**
   * Where the core stands: batches up to h, which come as ledger now, and view changes that only the NewViews of earlier
   * views named aren't asked for any more.
   */
  onTurn({ view, active, lowWatermark }: Pick<CoreView, 'view' | 'active' | 'lowWatermark'>): void {
    this.dropViewChangesBelow(active ? toView(view + 1) : view);
    this.dropBatchesUpTo(lowWatermark);
  }

  /** Ends all fetches. */
  stop(): void {
    this.ledger.stop();
    this.asker.stop();
  }

  /** The own store may have it: it was accepted in an earlier view, or decided before this replica asked. */
  private findBatch(sequence: Sequence, digest: Digest): void {
    if (this.isFetching(sequence, digest)) {
      return;
    }
    this.options.loadBatch(sequence, digest, (result) => {
      if (result.ok && result.value !== undefined) {
        this.options.onEvent({ kind: 'batchFetched', sequence, batch: result.value.batch });
      } else if (!this.isFetching(sequence, digest)) {
        this.fetchBatch(sequence, digest);
      }
    });
  }

  private isFetching(sequence: Sequence, digest: Digest): boolean {
    return this.batches.get(sequence)?.digest === digest;
  }

  private dropBatchesUpTo(last: Sequence): void {
    for (const [sequence, { question }] of this.batches) {
      if (sequence <= last) {
        question.cancel();
        this.batches.delete(sequence);
      }
    }
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

  /** What the NewView of a view below this one named is no longer asked for. */
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
      this.batches.delete(sequence);
      onEvent({ kind: 'batchFetched', sequence, batch });
      return true;
    });
    this.batches.get(sequence)?.question.cancel();
    this.batches.set(sequence, { digest, question });
  }
}
