/**
 * Reads an engine's manifest: a log of edits, each of which adds and removes tables and says which write-ahead logs still
 * count. LevelDB and RocksDB write it in one form.
 *
 * It is read up to the first record that isn't whole: a crash may have cut off the last one. What is damaged in the
 * middle the engine finds by itself: of the manifest it checks the checksums.
 */
import { join } from 'node:path';
import { concatBytes } from '../util/bytes.js';
import { computeCrc32c, maskChecksum } from './crc32c.js';
import { readIfThere, readText } from './directory-files.js';
import { applyManifestEdit, type ManifestContents } from './manifest-edit.js';

/** A manifest as it was found. */
export interface Manifest extends ManifestContents {
  readonly name: string;
  readonly sizeBytes: number;
}

const BLOCK_BYTES = 32 * 1024;
/** Checksum, length, type. */
const HEAD_BYTES = 7;

const FRAGMENT = { full: 1, first: 2, middle: 3, last: 4 } as const;

/** The name of the manifest that is in use; undefined where `CURRENT` is missing, empty where it names none. */
export async function readManifestName(folder: string): Promise<string | undefined> {
  const current = await readText(join(folder, 'CURRENT'));
  const name = current?.trim();
  return name === undefined || /^MANIFEST-\d+$/.test(name) ? name : '';
}

/** The number in a manifest's name. */
export function numberOfManifest(name: string): number {
  return Number(name.slice('MANIFEST-'.length));
}

/** The manifest of the store in this folder; undefined where there is none. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const name = (await readManifestName(folder)) ?? '';
  const bytes = name === '' ? undefined : await readIfThere(join(folder, name));
  if (bytes === undefined) {
    return undefined;
  }
  const manifest: Manifest = { name, sizeBytes: bytes.length, tables: new Map(), logNumber: 0 };
  for (const edit of readRecords(bytes)) {
    applyManifestEdit(manifest, edit);
  }
  return manifest;
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
