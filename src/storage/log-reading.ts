/**
 * Reads the log back from its anchor to its end and checks its chain: a gap, a group that does not name the one before
 * it, or a record that isn't readable is `corrupt`.
 */
import type { Completion, KeyValueStore, StoreEntry, StoreError } from '../ports/key-value-store.js';
import type { PreparedCertificate } from '../protocol/certificates.js';
import type { Checkpoint } from '../protocol/messages.js';
import type { Digest, Hash } from '../util/digest.js';
import { ok } from '../util/result.js';
import type { WireLimits } from '../wire/limits.js';
import { DurableLog } from './durable-log.js';
import { END_OF, logGroupKey, numberOfKey } from './key-space.js';
import { computeGroupDigest, decodeGroup, type LogAnchor } from './log-group.js';
import { decodeRecord, type StoredRecord } from './log-record-codec.js';
import { corruptError } from './store-error.js';
import { forEachEntry } from './store-reading.js';

/** What it takes to read a store back. */
export interface RecoveryOptions {
  readonly hash: Hash;
  /** The cluster id: what the first header names as the one before. */
  readonly genesisDigest: Digest;
  readonly limits: WireLimits;
}

/** What the log says, by sequence, where the latest view's record counts. */
export interface LogContents {
  /** Holds the view, the stable checkpoint and the evidence. */
  readonly log: DurableLog;
  readonly accepted: Map<number, StoredRecord & { readonly kind: 'accepted' }>;
  readonly prepared: Map<number, PreparedCertificate>;
  readonly ownCheckpoints: Map<number, Checkpoint>;
}

/** A log in which nothing was read yet. Without an anchor it is a new one. */
export function emptyLog(anchor: LogAnchor | undefined, options: RecoveryOptions): LogContents {
  const begin = anchor ?? { number: 1, previousDigest: options.genesisDigest, discardedThrough: 0 };
  return {
    log: new DurableLog(begin, options.hash),
    accepted: new Map(),
    prepared: new Map(),
    ownCheckpoints: new Map(),
  };
}

/** Reads the log that begins at `anchor`. */
export function readLog(
  store: KeyValueStore,
  anchor: LogAnchor | undefined,
  options: RecoveryOptions,
  done: Completion<LogContents>,
): void {
  const contents = emptyLog(anchor, options);
  const take = (entry: StoreEntry): StoreError | undefined =>
    anchor === undefined
      ? corruptError('the log has records and its beginning is missing')
      : takeGroup(contents, entry, options);
  forEachEntry(store, { first: logGroupKey(0), end: END_OF.logGroups }, take, (result) => {
    done(result.ok ? ok(contents) : result);
  });
}

function takeGroup(contents: LogContents, entry: StoreEntry, options: RecoveryOptions): StoreError | undefined {
  const { log } = contents;
  const number = numberOfKey(entry.key);
  const expected = log.nextNumber;
  if (number !== expected) {
    return corruptError(`the log has a gap: group ${expected} is missing and group ${number ?? 'unknown'} is there`);
  }
  const group = decodeGroup(entry.value);
  if (!group.ok || group.value.previousDigest !== log.lastDigest) {
    return corruptError(`the log's chain breaks at group ${number}: it does not name the group before it`);
  }
  const records: StoredRecord[] = [];
  for (const bytes of group.value.records) {
    const record = decodeRecord(bytes, options.limits);
    if (!record.ok) {
      const { field, description } = record.error;
      return corruptError(`a record in group ${number} of the log is not readable: ${field} ${description}`);
    }
    records.push(record.value);
    takeRecord(contents, record.value);
  }
  log.recoverGroup(records, computeGroupDigest(number, entry.value, options.hash));
  return undefined;
}

function takeRecord({ accepted, prepared, ownCheckpoints }: LogContents, record: StoredRecord): void {
  switch (record.kind) {
    case 'accepted': {
      const { sequence, view } = record.prePrepare;
      const before = accepted.get(sequence);
      if (before === undefined || before.prePrepare.view <= view) {
        accepted.set(sequence, record);
      }
      break;
    }
    case 'prepared': {
      const { sequence, view } = record.certificate.prePrepare.message;
      const before = prepared.get(sequence);
      if (before === undefined || before.prePrepare.message.view <= view) {
        prepared.set(sequence, record.certificate);
      }
      break;
    }
    case 'ownCheckpoint':
      ownCheckpoints.set(record.checkpoint.sequence, record.checkpoint);
      break;
    default:
      // View, stable checkpoint and evidence are the log's own to keep.
      break;
  }
}
