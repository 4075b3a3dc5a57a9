/**
 * One group-commit record of the log: what one turn of the loop made durable, with the digest of the group before it.
 * The groups are a chain: the engines open a damaged write-ahead log without an error and leave out bad records, but a
 * group that is left out in the middle, changed or put elsewhere breaks the chain.
 */
import { concatBytes, utf8 } from '../util/bytes.js';
import type { Digest, Hash } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from '../wire/canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from '../wire/canonical-writer.js';
import type { Malformed } from '../wire/malformed.js';

/** A decoded group; its records are views on it. */
export interface LogGroup {
  readonly previousDigest: Digest;
  readonly records: readonly Uint8Array[];
}

/** Where the log begins, and what was discarded of the rest. Moves in the write that discards. */
export interface LogAnchor {
  /** The number of the first group that is there, or will be. */
  readonly number: number;
  /** The digest of the group before it; the genesis digest before the first. */
  readonly previousDigest: Digest;
  /** Unexecuted batches and commit certificates up to this sequence are gone. */
  readonly discardedThrough: number;
}

const DOMAIN = utf8('pbft/1/log-group');
const HEAD_BYTES = 64;

/** The encoded group. */
export function encodeGroup(group: LogGroup): Uint8Array {
  let sizeBytes = HEAD_BYTES;
  for (const record of group.records) {
    sizeBytes += bytesFieldSizeBytes(record.length);
  }
  const writer = new CanonicalWriter(sizeBytes).digest(1, group.previousDigest);
  for (const record of group.records) {
    writer.bytes(2, record);
  }
  return writer.finish();
}

/** The group in the log's own bytes. */
export function decodeGroup(bytes: Uint8Array): Result<LogGroup, Malformed> {
  const reader = new CanonicalReader(bytes);
  const previousDigest = reader.requireDigest(1, 'previous_digest');
  const records = reader.readRepeated(2, 'records', { max: bytes.length, countMax: bytes.length });
  return reader.finish({ previousDigest, records });
}

/** The digest that the next group names: of the number and the bytes of a group. */
export function computeGroupDigest(number: number, bytes: Uint8Array, hash: Hash): Digest {
  const head = new Uint8Array(4 + DOMAIN.length + 8);
  const view = new DataView(head.buffer);
  view.setUint32(0, DOMAIN.length);
  head.set(DOMAIN, 4);
  view.setBigUint64(4 + DOMAIN.length, BigInt(number));
  return hash(concatBytes([head, bytes]));
}

/** The encoded anchor. */
export function encodeAnchor(anchor: LogAnchor): Uint8Array {
  return new CanonicalWriter()
    .number(1, anchor.number)
    .digest(2, anchor.previousDigest)
    .number(3, anchor.discardedThrough)
    .finish();
}

/** The anchor in the store's own bytes. */
export function decodeAnchor(bytes: Uint8Array): Result<LogAnchor, Malformed> {
  const reader = new CanonicalReader(bytes);
  const number = reader.requireNumber(1, 'number', { min: 1 });
  const previousDigest = reader.requireDigest(2, 'previous_digest');
  const discardedThrough = reader.requireNumber(3, 'discarded_through');
  return reader.finish({ number, previousDigest, discardedThrough });
}
