/**
 * Everything that one replica keeps, behind the ReplicaStore port: log, ledger, client table and application in one
 * ordered store, so that what belongs together is one atomic write, and every value with a checksum.
 *
 * 1. The order of the calls is the order of the writes: what a crash leaves is a prefix of the calls.
 * 2. An execution is one write: application, client table, header, certificate and the end of the ledger. It can't be
 *    there in part, and it can't be done twice: the next sequence is asserted.
 * 3. A batch is written once, with the first record that brings it, and copied once on the way (for its checksum); never
 *    when its sequence was discarded.
 */

import type { Header } from '../ledger/header.js';
import { decodeHeader } from '../ledger/header-codec.js';
import type { Completion, KeyRange, KeyValueStore, StoreEntry, WriteOperation } from '../ports/key-value-store.js';
import type { ExecutionWrite, ReplicaStore, StoredClientTable, StoredLedgerEntry } from '../ports/replica-store.js';
import type { CheckpointCertificate } from '../protocol/certificates.js';
import type { Sequence } from '../protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../protocol/log-record.js';
import type { EncodedBatch } from '../protocol/messages.js';
import { assert, defined } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import type { BatchIndex } from './batch-index.js';
import { createChecksummedStore } from './checksummed-store.js';
import { clientTableOperations, readClientTable } from './client-store.js';
import type { DurableLog } from './durable-log.js';
import {
  applicationKey,
  applicationKeyOf,
  batchKey,
  END_OF,
  headerKey,
  nameOfKeySpace,
  SINGLE_KEY,
} from './key-space.js';
import {
  discardCertificates,
  headerError,
  type LedgerEnd,
  ledgerEndOperation,
  ledgerOperations,
  readCheckpointCertificate,
  readHeaders,
  readLedger,
} from './ledger-store.js';
import { encodeAnchor } from './log-group.js';
import type { RecoveryOptions } from './log-reading.js';
import { type Recovered, recoverStore } from './recovery.js';
import { decodeNumber, encodeNumber } from './single-values.js';
import { corruptError } from './store-error.js';

/** A replica's store over an open key-value store, which it owns from now on. */
export function createReplicaStore(store: KeyValueStore, options: RecoveryOptions): ReplicaStore {
  return new OrderedReplicaStore(createChecksummedStore(store, nameOfKeySpace), options);
}

/** What stands in memory once the store was read back. */
interface Standing {
  readonly log: DurableLog;
  readonly batches: BatchIndex;
  end: LedgerEnd;
}

class OrderedReplicaStore implements ReplicaStore {
  readonly engine: string;
  private readonly store: KeyValueStore;
  private readonly options: RecoveryOptions;
  private standing: Standing | undefined;

  constructor(store: KeyValueStore, options: RecoveryOptions) {
    this.engine = store.engine;
    this.store = store;
    this.options = options;
  }

  recover(done: Completion<RecoveredState>): void {
    assert(this.standing === undefined, 'a store is read back once');
    recoverStore(this.store, this.options, (result) => {
      if (!result.ok) {
        done(result);
        return;
      }
      const { state, log, batches, end } = result.value;
      this.standing = { log, batches, end };
      this.store.write(markOperations(result.value), { sync: true }, (written) => {
        done(written.ok ? ok(state) : written);
      });
    });
  }

  append(records: readonly LogRecord[], done: Completion<void>): void {
    const { log, batches } = this.recovered();
    const operations = log.append(records);
    for (const record of records) {
      if (record.kind === 'accepted') {
        const { sequence, batchDigest } = record.prePrepare;
        assert(record.batch.digest === batchDigest, 'the accepted batch is the one that the pre-prepare names');
        operations.push(...putBatch(log, batches, sequence, record.batch));
      } else if (record.kind === 'batch') {
        operations.push(...putBatch(log, batches, record.sequence, record.batch));
      }
    }
    this.store.write(operations, { sync: true }, done);
  }

  discard(lowWatermark: Sequence, done: Completion<void>): void {
    const { log, batches, end } = this.recovered();
    // Above what was executed the batches stay: one of them may be about to be.
    const before = log.discardedThrough;
    const through = Math.max(before, Math.min(lowWatermark, end.sequence));
    const operations = [
      ...log.discard(lowWatermark, through),
      ...batches.discardThrough(through),
      ...discardCertificates(before + 1, through),
    ];
    this.store.write(operations, { sync: false }, done);
  }

  commitExecution(writes: readonly ExecutionWrite[], done: Completion<void>): void {
    const standing = this.recovered();
    const operations: WriteOperation[] = [];
    for (const write of writes) {
      operations.push(...executionOperations(standing, write));
      standing.end = { sequence: write.header.sequence, headerDigest: write.headerDigest };
    }
    if (writes.length > 0) {
      operations.push(ledgerEndOperation(standing.end));
    }
    this.store.write(operations, { sync: false }, done);
  }

  readLastHeader(done: Completion<Header | undefined>): void {
    const { sequence } = this.recovered().end;
    const key = headerKey(sequence);
    this.readValue(key, (result) => {
      if (!result.ok) {
        done(result);
        return;
      }
      const header = result.value === undefined ? undefined : decodeHeader(result.value);
      done(header === undefined && sequence > 0 ? failed(headerError(sequence)) : ok(header));
    });
  }

  readBatch(sequence: Sequence, digest: Digest, done: Completion<Uint8Array | undefined>): void {
    this.readValue(batchKey(sequence, digest), done);
  }

  readHeaders(first: Sequence, last: Sequence, done: Completion<readonly Header[]>): void {
    readHeaders(this.store, first, last, done);
  }

  readLedger(
    range: { readonly first: Sequence; readonly last: Sequence; readonly bytesMax: number },
    done: Completion<readonly StoredLedgerEntry[]>,
  ): void {
    const last = Math.min(range.last, this.recovered().end.sequence);
    readLedger(this.store, { ...range, last }, done);
  }

  readCheckpointCertificate(atLeast: Sequence, done: Completion<CheckpointCertificate | undefined>): void {
    readCheckpointCertificate(this.store, atLeast, done);
  }

  readClientTable(done: Completion<StoredClientTable>): void {
    readClientTable(this.store, done);
  }

  getApplication(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void {
    this.store.getMany(keys.map(applicationKey), done);
  }

  readApplication(
    range: Omit<KeyRange, 'end'> & { readonly end: Uint8Array | undefined },
    done: Completion<readonly StoreEntry[]>,
  ): void {
    const end = range.end === undefined ? END_OF.application : applicationKey(range.end);
    this.store.read({ ...range, first: applicationKey(range.first), end }, (result) => {
      done(result.ok ? ok(result.value.map(toApplicationEntry)) : result);
    });
  }

  readReservedNumber(done: Completion<number>): void {
    this.readValue(SINGLE_KEY.reservedNumber, (result) => done(result.ok ? toReservedNumber(result.value) : result));
  }

  reserveNumbers(upTo: number, done: Completion<void>): void {
    const value = encodeNumber(upTo);
    this.store.write([{ type: 'put', key: SINGLE_KEY.reservedNumber, value }], { sync: true }, done);
  }

  close(done: Completion<void>): void {
    this.store.close(done);
  }

  private recovered(): Standing {
    return defined(this.standing, 'recover comes before anything else');
  }

  private readValue(key: Uint8Array, done: Completion<Uint8Array | undefined>): void {
    this.store.getMany([key], (result) => done(result.ok ? ok(result.value[0]) : result));
  }
}

/** What an opening that succeeded leaves: the log's first anchor, and how far the ledger was checked. */
function markOperations(recovered: Recovered): WriteOperation[] {
  const { log, end, isNew } = recovered;
  const operations: WriteOperation[] = [];
  if (isNew) {
    const anchor = { number: log.nextNumber, previousDigest: log.lastDigest, discardedThrough: log.discardedThrough };
    operations.push({ type: 'put', key: SINGLE_KEY.logAnchor, value: encodeAnchor(anchor) });
  }
  operations.push({ type: 'put', key: SINGLE_KEY.verifiedThrough, value: encodeNumber(end.sequence) });
  return operations;
}

/**
 * What writes a batch that a record brings; nothing where it is there or its sequence was discarded. A second record of a
 * batch may wait for a write while the first lets the batch be executed and its sequence be discarded; at or below the
 * stable checkpoint nothing but the executed batch is asked for.
 */
function putBatch(log: DurableLog, batches: BatchIndex, sequence: number, batch: EncodedBatch): WriteOperation[] {
  return sequence > log.discardedThrough ? batches.put(sequence, batch.digest, batch.bytes) : [];
}

function executionOperations({ batches, end }: Standing, write: ExecutionWrite): WriteOperation[] {
  const { header } = write;
  assert(header.sequence === end.sequence + 1, `after ${end.sequence} comes not ${header.sequence}`);
  assert(header.previousHeaderDigest === end.headerDigest, `the header of ${header.sequence} names the one before it`);
  batches.markExecuted(header.sequence, header.batchDigest);
  const application: WriteOperation[] = write.application.map((operation) =>
    operation.type === 'put'
      ? { type: 'put', key: applicationKey(operation.key), value: operation.value }
      : { type: 'delete', key: applicationKey(operation.key) },
  );
  return [...application, ...clientTableOperations(write), ...ledgerOperations(write)];
}

function toApplicationEntry(entry: StoreEntry): StoreEntry {
  return { key: applicationKeyOf(entry.key), value: entry.value };
}

function toReservedNumber(bytes: Uint8Array | undefined): Result<number, ReturnType<typeof corruptError>> {
  if (bytes === undefined) {
    return ok(0);
  }
  const number = decodeNumber(bytes);
  return number.ok ? number : failed(corruptError('the reserved request number is not readable'));
}
