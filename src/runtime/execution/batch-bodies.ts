/**
 * Decoded batches at hand: what execution and proposals to peers need of a batch beside the summary that the core
 * keeps. Bounded in memory; what was evicted is read from the store and decoded anew.
 *
 * 1. A body that is on its way to the store is evicted only when such bodies alone exceed the bound. It can then be
 *    missing: `load` says so, and the batch is fetched from a peer like any other that is missing.
 * 2. Bodies that nobody took have a share of the bound: a peer can send any number that the core refuses, and they would
 *    stay for ever, because nothing brings them to the store.
 * 3. The null batch is always there.
 */
import type { Completion } from '../../ports/key-value-store.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { Sequence } from '../../protocol/identifiers.js';
import type { EncodedBatch, SignedRequest } from '../../protocol/messages.js';
import { assert } from '../../util/assert.js';
import type { Digest, Hash } from '../../util/digest.js';
import { ok, type Result } from '../../util/result.js';
import { type DecodedBatch, decodeBatch, NULL_BATCH_BYTES } from '../../wire/batch-codec.js';
import type { WireLimits } from '../../wire/limits.js';
import type { Malformed } from '../../wire/malformed.js';

/** A batch with the requests in it, in the order of execution. */
export interface BatchBody {
  readonly batch: EncodedBatch;
  readonly requests: readonly SignedRequest[];
}

/** What bodies need. */
export interface BatchBodiesOptions {
  readonly store: Pick<ReplicaStore, 'readBatch'>;
  /** wire's decodeBatch with this cluster's limits. */
  readonly decode: (bytes: Uint8Array) => Result<DecodedBatch, Malformed>;
  /** 64 MiB where absent. */
  readonly bytesMax?: number;
}

const BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
/** Of the bound, what bodies have that nobody took. */
const UNTAKEN_SHARE = 1 / 4;
/** About what the objects of a decoded request and operation take beside the batch's bytes. */
const REQUEST_OVERHEAD_BYTES = 600;
const OPERATION_OVERHEAD_BYTES = 120;

/** The bodies by digest. */
export class BatchBodies {
  private readonly bytesMax: number;
  private readonly nullBody: BatchBody;
  /** Each in the order of its last use. */
  private readonly persisted = new Map<Digest, BatchBody>();
  private readonly onTheWay = new Map<Digest, BatchBody>();
  private readonly untaken = new Map<Digest, BatchBody>();
  private heldBytes = 0;
  private untakenBytes = 0;
  /** By digest, the sequences: one batch may be proposed for two, and is stored for each. */
  private readonly pending = new Map<Digest, Set<Sequence>>();

  constructor(private readonly options: BatchBodiesOptions) {
    this.bytesMax = options.bytesMax ?? BYTES_MAX_DEFAULT;
    const decoded = options.decode(NULL_BATCH_BYTES);
    assert(decoded.ok, 'the null batch is well-formed');
    this.nullBody = bodyOf(decoded.value);
  }

  /** Takes a batch that was verified or is the own; one that is there already stays. */
  put(batch: EncodedBatch, requests: readonly SignedRequest[]): void {
    if (this.get(batch.digest) === undefined) {
      this.add(this.pending.has(batch.digest) ? this.onTheWay : this.untaken, { batch, requests });
    }
  }

  /** The body, where it is in memory. */
  get(digest: Digest): BatchBody | undefined {
    if (digest === this.nullBody.batch.digest) {
      return this.nullBody;
    }
    return touch(this.persisted, digest) ?? touch(this.onTheWay, digest) ?? touch(this.untaken, digest);
  }

  /**
   * Calls `done` with the body, or undefined where neither memory nor the store has it: at once where it is in memory,
   * later otherwise. Stored bytes that aren't that batch are `corrupt`.
   */
  load(sequence: Sequence, digest: Digest, done: Completion<BatchBody | undefined>): void {
    const held = this.get(digest);
    if (held !== undefined) {
      done(ok(held));
      return;
    }
    this.options.store.readBatch(sequence, digest, (result) => {
      if (!result.ok || result.value === undefined) {
        done(result.ok ? ok(undefined) : result);
        return;
      }
      const decoded = this.options.decode(result.value);
      if (!decoded.ok || decoded.value.batch.digest !== digest) {
        const message = `the stored batch of sequence ${sequence} is not the one with digest ${digest}`;
        done({ ok: false, error: { code: 'corrupt', message } });
        return;
      }
      const body = this.get(digest) ?? bodyOf(decoded.value);
      this.markPersisted(sequence, digest);
      if (!this.persisted.has(digest)) {
        this.add(this.persisted, body);
      }
      done(ok(body));
    });
  }

  /** A record that brings the batch of this sequence to the store is on its way there. */
  markPending(sequence: Sequence, digest: Digest): void {
    const sequences = this.pending.get(digest) ?? new Set();
    this.pending.set(digest, sequences.add(sequence));
    this.move(digest, this.untaken, this.onTheWay);
  }

  /** Whether the batch's bytes may be on their way to the store still: it must not be executed yet. */
  isPending(sequence: Sequence, digest: Digest): boolean {
    return this.pending.get(digest)?.has(sequence) ?? false;
  }

  /** The store gives the batch from now on: the write of the record that brought it has completed. */
  markPersisted(sequence: Sequence, digest: Digest): void {
    const sequences = this.pending.get(digest);
    if (sequences?.delete(sequence) === true && sequences.size === 0) {
      this.pending.delete(digest);
    }
    this.move(digest, this.untaken, this.persisted);
    this.move(digest, this.onTheWay, this.persisted);
  }

  private add(bodies: Map<Digest, BatchBody>, body: BatchBody): void {
    bodies.set(body.batch.digest, body);
    this.count(bodies, body, 1);
    if (this.untakenBytes > this.bytesMax * UNTAKEN_SHARE) {
      this.evict(this.untaken, body);
    }
    for (const evicted of [this.persisted, this.untaken, this.onTheWay]) {
      this.evict(evicted, body);
    }
  }

  private move(digest: Digest, from: Map<Digest, BatchBody>, to: Map<Digest, BatchBody>): void {
    const body = from.get(digest);
    if (body !== undefined) {
      from.delete(digest);
      this.count(from, body, -1);
      to.set(digest, body);
      this.count(to, body, 1);
    }
  }

  /** Evicts of these while there are too many in all; the body used last stays, however large. */
  private evict(bodies: Map<Digest, BatchBody>, lastUsed: BatchBody): void {
    // order: of their last use.
    for (const [digest, body] of bodies) {
      if (this.heldBytes <= this.bytesMax) {
        return;
      }
      if (body !== lastUsed) {
        bodies.delete(digest);
        this.count(bodies, body, -1);
      }
    }
  }

  private count(bodies: Map<Digest, BatchBody>, body: BatchBody, sign: 1 | -1): void {
    const sizeBytes = sign * measureBody(body);
    this.heldBytes += sizeBytes;
    this.untakenBytes += bodies === this.untaken ? sizeBytes : 0;
  }
}

function bodyOf(decoded: DecodedBatch): BatchBody {
  return { batch: decoded.batch, requests: decoded.requests.map(({ request }) => request) };
}

function touch(bodies: Map<Digest, BatchBody>, digest: Digest): BatchBody | undefined {
  const body = bodies.get(digest);
  if (body !== undefined) {
    bodies.delete(digest);
    bodies.set(digest, body);
  }
  return body;
}

function measureBody({ batch, requests }: BatchBody): number {
  return (
    batch.bytes.length + requests.length * REQUEST_OVERHEAD_BYTES + batch.operationCount * OPERATION_OVERHEAD_BYTES
  );
}

/** The batch that fills gaps: its fixed bytes, summed up. */
export function decodeNullBatch(limits: WireLimits, hash: Hash): EncodedBatch {
  const decoded = decodeBatch(NULL_BATCH_BYTES, limits, hash);
  assert(decoded.ok, 'the null batch is well-formed');
  return decoded.value.batch;
}
