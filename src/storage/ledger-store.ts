/**
 * The ledger in the store: headers and the batches they name, for good; commit certificates until their checkpoint is
 * stable; stable checkpoints' certificates, for good.
 */

import type { Header } from '../ledger/header.js';
import { decodeHeader, encodeHeader } from '../ledger/header-codec.js';
import type { Completion, KeyValueStore, StoreError, WriteOperation } from '../ports/key-value-store.js';
import type { ExecutionWrite, StoredLedgerEntry } from '../ports/replica-store.js';
import type { CheckpointCertificate } from '../protocol/certificates.js';
import type { Sequence } from '../protocol/identifiers.js';
import type { Digest } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from '../wire/canonical-reader.js';
import { CanonicalWriter } from '../wire/canonical-writer.js';
import { decodeCheckpointCertificate, encodeCommitCertificate } from '../wire/certificate-codec.js';
import type { Malformed } from '../wire/malformed.js';
import {
  batchKey,
  checkpointCertificateKey,
  commitCertificateKey,
  END_OF,
  headerKey,
  numberOfKey,
  SINGLE_KEY,
} from './key-space.js';
import { corruptError } from './store-error.js';

/** The end of the ledger: the sequence last executed with its header's digest. */
export interface LedgerEnd {
  readonly sequence: number;
  readonly headerDigest: Digest;
}

/** What writes an executed batch's header and certificate. */
export function ledgerOperations(write: ExecutionWrite): WriteOperation[] {
  const { header, certificate } = write;
  const operations: WriteOperation[] = [{ type: 'put', key: headerKey(header.sequence), value: encodeHeader(header) }];
  if (certificate !== undefined) {
    const key = commitCertificateKey(header.sequence);
    operations.push({ type: 'put', key, value: encodeCommitCertificate(certificate) });
  }
  return operations;
}

/** What records the end of the ledger. */
export function ledgerEndOperation(end: LedgerEnd): WriteOperation {
  const value = new CanonicalWriter().number(1, end.sequence).digest(2, end.headerDigest).finish();
  return { type: 'put', key: SINGLE_KEY.lastExecuted, value };
}

/** The end of the ledger in the store's own bytes. */
export function decodeLedgerEnd(bytes: Uint8Array): Result<LedgerEnd, Malformed> {
  const reader = new CanonicalReader(bytes);
  return reader.finish({
    sequence: reader.requireNumber(1, 'sequence', { min: 1 }),
    headerDigest: reader.requireDigest(2, 'header_digest'),
  });
}

/** What deletes the commit certificates of these executed sequences. */
export function discardCertificates(first: number, last: number): WriteOperation[] {
  const operations: WriteOperation[] = [];
  for (let sequence = first; sequence <= last; sequence++) {
    operations.push({ type: 'delete', key: commitCertificateKey(sequence) });
  }
  return operations;
}

/** The headers first..last, all of them or none. */
export function readHeaders(
  store: KeyValueStore,
  first: number,
  last: number,
  done: Completion<readonly Header[]>,
): void {
  const count = last - first + 1;
  if (count < 1) {
    store.getMany([], (result) => done(result.ok ? ok([]) : result));
    return;
  }
  store.read({ first: headerKey(first), end: headerKey(last + 1), limit: count }, (result) => {
    if (!result.ok) {
      done(result);
      return;
    }
    const headers: Header[] = [];
    for (const entry of result.value) {
      const header = decodeHeader(entry.value);
      if (header === undefined || header.sequence !== numberOfKey(entry.key)) {
        done(failed(headerError(numberOfKey(entry.key))));
        return;
      }
      headers.push(header);
    }
    done(ok(headers.length === count ? headers : []));
  });
}

/**
 * Entries from `first` on, one batch after the other, so that no more is in memory than is given back and one batch.
 * The caller knows that first..last are executed.
 */
export function readLedger(
  store: KeyValueStore,
  range: { readonly first: number; readonly last: number; readonly bytesMax: number },
  done: Completion<readonly StoredLedgerEntry[]>,
): void {
  readHeaders(store, range.first, range.last, (result) => {
    if (!result.ok) {
      done(result);
    } else if (range.first <= range.last && result.value.length === 0) {
      done(failed(corruptError(`headers from ${range.first} to ${range.last} are missing`)));
    } else {
      readEntries(store, result.value, range.bytesMax, done);
    }
  });
}

function readEntries(
  store: KeyValueStore,
  headers: readonly Header[],
  bytesMax: number,
  done: Completion<readonly StoredLedgerEntry[]>,
): void {
  const entries: StoredLedgerEntry[] = [];
  let sizeBytes = 0;
  const readNext = (): void => {
    const header = headers[entries.length];
    if (header === undefined) {
      done(ok(entries));
      return;
    }
    store.getMany([batchKey(header.sequence, header.batchDigest)], (result) => {
      if (!result.ok) {
        done(result);
        return;
      }
      const [batchBytes] = result.value;
      if (batchBytes === undefined) {
        done(failed(batchMissingError(header.sequence, header.batchDigest)));
        return;
      }
      sizeBytes += batchBytes.length;
      if (entries.length > 0 && sizeBytes > bytesMax) {
        done(ok(entries));
        return;
      }
      entries.push({ header, batchBytes });
      readNext();
    });
  };
  readNext();
}

/** The stable checkpoint certificate with this sequence, or the nearest higher one that is there. */
export function readCheckpointCertificate(
  store: KeyValueStore,
  atLeast: Sequence,
  done: Completion<CheckpointCertificate | undefined>,
): void {
  const range = { first: checkpointCertificateKey(atLeast), end: END_OF.checkpointCertificates, limit: 1 };
  store.read(range, (result) => {
    if (!result.ok) {
      done(result);
      return;
    }
    const [entry] = result.value;
    if (entry === undefined) {
      done(ok(undefined));
      return;
    }
    const certificate = decodeCheckpointCertificate(entry.value);
    done(
      certificate.ok
        ? ok(certificate.value)
        : failed(corruptError(`the checkpoint certificate of ${numberOfKey(entry.key)} is not readable`)),
    );
  });
}

/** A header isn't readable, or stands under another's key. */
export function headerError(sequence: number | undefined): StoreError {
  return corruptError(`the header of sequence ${sequence ?? 'unknown'} is not readable`);
}

/** A batch that the log or the ledger names isn't there. */
export function batchMissingError(sequence: number, digest: Digest): StoreError {
  return corruptError(`the batch ${digest} of sequence ${sequence} is missing`);
}
