/**
 * Reads back what a replica's store says when it starts, and checks it: the log's chain from its anchor to its end, the
 * chain of headers from where an earlier opening had checked it, and every batch, certificate and checkpoint that the
 * protocol still needs. Whatever does not fit is `corrupt`: a replica that forgot something must not vote.
 *
 * What it can't see: groups missing at the very end of the log. Those show by what peers hold of this replica.
 */

import type { Header } from '../ledger/header.js';
import { computeHeaderDigest, decodeHeader } from '../ledger/header-codec.js';
import type { Completion, KeyValueStore, StoreEntry, StoreError } from '../ports/key-value-store.js';
import type { CheckpointCertificate, CommitCertificate } from '../protocol/certificates.js';
import { type Sequence, sequence, view } from '../protocol/identifiers.js';
import type { RecoveredBatch, RecoveredCommit, RecoveredProposal, RecoveredState } from '../protocol/log-record.js';
import type { BatchSummary, Checkpoint } from '../protocol/messages.js';
import type { Digest } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { decodeBatch } from '../wire/batch-codec.js';
import { decodeCheckpointCertificate, decodeCommitCertificate } from '../wire/certificate-codec.js';
import { BatchIndex } from './batch-index.js';
import type { DurableLog } from './durable-log.js';
import {
  checkpointCertificateKey,
  commitCertificateKey,
  digestOfBatchKey,
  END_OF,
  firstBatchKey,
  headerKey,
  numberOfKey,
  SINGLE_KEY,
} from './key-space.js';
import { batchMissingError, decodeLedgerEnd, headerError, type LedgerEnd } from './ledger-store.js';
import { decodeAnchor, type LogAnchor } from './log-group.js';
import { emptyLog, type LogContents, type RecoveryOptions, readLog } from './log-reading.js';
import { decodeNumber } from './single-values.js';
import { corruptError } from './store-error.js';
import { forEachEntry, runSteps } from './store-reading.js';
import { NO_VIEW_PROOF, readViewProof, type ViewProof } from './view-proof.js';

/** The store as it was found. */
export interface Recovered {
  readonly state: RecoveredState;
  readonly log: DurableLog;
  readonly batches: BatchIndex;
  readonly end: LedgerEnd;
  /** Nothing was ever written here. */
  readonly isNew: boolean;
}

/** Reads everything back and checks it. */
export function recoverStore(store: KeyValueStore, options: RecoveryOptions, done: Completion<Recovered>): void {
  new Recovery(store, options).run(done);
}

class Recovery {
  private readonly store: KeyValueStore;
  private readonly options: RecoveryOptions;
  private readonly batches = new BatchIndex();
  private readonly summaries = new Map<string, BatchSummary>();
  /** Above h, in the order of their keys. */
  private readonly stored: RecoveredBatch[] = [];
  private readonly headers = new Map<number, Header>();
  private readonly certificates = new Map<number, CommitCertificate>();
  private anchor: LogAnchor | undefined;
  private contents: LogContents;
  private end: LedgerEnd;
  private verifiedThrough = 0;
  private stable: CheckpointCertificate | undefined;
  private viewProof: ViewProof = NO_VIEW_PROOF;

  constructor(store: KeyValueStore, options: RecoveryOptions) {
    this.store = store;
    this.options = options;
    this.end = { sequence: 0, headerDigest: options.genesisDigest };
    this.contents = emptyLog(undefined, options);
  }

  run(done: Completion<Recovered>): void {
    runSteps(
      [
        (next) => this.readSingles(next),
        (next) => this.readLog(next),
        (next) => this.readViewProof(next),
        (next) => this.readStableCertificate(next),
        (next) => this.readHeaders(next),
        (next) => this.readCertificates(next),
        (next) => this.readBatches(next),
      ],
      (result) => done(result.ok ? this.finish() : result),
    );
  }

  private get log(): DurableLog {
    return this.contents.log;
  }

  private readSingles(done: Completion<void>): void {
    const keys = [SINGLE_KEY.logAnchor, SINGLE_KEY.lastExecuted, SINGLE_KEY.verifiedThrough];
    this.store.getMany(keys, (result) => {
      if (!result.ok) {
        done(result);
        return;
      }
      const [anchorBytes, endBytes, verifiedBytes] = result.value;
      const anchor = anchorBytes === undefined ? undefined : decodeAnchor(anchorBytes);
      const end = endBytes === undefined ? undefined : decodeLedgerEnd(endBytes);
      const verified = verifiedBytes === undefined ? ok(0) : decodeNumber(verifiedBytes);
      if (anchor?.ok === false || end?.ok === false || !verified.ok) {
        done(failed(corruptError('a single value is not readable')));
        return;
      }
      this.anchor = anchor?.value;
      this.end = end?.value ?? this.end;
      this.verifiedThrough = verified.value;
      done(this.judgeSingles());
    });
  }

  private judgeSingles(): Result<void, StoreError> {
    if (this.anchor === undefined && (this.end.sequence > 0 || this.verifiedThrough > 0)) {
      return failed(corruptError('the beginning of the log is missing'));
    }
    if (this.verifiedThrough > this.end.sequence) {
      return failed(
        corruptError(
          `the ledger was checked up to ${this.verifiedThrough} before and ends now at ${this.end.sequence}`,
        ),
      );
    }
    return ok(undefined);
  }

  private readLog(done: Completion<void>): void {
    readLog(this.store, this.anchor, this.options, (result) => {
      if (result.ok) {
        this.contents = result.value;
      }
      done(result.ok ? ok(undefined) : result);
    });
  }

  private readViewProof(done: Completion<void>): void {
    readViewProof(this.store, this.log.view, this.options, (result) => {
      this.viewProof = result.ok ? result.value : this.viewProof;
      done(result.ok ? ok(undefined) : result);
    });
  }

  private readStableCertificate(done: Completion<void>): void {
    const stable = this.log.stableSequence;
    if (stable === 0) {
      done(ok(undefined));
      return;
    }
    this.store.getMany([checkpointCertificateKey(stable)], (result) => {
      if (!result.ok) {
        done(result);
        return;
      }
      const [bytes] = result.value;
      const certificate = bytes === undefined ? undefined : decodeCheckpointCertificate(bytes);
      if (certificate === undefined || !certificate.ok) {
        done(failed(corruptError(`the certificate of the stable checkpoint ${stable} is missing or not readable`)));
        return;
      }
      this.stable = certificate.value;
      done(ok(undefined));
    });
  }

  private readHeaders(done: Completion<void>): void {
    const kept = this.log.discardedThrough;
    let previous: { readonly sequence: number; readonly digest: Digest } | undefined;
    const first = Math.min(this.verifiedThrough, kept);
    if (first === 0) {
      previous = { sequence: 0, digest: this.options.genesisDigest };
    }
    const take = (entry: StoreEntry): StoreError | undefined => {
      const header = decodeHeader(entry.value);
      if (header === undefined || header.sequence !== numberOfKey(entry.key)) {
        return headerError(numberOfKey(entry.key));
      }
      const expected = previous === undefined ? first : previous.sequence + 1;
      if (header.sequence !== expected) {
        return corruptError(`the header of sequence ${expected} is missing`);
      }
      if (previous !== undefined && header.previousHeaderDigest !== previous.digest) {
        return corruptError(`the chain of headers breaks at sequence ${header.sequence}`);
      }
      previous = { sequence: header.sequence, digest: computeHeaderDigest(header, this.options.hash) };
      if (header.sequence > kept) {
        this.headers.set(header.sequence, header);
      }
      return undefined;
    };
    forEachEntry(this.store, { first: headerKey(first), end: END_OF.headers }, take, (result) => {
      const isEnd = previous?.sequence === this.end.sequence && previous.digest === this.end.headerDigest;
      if (result.ok && !isEnd) {
        const text = `the ledger should end at sequence ${this.end.sequence} and ends at ${previous?.sequence ?? 'none'}`;
        done(failed(corruptError(text)));
      } else {
        done(result);
      }
    });
  }

  private readCertificates(done: Completion<void>): void {
    const take = (entry: StoreEntry): StoreError | undefined => {
      const at = numberOfKey(entry.key);
      const certificate = decodeCommitCertificate(entry.value);
      if (at === undefined || !certificate.ok || at > this.end.sequence) {
        return corruptError(`the commit certificate of sequence ${at ?? 'unknown'} is not readable`);
      }
      this.certificates.set(at, certificate.value);
      return undefined;
    };
    const first = commitCertificateKey(this.log.discardedThrough + 1);
    forEachEntry(this.store, { first, end: END_OF.commitCertificates }, take, done);
  }

  private readBatches(done: Completion<void>): void {
    const take = (entry: StoreEntry): StoreError | undefined => this.takeBatch(entry);
    const first = firstBatchKey(this.log.discardedThrough + 1);
    forEachEntry(this.store, { first, end: END_OF.batches }, take, (result) => {
      done(result.ok ? this.markExecuted() : result);
    });
  }

  private takeBatch(entry: StoreEntry): StoreError | undefined {
    const at = numberOfKey(entry.key);
    const digest = digestOfBatchKey(entry.key);
    if (at === undefined || digest === undefined) {
      return corruptError('a batch stands under a key that is none');
    }
    this.batches.add(at, digest);
    if (at <= this.log.stableSequence) {
      return undefined;
    }
    const decoded = decodeBatch(entry.value, this.options.limits, this.options.hash);
    if (!decoded.ok || decoded.value.batch.digest !== digest) {
      return corruptError(`the batch ${digest} of sequence ${at} is not readable`);
    }
    const { sizeBytes, timestampMs, requests, operationCount } = decoded.value.batch;
    const batch = { digest, sizeBytes, timestampMs, requests, operationCount };
    this.summaries.set(nameOfBatch(at, digest), batch);
    this.stored.push({ sequence: sequence(at), batch });
    return undefined;
  }

  private markExecuted(): Result<void, StoreError> {
    for (const header of this.headers.values()) {
      if (!this.batches.has(header.sequence, header.batchDigest)) {
        return failed(batchMissingError(header.sequence, header.batchDigest));
      }
      this.batches.markExecuted(header.sequence, header.batchDigest);
    }
    return ok(undefined);
  }

  private finish(): Result<Recovered, StoreError> {
    const low = this.log.stableSequence;
    const accepted: RecoveredProposal[] = [];
    for (const { prePrepare, signed } of above(low, this.contents.accepted)) {
      const batch = this.summaries.get(nameOfBatch(prePrepare.sequence, prePrepare.batchDigest));
      if (batch === undefined) {
        return failed(batchMissingError(prePrepare.sequence, prePrepare.batchDigest));
      }
      accepted.push({ prePrepare, signed, batch });
    }
    const committed: RecoveredCommit[] = [];
    for (const header of above(low, this.headers)) {
      const batch = this.summaries.get(nameOfBatch(header.sequence, header.batchDigest));
      if (batch === undefined) {
        return failed(batchMissingError(header.sequence, header.batchDigest));
      }
      const certificate = this.certificates.get(header.sequence);
      committed.push({ sequence: sequence(header.sequence), batch, certificate });
    }
    const standing = this.log.view;
    const state: RecoveredState = {
      view: standing?.view ?? view(0),
      active: standing === undefined || standing.phase === 'active',
      ...this.viewProof,
      batches: this.stored,
      stableCheckpoint: this.stable,
      accepted,
      prepared: above(low, this.contents.prepared),
      ownCheckpoints: above(low, this.ownCheckpoints(low)),
      committed,
      evidence: this.log.evidence,
      lastExecuted: sequence(this.end.sequence),
      lastHeaderDigest: this.end.headerDigest,
    };
    return ok({ state, log: this.log, batches: this.batches, end: this.end, isNew: this.anchor === undefined });
  }

  /**
   * Those of the log, and those that a crash kept from being written after their execution: it isn't executed again, so
   * nothing else would make this replica sign them, and peers may need them for a quorum.
   */
  private ownCheckpoints(low: Sequence): ReadonlyMap<number, Checkpoint> {
    const { hash, limits } = this.options;
    const found = new Map(this.contents.ownCheckpoints);
    for (const header of above(low, this.headers)) {
      if (header.sequence % limits.checkpointInterval === 0 && !found.has(header.sequence)) {
        const headerDigest = computeHeaderDigest(header, hash);
        found.set(header.sequence, { type: 'checkpoint', sequence: sequence(header.sequence), headerDigest });
      }
    }
    return found;
  }
}

/** The values above a sequence, ascending. */
function above<T>(low: Sequence, values: ReadonlyMap<number, T>): T[] {
  return [...values]
    .filter(([at]) => at > low)
    .sort(([left], [right]) => left - right)
    .map(([, value]) => value);
}

function nameOfBatch(at: number, digest: Digest): string {
  return `${at}/${digest}`;
}
