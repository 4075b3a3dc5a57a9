/**
 * Where everything stands in a replica's store: one byte that says what it is, then a key that orders it. All prefixes
 * are here, so that no two can meet. Numbers are big-endian, so that the order of bytes is the order of numbers.
 *
 * | prefix | key | value |
 * | --- | --- | --- |
 * | 1 | name | one of the few single values |
 * | 2 | number | a group-commit record of the log |
 * | 3 | sequence, batch digest | an encoded batch: proposed, or executed and so part of the ledger |
 * | 4 | sequence | a header |
 * | 5 | sequence | a commit certificate, until the checkpoint is stable |
 * | 6 | sequence | a stable checkpoint's certificate |
 * | 7 | client id | a client |
 * | 8 | client id, number | a row of the client table |
 * | 9 | application's key | application's value |
 */
import { decodeClientTableKey, encodeClientTableKey } from '../ledger/client-table-codec.js';
import type { RequestKey } from '../protocol/messages.js';
import { assert } from '../util/assert.js';
import { type ClientId, clientIdOf, DIGEST_BYTES, type Digest, digestBytes, digestOf } from '../util/digest.js';

const PREFIX = {
  single: 1,
  logGroup: 2,
  batch: 3,
  header: 4,
  commitCertificate: 5,
  checkpointCertificate: 6,
  client: 7,
  clientRow: 8,
  application: 9,
} as const;

const NUMBER_BYTES = 8;
const TWO_TO_32 = 2 ** 32;

/** Keys of values that there is one of. */
export const SINGLE_KEY = {
  /** Which data directory this store belongs to. */
  identity: Uint8Array.of(PREFIX.single, 1),
  /** Where the log begins. */
  logAnchor: Uint8Array.of(PREFIX.single, 2),
  /** The sequence last executed and its header's digest. */
  lastExecuted: Uint8Array.of(PREFIX.single, 3),
  /** The sequence up to which an earlier opening has checked the chain of headers. */
  verifiedThrough: Uint8Array.of(PREFIX.single, 4),
  /** The highest request number that this replica, as a client, reserved. */
  reservedNumber: Uint8Array.of(PREFIX.single, 5),
  /** What proves the view that the replica is in; the log names its digest. */
  viewProof: Uint8Array.of(PREFIX.single, 6),
} as const;

/** The key of the log's group-commit record with this number. */
export function logGroupKey(number: number): Uint8Array {
  return numberKey(PREFIX.logGroup, number);
}

/** The key of an encoded batch. */
export function batchKey(sequence: number, digest: Digest): Uint8Array {
  const key = new Uint8Array(1 + NUMBER_BYTES + DIGEST_BYTES);
  writePrefixAndNumber(key, PREFIX.batch, sequence);
  key.set(digestBytes(digest), 1 + NUMBER_BYTES);
  return key;
}

/** The lowest key of any batch of this sequence. */
export function firstBatchKey(sequence: number): Uint8Array {
  return numberKey(PREFIX.batch, sequence);
}

/** The key of a header. */
export function headerKey(sequence: number): Uint8Array {
  return numberKey(PREFIX.header, sequence);
}

/** The key of a commit certificate. */
export function commitCertificateKey(sequence: number): Uint8Array {
  return numberKey(PREFIX.commitCertificate, sequence);
}

/** The key of a stable checkpoint's certificate. */
export function checkpointCertificateKey(sequence: number): Uint8Array {
  return numberKey(PREFIX.checkpointCertificate, sequence);
}

/** The key of a client. */
export function clientKey(clientId: ClientId): Uint8Array {
  return prefixedKey(PREFIX.client, digestBytes(clientId));
}

/** The key of a client table row. */
export function clientRowKey(request: RequestKey): Uint8Array {
  return prefixedKey(PREFIX.clientRow, encodeClientTableKey(request));
}

/** The request in the key of a client table row; undefined where it is none. */
export function requestOfRowKey(key: Uint8Array): RequestKey | undefined {
  return decodeClientTableKey(key.subarray(1));
}

/** The client id in the key of a client; undefined where it is none. */
export function clientIdOfKey(key: Uint8Array): ClientId | undefined {
  return clientIdOf(key.subarray(1));
}

/** The store's key of an application's key. */
export function applicationKey(key: Uint8Array): Uint8Array {
  return prefixedKey(PREFIX.application, key);
}

/** The application's key in the store's. */
export function applicationKeyOf(key: Uint8Array): Uint8Array {
  return key.subarray(1);
}

/** What comes after the last key of each room. */
export const END_OF = {
  logGroups: Uint8Array.of(PREFIX.logGroup + 1),
  batches: Uint8Array.of(PREFIX.batch + 1),
  headers: Uint8Array.of(PREFIX.header + 1),
  commitCertificates: Uint8Array.of(PREFIX.commitCertificate + 1),
  checkpointCertificates: Uint8Array.of(PREFIX.checkpointCertificate + 1),
  clients: Uint8Array.of(PREFIX.client + 1),
  clientRows: Uint8Array.of(PREFIX.clientRow + 1),
  application: Uint8Array.of(PREFIX.application + 1),
} as const;

/** The lowest keys of rooms that are read from their beginning. */
export const FIRST_OF = {
  clients: Uint8Array.of(PREFIX.client),
  clientRows: Uint8Array.of(PREFIX.clientRow),
} as const;

/** The number in a key of a log group, header or certificate, or the sequence in that of a batch; undefined for none. */
export function numberOfKey(key: Uint8Array): number | undefined {
  if (key.length < 1 + NUMBER_BYTES) {
    return undefined;
  }
  const view = new DataView(key.buffer, key.byteOffset + 1, NUMBER_BYTES);
  const number = view.getUint32(0) * TWO_TO_32 + view.getUint32(4);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The number in the key of a log group; undefined for any other key. */
export function numberOfGroupKey(key: Uint8Array): number | undefined {
  return key[0] === PREFIX.logGroup ? numberOfKey(key) : undefined;
}

/** The digest in the key of a batch; undefined where it is none. */
export function digestOfBatchKey(key: Uint8Array): Digest | undefined {
  return digestOf(key.subarray(1 + NUMBER_BYTES));
}

/** The key right after this one. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

const NAMES = new Map<number | undefined, string>([
  [PREFIX.single, 'the single values'],
  [PREFIX.logGroup, 'the log'],
  [PREFIX.batch, 'the batches'],
  [PREFIX.header, 'the headers'],
  [PREFIX.commitCertificate, 'the commit certificates'],
  [PREFIX.checkpointCertificate, 'the checkpoint certificates'],
  [PREFIX.client, 'the clients'],
  [PREFIX.clientRow, 'the client table'],
  [PREFIX.application, "the application's state"],
]);

/** In words, what a key is of. */
export function nameOfKeySpace(key: Uint8Array): string {
  return NAMES.get(key[0]) ?? 'no known part of the store';
}

function numberKey(prefix: number, number: number): Uint8Array {
  const key = new Uint8Array(1 + NUMBER_BYTES);
  writePrefixAndNumber(key, prefix, number);
  return key;
}

function prefixedKey(prefix: number, key: Uint8Array): Uint8Array {
  const whole = new Uint8Array(1 + key.length);
  whole[0] = prefix;
  whole.set(key, 1);
  return whole;
}

function writePrefixAndNumber(key: Uint8Array, prefix: number, number: number): void {
  assert(Number.isSafeInteger(number) && number >= 0, `${number} is no number of a key`);
  key[0] = prefix;
  const view = new DataView(key.buffer, key.byteOffset + 1, NUMBER_BYTES);
  view.setUint32(0, Math.floor(number / TWO_TO_32));
  view.setUint32(4, number % TWO_TO_32);
}
