/**
 * Which batches are in the store above what was discarded. A batch is written once, under its sequence and digest, with
 * the first log record that names it; views may propose several for one sequence, and one of them is executed and stays
 * as part of the ledger.
 */
import type { WriteOperation } from '../ports/key-value-store.js';
import { assert } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { batchKey } from './key-space.js';

/** The batches of one replica that aren't only ledger yet. */
export class BatchIndex {
  private readonly digests = new Map<number, Set<Digest>>();
  private readonly executed = new Map<number, Digest>();

  /** Whether this batch is in the store, or in a write under way. */
  has(sequence: number, digest: Digest): boolean {
    return this.digests.get(sequence)?.has(digest) ?? false;
  }

  /** Takes up a batch that is in the store. */
  add(sequence: number, digest: Digest): void {
    const digests = this.digests.get(sequence);
    if (digests === undefined) {
      this.digests.set(sequence, new Set([digest]));
    } else {
      digests.add(digest);
    }
  }

  /** What writes the batch; nothing where it is there. */
  put(sequence: number, digest: Digest, bytes: Uint8Array): WriteOperation[] {
    if (this.has(sequence, digest)) {
      return [];
    }
    this.add(sequence, digest);
    return [{ type: 'put', key: batchKey(sequence, digest), value: bytes }];
  }

  /** The batch was executed: it is the one that stays. */
  markExecuted(sequence: number, digest: Digest): void {
    assert(this.has(sequence, digest), `the batch executed at ${sequence} is not in the store`);
    this.executed.set(sequence, digest);
  }

  /** What deletes the batches that weren't executed, of sequences up to this one, all of which were executed. */
  discardThrough(sequenceMax: number): WriteOperation[] {
    const operations: WriteOperation[] = [];
    for (const [sequence, digests] of this.digests) {
      if (sequence > sequenceMax) {
        continue;
      }
      const executed = this.executed.get(sequence);
      for (const digest of digests) {
        if (digest !== executed) {
          operations.push({ type: 'delete', key: batchKey(sequence, digest) });
        }
      }
      this.digests.delete(sequence);
      this.executed.delete(sequence);
    }
    return operations;
  }
}
