/**
 * The durable log: groups of records, each group written in one synced write [OSDI §4.2: what was sent is remembered].
 * This file keeps what the log says now and makes the store's operations; replica-store.ts writes them.
 *
 * 1. Groups are numbered without a gap, and each names the digest of the one before.
 * 2. Only whole groups are discarded, from the beginning, when everything in them is obsolete: at or below the stable
 *    checkpoint, replaced by something later, or stated again in the same write (view, stable checkpoint, evidence).
 * 3. The anchor, which says where the log begins, moves in the write that discards.
 */

import type { WriteOperation } from '../ports/key-value-store.js';
import type { Sequence } from '../protocol/identifiers.js';
import type { Evidence, LogRecord } from '../protocol/log-record.js';
import type { Digest, Hash } from '../util/digest.js';
import { encodeCheckpointCertificate } from '../wire/certificate-codec.js';
import { checkpointCertificateKey, logGroupKey, SINGLE_KEY } from './key-space.js';
import { computeGroupDigest, encodeAnchor, encodeGroup, type LogAnchor } from './log-group.js';
import { encodeRecord, type StoredRecord, sequenceOfCertificate, sequenceOfRecord } from './log-record-codec.js';
import {
  computeViewProofDigest,
  encodeViewProof,
  isViewRecord,
  type ViewRecord,
  type ViewStanding,
  viewOfRecord,
} from './view-proof.js';

/** What the log remembers of one of its groups. */
interface GroupSummary {
  readonly number: number;
  readonly digest: Digest;
  /** The highest sequence of its records, 0 for none. */
  readonly highestSequence: number;
}

/** Something that holds until it is replaced, and the group that says so last. */
interface Standing<T> {
  readonly value: T;
  readonly group: number;
}

/** The log of one replica, in memory as much of it as it takes to append and discard. */
export class DurableLog {
  private readonly hash: Hash;
  private anchor: LogAnchor;
  private groups: GroupSummary[] = [];
  private digest: Digest;
  private viewStanding: Standing<ViewStanding> | undefined;
  private stable: Standing<Sequence> | undefined;
  /** By replica and kind: one of each is kept. */
  private readonly evidenceStanding = new Map<string, Standing<Evidence>>();

  constructor(anchor: LogAnchor, hash: Hash) {
    this.hash = hash;
    this.anchor = anchor;
    this.digest = anchor.previousDigest;
  }

  /** The number of the next group. */
  get nextNumber(): number {
    return this.anchor.number + this.groups.length;
  }

  /** The digest that the next group names. */
  get lastDigest(): Digest {
    return this.digest;
  }

  /** The view last persisted, undefined before the first. */
  get view(): ViewStanding | undefined {
    return this.viewStanding?.value;
  }

  /** The sequence of the last stable checkpoint, 0 before the first. */
  get stableSequence(): Sequence {
    return this.stable?.value ?? (0 as Sequence);
  }

  /** All evidence, in the order of its first record. */
  get evidence(): readonly Evidence[] {
    return [...this.evidenceStanding.values()].map((standing) => standing.value);
  }

  /** Unexecuted batches and commit certificates up to this sequence were discarded. */
  get discardedThrough(): number {
    return this.anchor.discardedThrough;
  }

  /** Takes up a group that is in the store: the next one. */
  recoverGroup(records: readonly StoredRecord[], digest: Digest): void {
    this.addGroup(records, digest);
  }

  /** What writes these records as one group. Bodies of batches are not among it. */
  append(records: readonly LogRecord[]): WriteOperation[] {
    const lastView = records.findLast(isViewRecord);
    const stored: StoredRecord[] = [];
    const operations: WriteOperation[] = [];
    for (const record of records) {
      if (record.kind === 'stableCheckpoint') {
        const sequence = sequenceOfCertificate(record.certificate);
        const value = encodeCheckpointCertificate(record.certificate);
        operations.push({ type: 'put', key: checkpointCertificateKey(sequence), value });
        stored.push({ kind: 'stableCheckpoint', sequence });
      } else if (isViewRecord(record)) {
        // Of several in one write only the last one's proof counts, and is written.
        if (record === lastView) {
          stored.push({ kind: 'view', standing: this.takeView(record, operations) });
        }
      } else if (record.kind !== 'batch') {
        stored.push(record);
      }
    }
    return stored.length === 0 ? operations : [...operations, this.appendGroup(stored)];
  }

  /** How the replica is in the view of this record; what proves it goes beside the log, in place of what was there. */
  private takeView(record: ViewRecord, operations: WriteOperation[]): ViewStanding {
    const view = viewOfRecord(record);
    const value = encodeViewProof(record);
    if (value === undefined) {
      return { view, phase: 'left' };
    }
    operations.push({ type: 'put', key: SINGLE_KEY.viewProof, value });
    const proofDigest = computeViewProofDigest(value, this.hash);
    return { view, phase: record.kind === 'newView' ? 'active' : 'changing', proofDigest };
  }

  /**
   * What discards the groups that nobody needs any more with the stable checkpoint at `lowWatermark`, and moves the
   * anchor. `discardedThrough` is for the anchor.
   */
  discard(lowWatermark: Sequence, discardedThrough: number): WriteOperation[] {
    const firstKept = this.groups.findIndex((group) => group.highestSequence > lowWatermark);
    const count = firstKept === -1 ? this.groups.length : firstKept;
    const dropped = this.groups.slice(0, count);
    const last = dropped.at(-1);
    const operations: WriteOperation[] = [];
    if (last !== undefined) {
      const again = this.standingRecords(last.number);
      if (again.length > 0) {
        operations.push(this.appendGroup(again));
      }
      for (const group of dropped) {
        operations.push({ type: 'delete', key: logGroupKey(group.number) });
      }
      this.groups = this.groups.slice(count);
    }
    this.anchor = {
      number: last === undefined ? this.anchor.number : last.number + 1,
      previousDigest: last === undefined ? this.anchor.previousDigest : last.digest,
      discardedThrough,
    };
    operations.push({ type: 'put', key: SINGLE_KEY.logAnchor, value: encodeAnchor(this.anchor) });
    return operations;
  }

  /** What still holds and is said last by a group up to this number. */
  private standingRecords(groupMax: number): StoredRecord[] {
    const records: StoredRecord[] = [];
    if (this.viewStanding !== undefined && this.viewStanding.group <= groupMax) {
      records.push({ kind: 'view', standing: this.viewStanding.value });
    }
    if (this.stable !== undefined && this.stable.group <= groupMax) {
      records.push({ kind: 'stableCheckpoint', sequence: this.stable.value });
    }
    for (const { value, group } of this.evidenceStanding.values()) {
      if (group <= groupMax) {
        records.push({ kind: 'evidence', evidence: value });
      }
    }
    return records;
  }

  private appendGroup(records: readonly StoredRecord[]): WriteOperation {
    const number = this.nextNumber;
    const value = encodeGroup({ previousDigest: this.digest, records: records.map(encodeRecord) });
    this.addGroup(records, computeGroupDigest(number, value, this.hash));
    return { type: 'put', key: logGroupKey(number), value };
  }

  private addGroup(records: readonly StoredRecord[], digest: Digest): void {
    const number = this.nextNumber;
    let highestSequence = 0;
    for (const record of records) {
      highestSequence = Math.max(highestSequence, sequenceOfRecord(record));
      this.note(record, number);
    }
    this.groups.push({ number, digest, highestSequence });
    this.digest = digest;
  }

  private note(record: StoredRecord, group: number): void {
    switch (record.kind) {
      case 'view':
        this.viewStanding = { value: record.standing, group };
        break;
      case 'stableCheckpoint':
        if (record.sequence >= this.stableSequence) {
          this.stable = { value: record.sequence, group };
        }
        break;
      case 'evidence': {
        const key = `${record.evidence.replica}/${record.evidence.kind}`;
        // The first pair is proof enough; what is stated again moves to its new group.
        this.evidenceStanding.set(key, { value: this.evidenceStanding.get(key)?.value ?? record.evidence, group });
        break;
      }
      default:
        break;
    }
  }
}
