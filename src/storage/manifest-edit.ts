/**
 * The edits of an engine's manifest. RocksDB's are LevelDB's with more kinds of tables and with fields that may be
 * skipped, so that one reader does for both. What it doesn't know ends its reading of the edit: the engine judges it with
 * its own words.
 */
import { VarintReader } from './varint-reader.js';

/** What the edits amount to. */
export interface ManifestContents {
  /** The tables that the store consists of: their sizes by number. */
  readonly tables: Map<number, number>;
  /** Write-ahead logs below this number are in tables; 0 where nothing is said. */
  logNumber: number;
}

const EDIT = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
  // From here on RocksDB's alone.
  minLogNumberToKeep: 10,
  newFile2: 100,
  newFile3: 102,
  newFile4: 103,
  maxColumnFamily: 203,
} as const;

/** Tags from here on are byte strings that older programs skip. */
const SKIPPED = 1 << 13;
/** Ends the further fields of a table. */
const LAST_FIELD = 1;

/** Does one edit. */
export function applyManifestEdit(contents: ManifestContents, edit: Uint8Array): void {
  const reader = new VarintReader(edit);
  while (reader.hasMore()) {
    const tag = reader.varint() ?? 0;
    if (tag > SKIPPED) {
      reader.skipBytes();
    } else if (!applyField(contents, reader, tag)) {
      return;
    }
  }
}

/** Takes one field; false where the rest of the edit can't be read. */
function applyField(contents: ManifestContents, reader: VarintReader, tag: number): boolean {
  switch (tag) {
    case EDIT.comparator:
      return reader.skipBytes();
    case EDIT.logNumber:
      contents.logNumber = reader.varint() ?? contents.logNumber;
      return true;
    case EDIT.nextFileNumber:
    case EDIT.lastSequence:
    case EDIT.previousLogNumber:
    case EDIT.minLogNumberToKeep:
    case EDIT.maxColumnFamily:
      return reader.varint() !== undefined;
    case EDIT.compactPointer:
      return reader.varint() !== undefined && reader.skipBytes();
    case EDIT.deletedFile:
      reader.varint();
      contents.tables.delete(reader.varint() ?? 0);
      return true;
    case EDIT.newFile:
    case EDIT.newFile2:
    case EDIT.newFile3:
    case EDIT.newFile4:
      return addTable(contents, reader, tag);
    default:
      return false;
  }
}

/** Level, number, path (of one kind), size, first and last key, and what else this kind of table has. */
function addTable({ tables }: ManifestContents, reader: VarintReader, tag: number): boolean {
  reader.varint();
  const number = reader.varint();
  if (tag === EDIT.newFile3) {
    reader.varint();
  }
  const sizeBytes = reader.varint();
  if (number === undefined || sizeBytes === undefined || !reader.skipBytes() || !reader.skipBytes()) {
    return false;
  }
  tables.set(number, sizeBytes);
  if (tag !== EDIT.newFile) {
    reader.varint();
    reader.varint();
  }
  return tag !== EDIT.newFile4 || skipFields(reader);
}

function skipFields(reader: VarintReader): boolean {
  for (let tag = reader.varint(); tag !== LAST_FIELD; tag = reader.varint()) {
    if (tag === undefined || !reader.skipBytes()) {
      return false;
    }
  }
  return true;
}
