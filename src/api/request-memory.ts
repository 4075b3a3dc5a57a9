/**
 * What became of calls with a request id, so that a repeat through the same replica joins the first or gets its outcome
 * again instead of being executed twice.
 *
 * 1. Bounded: so many ids, so many bytes of results, so long. The oldest outcomes are forgotten first; one that is
 *    awaited never is.
 * 2. An id belongs to the operation that came with it first, known by its digest.
 * 3. A failure that took nothing is not remembered: a repeat is a new try. One whose outcome is unknown is: a new try
 *    could execute the operation twice, and the caller chose the id to be spared that.
 *
 * It is a courtesy of one replica, gone with its process; exactly-once for callers with a key is the client table's.
 */
import type { Executed, SubmitFailure } from '../runtime/face.js';
import type { Digest } from '../util/digest.js';
import type { Result } from '../util/result.js';

/** How much is remembered. */
export interface RequestMemoryLimits {
  readonly idsMax: number;
  /** Of results. */
  readonly bytesMax: number;
  readonly keepMs: number;
}

/** The outcome of a submitted operation. */
export type Outcome = Result<Executed, SubmitFailure>;

/** What there is to do for a call with a request id. */
export type Recollection =
  /** The id is new: the caller submits, and settles it. */
  | { readonly kind: 'first' }
  /** The outcome comes when the first call's does. */
  | { readonly kind: 'awaited' }
  | { readonly kind: 'settled'; readonly outcome: Outcome }
  /** The id belongs to another operation. */
  | { readonly kind: 'reused' }
  /** Every place is taken by an id that is awaited. */
  | { readonly kind: 'full' };

interface Awaited {
  readonly digest: Digest;
  readonly waiters: Set<(outcome: Outcome) => void>;
}

interface Settled {
  readonly digest: Digest;
  readonly outcome: Outcome;
  readonly settledMs: number;
  readonly sizeBytes: number;
}

/** What an outcome costs beside its result. */
const OVERHEAD_BYTES = 256;

/** The request ids that one replica remembers. */
export class RequestMemory {
  private readonly limits: RequestMemoryLimits;
  private readonly awaited = new Map<string, Awaited>();
  /** In the order in which they were settled. */
  private readonly settled = new Map<string, Settled>();
  private settledBytes = 0;

  constructor(limits: RequestMemoryLimits) {
    this.limits = limits;
  }

  /** How many ids it holds. */
  get size(): number {
    return this.awaited.size + this.settled.size;
  }

  /** Bytes of the outcomes it holds. */
  get sizeBytes(): number {
    return this.settledBytes;
  }

  /** Looks an id up, and takes it where it is new. `nowMs` is monotonic. */
  begin(id: string, digest: Digest, nowMs: number): Recollection {
    this.forgetOlderThan(nowMs - this.limits.keepMs);
    const awaited = this.awaited.get(id);
    if (awaited !== undefined) {
      return awaited.digest === digest ? { kind: 'awaited' } : { kind: 'reused' };
    }
    const settled = this.settled.get(id);
    if (settled !== undefined) {
      return settled.digest === digest ? { kind: 'settled', outcome: settled.outcome } : { kind: 'reused' };
    }
    if (this.awaited.size >= this.limits.idsMax) {
      return { kind: 'full' };
    }
    this.awaited.set(id, { digest, waiters: new Set() });
    this.forgetSurplus();
    return { kind: 'first' };
  }

  /** Has `waiter` called when an awaited id is settled. Returns a function that takes it back. */
  join(id: string, waiter: (outcome: Outcome) => void): () => void {
    const awaited = this.awaited.get(id);
    awaited?.waiters.add(waiter);
    return () => void awaited?.waiters.delete(waiter);
  }

  /** Tells all who wait for an id, and remembers the outcome where the operation may have been taken. */
  settle(id: string, outcome: Outcome, nowMs: number): void {
    const awaited = this.awaited.get(id);
    if (awaited === undefined) {
      return;
    }
    this.awaited.delete(id);
    if (outcome.ok || outcome.error.code === 'outcomeUnknown' || outcome.error.code === 'resultDropped') {
      const sizeBytes = OVERHEAD_BYTES + (outcome.ok ? outcome.value.result.length : 0);
      this.settled.set(id, { digest: awaited.digest, outcome, settledMs: nowMs, sizeBytes });
      this.settledBytes += sizeBytes;
      this.forgetSurplus();
    }
    for (const waiter of awaited.waiters) {
      waiter(outcome);
    }
  }

  private forgetOlderThan(oldestMs: number): void {
    for (const [id, settled] of this.settled) {
      if (settled.settledMs > oldestMs) {
        return;
      }
      this.forget(id, settled);
    }
  }

  private forgetSurplus(): void {
    for (const [id, settled] of this.settled) {
      if (this.size <= this.limits.idsMax && this.settledBytes <= this.limits.bytesMax) {
        return;
      }
      this.forget(id, settled);
    }
  }

  private forget(id: string, settled: Settled): void {
    this.settled.delete(id);
    this.settledBytes -= settled.sizeBytes;
  }
}
