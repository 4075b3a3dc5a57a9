/**
 * The client table's fixed encoding (protocol.md 3): a value for each client, and a row for each executed request whose
 * number is not acknowledged. The same bytes are stored, hashed into the writes digest, and part of snapshots.
 *
 * A row's key is client id ‖ number, so rows are ordered by client, then number. Its results stand at its end and can
 * be left unread.
 */
import type { ClientId, Digest } from '../util/digest.js';
import { ByteReader, ByteWriter } from './encoding.js';
import { OUTCOME, type Outcome } from './header.js';
import { MERKLE_PATH_MAX } from './merkle.js';

/** Names a request. */
export interface ClientTableKey {
  readonly clientId: ClientId;
  readonly number: number;
}

/** A row without its key and its results. */
export interface ClientTableRowHead {
  readonly requestDigest: Digest;
  readonly outcome: Outcome;
  readonly sequence: number;
  readonly leafIndex: number;
  /** From the leaf up. */
  readonly path: readonly Digest[];
  readonly resultsDigest: Digest;
}

/** A row without its key. */
export interface ClientTableRowValue extends ClientTableRowHead {
  /** One an operation; undefined where only the digest is kept. */
  readonly results: readonly Uint8Array[] | undefined;
}

/** A row as it is counted in memory: without key and results, with their size. */
export interface ClientTableRowSummary extends ClientTableRowHead {
  /** All results together; 0 where only the digest is kept. */
  readonly keptResultBytes: number;
}

const ROW_CAPACITY_BYTES = 256;
const DROPPED = 0;
const KEPT = 1;

/** client id ‖ number. */
export function encodeClientTableKey(key: ClientTableKey): Uint8Array {
  return new ByteWriter(40).digest(key.clientId).u64(key.number).finish();
}

/** The key in these bytes, or undefined. */
export function decodeClientTableKey(bytes: Uint8Array): ClientTableKey | undefined {
  const reader = new ByteReader(bytes);
  return reader.finish({ clientId: reader.clientId(), number: reader.u64() });
}

/** A client's value: the number up to which everything is acknowledged. */
export function encodeClientTableClient(client: { readonly acknowledged: number }): Uint8Array {
  return new ByteWriter(8).u64(client.acknowledged).finish();
}

/** The acknowledged number in a client's value, or undefined. */
export function decodeClientTableClient(bytes: Uint8Array): { readonly acknowledged: number } | undefined {
  const reader = new ByteReader(bytes);
  return reader.finish({ acknowledged: reader.u64() });
}

/**
 * request digest ‖ outcome ‖ sequence ‖ leaf index ‖ path's length (u8) ‖ path ‖ results digest ‖ kept (0 or 1), and
 * where kept: number of results (u32) ‖ each with its length.
 */
export function encodeClientTableRow(row: ClientTableRowValue): Uint8Array {
  const writer = new ByteWriter(ROW_CAPACITY_BYTES)
    .digest(row.requestDigest)
    .u8(row.outcome)
    .u64(row.sequence)
    .u32(row.leafIndex)
    .u8(row.path.length);
  for (const sibling of row.path) {
    writer.digest(sibling);
  }
  writer.digest(row.resultsDigest);
  if (row.results === undefined) {
    return writer.u8(DROPPED).finish();
  }
  writer.u8(KEPT).u32(row.results.length);
  for (const result of row.results) {
    writer.lengthPrefixed(result);
  }
  return writer.finish();
}

/** The row in these bytes, its results as views, or undefined. */
export function decodeClientTableRow(bytes: Uint8Array): ClientTableRowValue | undefined {
  const reader = new ByteReader(bytes);
  const head = readHead(reader);
  const results = readResults(reader);
  return reader.finish({ ...head, results });
}

/** The row in these bytes with the size of its results in their place, or undefined. */
export function decodeClientTableRowSummary(bytes: Uint8Array): ClientTableRowSummary | undefined {
  const reader = new ByteReader(bytes);
  const head = readHead(reader);
  let keptResultBytes = 0;
  for (const result of readResults(reader) ?? []) {
    keptResultBytes += result.length;
  }
  return reader.finish({ ...head, keptResultBytes });
}

function readHead(reader: ByteReader): ClientTableRowHead {
  const requestDigest = reader.digest();
  const outcome = readOutcome(reader);
  const sequence = reader.u64();
  const leafIndex = reader.u32();
  const pathLength = reader.u8();
  if (pathLength > MERKLE_PATH_MAX) {
    reader.fail();
  }
  const path: Digest[] = [];
  while (path.length < pathLength && reader.hasMore()) {
    path.push(reader.digest());
  }
  return { requestDigest, outcome, sequence, leafIndex, path, resultsDigest: reader.digest() };
}

function readOutcome(reader: ByteReader): Outcome {
  const code = reader.u8();
  for (const outcome of Object.values(OUTCOME)) {
    if (outcome === code) {
      return outcome;
    }
  }
  reader.fail();
  return OUTCOME.refused;
}

function readResults(reader: ByteReader): readonly Uint8Array[] | undefined {
  const kept = reader.u8();
  if (kept === DROPPED) {
    return undefined;
  }
  if (kept !== KEPT) {
    reader.fail();
    return undefined;
  }
  const count = reader.u32();
  const results: Uint8Array[] = [];
  while (results.length < count) {
    // Each result has a length at least, so a false count ends where the bytes do.
    if (!reader.hasMore()) {
      reader.fail();
      break;
    }
    results.push(reader.lengthPrefixed());
  }
  return results;
}
