/**
 * One hash over all that executing a batch writes, in order (protocol.md 7): a replica whose application isn't
 * deterministic differs at the next checkpoint even where its answers agree.
 *
 * The input is the domain string, then for each write: space (u8) ‖ 1 for put, 2 for delete (u8) ‖ key with its length ‖
 * for put the value with its length. Each write tells its own length, so no two lists of writes have one input.
 */
import { type ClientId, type Digest, digestBytes, type Hash } from '../util/digest.js';
import {
  type ClientTableKey,
  type ClientTableRowValue,
  encodeClientTableClient,
  encodeClientTableKey,
  encodeClientTableRow,
} from './client-table-codec.js';
import { ByteWriter } from './encoding.js';

/** One change of the application's entries, by its own keys. */
export type ApplicationWrite =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/** All that executing a batch writes, each list in the order of execution. */
export interface BatchWrites {
  readonly application: readonly ApplicationWrite[];
  readonly clients: readonly { readonly clientId: ClientId; readonly acknowledged: number }[];
  readonly rowsPut: readonly (ClientTableKey & ClientTableRowValue)[];
  readonly rowsDeleted: readonly ClientTableKey[];
}

/** Gathers writes; hashes once. */
export interface WritesDigest {
  put(space: WriteSpace, key: Uint8Array, value: Uint8Array): void;
  delete(space: WriteSpace, key: Uint8Array): void;
  /** The digest. Nothing may be added after it. */
  finish(): Digest;
}

/** Which entries a write changes. */
export type WriteSpace = keyof typeof SPACE_CODE;

const SPACE_CODE = { application: 1, client: 2, row: 3 } as const;
const PUT = 1;
const DELETE = 2;
const WRITES_DOMAIN = 'pbft/1/writes';

/** An empty list of writes. */
export function createWritesDigest(hash: Hash): WritesDigest {
  const writer = new ByteWriter().domain(WRITES_DOMAIN);
  return {
    put(space, key, value) {
      writer.u8(SPACE_CODE[space]).u8(PUT).lengthPrefixed(key).lengthPrefixed(value);
    },
    delete(space, key) {
      writer.u8(SPACE_CODE[space]).u8(DELETE).lengthPrefixed(key);
    },
    finish: () => hash(writer.finish()),
  };
}

/** The digest of a batch's writes: the application's, then clients, rows put, rows deleted. */
export function computeWritesDigest(writes: BatchWrites, hash: Hash): Digest {
  const digest = createWritesDigest(hash);
  for (const write of writes.application) {
    if (write.type === 'put') {
      digest.put('application', write.key, write.value);
    } else {
      digest.delete('application', write.key);
    }
  }
  for (const client of writes.clients) {
    digest.put('client', digestBytes(client.clientId), encodeClientTableClient(client));
  }
  for (const row of writes.rowsPut) {
    digest.put('row', encodeClientTableKey(row), encodeClientTableRow(row));
  }
  for (const row of writes.rowsDeleted) {
    digest.delete('row', encodeClientTableKey(row));
  }
  return digest.finish();
}
