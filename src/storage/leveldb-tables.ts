/**
 * Verifies LevelDB's table files before they are opened. The library reads blocks without checking their checksums: a
 * flipped bit can bring back what was deleted, or an older value, each with a good checksum of its own, and some end the
 * process. Here every byte of a table is accounted for by its own format: data, filter, index and footer.
 *
 * Its time grows with the size of the store: about a second a gigabyte and disk. RocksDB checks as it reads.
 */
import { join } from 'node:path';
import { computeCrc32c, maskChecksum } from './crc32c.js';
import { readIfThere } from './directory-files.js';
import { readManifest } from './manifest.js';
import { VarintReader } from './varint-reader.js';

const FOOTER_BYTES = 48;
/** The last eight bytes of a table, little-endian. */
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** The block's compression, then its checksum. */
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

/** Where a block stands in its file. */
interface BlockHandle {
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * Says what is wrong with the first damaged table of a directory; undefined for nothing, also for no directory. Only what
 * the manifest names counts: a crash leaves tables that were never finished, and the engine clears them away. It also
 * misses those that aren't there by itself.
 */
export async function findDamagedTable(directory: string): Promise<string | undefined> {
  for (const number of await readLiveTables(directory)) {
    const table = await readTable(directory, number);
    const damage = table === undefined ? undefined : findTableDamage(table.bytes);
    if (table !== undefined && damage !== undefined) {
      return `the table file ${table.path} ${damage}`;
    }
  }
  return undefined;
}

/** The numbers of the tables that the store in this directory consists of, ascending; none where there is no store. */
export async function readLiveTables(directory: string): Promise<readonly number[]> {
  const manifest = await readManifest(directory);
  return [...(manifest?.tables.keys() ?? [])].sort((left, right) => left - right);
}

/** Says what is wrong with a table; undefined for nothing. Total: no bytes make it throw. */
export function findTableDamage(bytes: Uint8Array): string | undefined {
  const footerAt = bytes.length - FOOTER_BYTES;
  if (footerAt < 0 || MAGIC.some((byte, index) => bytes[bytes.length - MAGIC.length + index] !== byte)) {
    return 'has no footer';
  }
  const footer = new VarintReader(bytes, footerAt, bytes.length);
  const metaIndex = readHandle(footer);
  const index = readHandle(footer);
  if (metaIndex === undefined || index === undefined) {
    return 'has an unreadable footer';
  }
  const handles = [metaIndex, index];
  for (const directory of [metaIndex, index]) {
    const listed = isBlockWhole(bytes, directory) ? readHandles(bytes, directory) : undefined;
    if (listed === undefined) {
      return `has a damaged index at byte ${directory.offset}`;
    }
    handles.push(...listed);
  }
  let coveredBytes = FOOTER_BYTES;
  for (const handle of handles) {
    if (!isBlockWhole(bytes, handle)) {
      return `has a damaged block at byte ${handle.offset}`;
    }
    coveredBytes += handle.sizeBytes + TRAILER_BYTES;
  }
  return coveredBytes === bytes.length ? undefined : 'has bytes that belong to no block';
}

async function readTable(directory: string, number: number): Promise<{ path: string; bytes: Uint8Array } | undefined> {
  for (const extension of ['ldb', 'sst']) {
    const path = join(directory, `${String(number).padStart(6, '0')}.${extension}`);
    const bytes = await readIfThere(path);
    if (bytes !== undefined) {
      return { path, bytes };
    }
  }
  return undefined;
}

function isBlockWhole(bytes: Uint8Array, { offset, sizeBytes }: BlockHandle): boolean {
  const end = offset + sizeBytes;
  if (end + TRAILER_BYTES > bytes.length - FOOTER_BYTES) {
    return false;
  }
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end + 1, 4).getUint32(0, true);
  return stored === maskChecksum(computeCrc32c(bytes, offset, end + 1));
}

/** The handles that an index block lists: entries of shared key bytes, own key bytes, value bytes, key, value. */
function readHandles(bytes: Uint8Array, { offset, sizeBytes }: BlockHandle): readonly BlockHandle[] | undefined {
  const end = offset + sizeBytes;
  if (bytes[end] !== UNCOMPRESSED || sizeBytes < 4) {
    return undefined;
  }
  const restarts = new DataView(bytes.buffer, bytes.byteOffset + end - 4, 4).getUint32(0, true);
  const reader = new VarintReader(bytes, offset, end - 4 - 4 * restarts);
  const handles: BlockHandle[] = [];
  while (reader.hasMore()) {
    reader.varint();
    const keyBytes = reader.varint();
    reader.varint();
    reader.skip(keyBytes ?? 0);
    const handle = readHandle(reader);
    if (keyBytes === undefined || handle === undefined) {
      return undefined;
    }
    handles.push(handle);
  }
  return handles;
}

function readHandle(reader: VarintReader): BlockHandle | undefined {
  const offset = reader.varint();
  const sizeBytes = reader.varint();
  return offset === undefined || sizeBytes === undefined ? undefined : { offset, sizeBytes };
}
