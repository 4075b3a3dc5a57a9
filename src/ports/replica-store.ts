/**
 * Everything that one replica keeps: its durable log, the ledger, the client table and the application's state, in one
 * ordered store with one write-ahead log, so that what belongs together is one atomic write.
 *
 * 1. `append` is synced; `commitExecution` is not by itself: the log can replay it.
 * 2. The bytes of every executed batch came before with a record, `accepted` or `batch`.
 * 3. What is there after a crash is a prefix of the calls that holds at least every completed `append`.
 */
import type { Header, Outcome } from '../ledger/header.js';
import type { CheckpointCertificate, CommitCertificate } from '../protocol/certificates.js';
import type { Sequence } from '../protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../protocol/log-record.js';
import type { RequestKey } from '../protocol/messages.js';
import type { ClientId, Digest } from '../util/digest.js';
import type { Completion, KeyRange, StoreEntry, WriteOperation } from './key-value-store.js';

/** One executed request as the client table keeps it, so that its reply can be given again. */
export interface ClientTableRow extends RequestKey {
  readonly requestDigest: Digest;
  readonly outcome: Outcome;
  /** Where it was executed, and its leaf there. */
  readonly sequence: number;
  readonly leafIndex: number;
  /** Merkle path from the leaf to the header's results root. */
  readonly path: readonly Digest[];
  /** The digest of the encoded results. */
  readonly resultsDigest: Digest;
  /** One result an operation; undefined where only the digest is kept. */
  readonly results: readonly Uint8Array[] | undefined;
}

/** What the client table says of one client. */
export interface ClientTableClient {
  readonly clientId: ClientId;
  /** Every request up to this number is dead. */
  readonly acknowledged: number;
}

/** The client table as it is in the store; the results stay there. */
export interface StoredClientTable {
  readonly clients: readonly ClientTableClient[];
  readonly rows: readonly (Omit<ClientTableRow, 'results'> & { readonly keptResultBytes: number })[];
}

/** All that executing one batch changes. The header carries sequence, digest and agreed time. */
export interface ExecutionWrite {
  readonly header: Header;
  readonly headerDigest: Digest;
  /** Absent for what came as ledger; kept until the checkpoint is stable. */
  readonly certificate: CommitCertificate | undefined;
  /** Keys are the application's own; the store puts them under its prefix. */
  readonly application: readonly WriteOperation[];
  readonly clients: readonly ClientTableClient[];
  readonly rowsPut: readonly ClientTableRow[];
  readonly rowsDeleted: readonly RequestKey[];
}

/** One entry of the ledger. */
export interface StoredLedgerEntry {
  readonly header: Header;
  readonly batchBytes: Uint8Array;
}

/** The store of one replica. */
export interface ReplicaStore {
  readonly engine: string;
  /** Reads and checks everything; the first call. `corrupt` where the log's chain or the headers' has a gap. */
  recover(done: Completion<RecoveredState>): void;
  /** Makes records durable in one synced write (group commit). */
  append(records: readonly LogRecord[], done: Completion<void>): void;
  /**
   * Discards log records and commit certificates at or below the stable checkpoint, and batches there that other batches
   * were executed instead of. A batch at or below it that is still to be executed stays: the replica may be catching up.
   */
  discard(lowWatermark: Sequence, done: Completion<void>): void;

  /** Applies executed batches, of consecutive sequences, in one atomic write. */
  commitExecution(writes: readonly ExecutionWrite[], done: Completion<void>): void;
  /** The header last executed, undefined before the first. */
  readLastHeader(done: Completion<Header | undefined>): void;
  /** The encoded batch, executed or not, or undefined. */
  readBatch(sequence: Sequence, digest: Digest, done: Completion<Uint8Array | undefined>): void;
  /** The headers first..last, all of them or none. */
  readHeaders(first: Sequence, last: Sequence, done: Completion<readonly Header[]>): void;
  /** Entries from `first` on, ascending, no gap; ends at `last` or before they exceed `bytesMax`, but holds at least one. */
  readLedger(
    range: { readonly first: Sequence; readonly last: Sequence; readonly bytesMax: number },
    done: Completion<readonly StoredLedgerEntry[]>,
  ): void;
  /** The stable checkpoint certificate with this sequence, or the nearest higher one that is there. */
  readCheckpointCertificate(atLeast: Sequence, done: Completion<CheckpointCertificate | undefined>): void;

  readClientTable(done: Completion<StoredClientTable>): void;

  /** Values of the application's keys. */
  getApplication(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void;
  /** Entries of the application's keys; an `end` of undefined means to the end of the application's keys. */
  readApplication(
    range: Omit<KeyRange, 'end'> & { readonly end: Uint8Array | undefined },
    done: Completion<readonly StoreEntry[]>,
  ): void;

  /** The highest request number that this replica, as a client, ever reserved; 0 for none. */
  readReservedNumber(done: Completion<number>): void;
  /** Makes it durable that numbers up to this one may be in use. */
  reserveNumbers(upTo: number, done: Completion<void>): void;
  close(done: Completion<void>): void;
}
