/**
 * Which table files a LevelDB store consists of, by its manifest: a log of edits, each of which adds and removes tables.
 * It is read up to the first record that isn't whole: a crash may have cut off the last one. What is damaged in the
 * middle the engine finds by itself: of the manifest it checks the checksums.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes } from '../util/bytes.js';
import { computeCrc32c, maskChecksum } from './crc32c.js';
import { VarintReader } from './varint-reader.js';

const BLOCK_BYTES = 32 * 1024;
/** Checksum, length, type. */
const HEAD_BYTES = 7;

const FRAGMENT = { full: 1, first: 2, middle: 3, last: 4 } as const;

const EDIT = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const;

/** The numbers of the tables that the store in this directory consists of, ascending; none where there is no store. */
export async function readLiveTables(directory: string): Promise<readonly number[]> {
  const current = await readIfThere(join(directory, 'CURRENT'));
  const name = current === undefined ? '' : new TextDecoder().decode(current).trim();
  const manifest = /^MANIFEST-\d+$/.test(name) ? await readIfThere(join(directory, name)) : undefined;
  const live = new Set<number>();
  for (const edit of manifest === undefined ? [] : readRecords(manifest)) {
    applyEdit(live, edit);
  }
  return [...live].sort((left, right) => left - right);
}

/** The bytes of a file, undefined where there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** The whole records of a log, up to the first that isn't. */
function readRecords(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let place = 0;
  while (place + HEAD_BYTES <= bytes.length) {
    const leftInBlock = BLOCK_BYTES - (place % BLOCK_BYTES);
    if (leftInBlock < HEAD_BYTES) {
      place += leftInBlock;
      continue;
    }
    const first = place + HEAD_BYTES;
    const end = first + view.getUint16(place + 4, true);
    const type = bytes[place + 6];
    if (end > bytes.length || view.getUint32(place, true) !== maskChecksum(computeCrc32c(bytes, first - 1, end))) {
      break;
    }
    if (type === FRAGMENT.full || type === FRAGMENT.first) {
      parts = [];
    }
    parts.push(bytes.subarray(first, end));
    if (type === FRAGMENT.full || type === FRAGMENT.last) {
      records.push(concatBytes(parts));
    }
    place = end;
  }
  return records;
}

function applyEdit(live: Set<number>, edit: Uint8Array): void {
  const reader = new VarintReader(edit);
  while (reader.hasMore()) {
    switch (reader.varint()) {
      case EDIT.comparator:
        reader.skipBytes();
        break;
      case EDIT.logNumber:
      case EDIT.nextFileNumber:
      case EDIT.lastSequence:
      case EDIT.previousLogNumber:
        reader.varint();
        break;
      case EDIT.compactPointer:
        reader.varint();
        reader.skipBytes();
        break;
      case EDIT.deletedFile: {
        reader.varint();
        live.delete(reader.varint() ?? 0);
        break;
      }
      case EDIT.newFile: {
        reader.varint();
        live.add(reader.varint() ?? 0);
        reader.varint();
        reader.skipBytes();
        reader.skipBytes();
        break;
      }
      default:
        // A later format: the engine refuses it with its own words.
        return;
    }
  }
}
