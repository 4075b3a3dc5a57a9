/** The edits of LevelDB's manifest. */
import type { ManifestContents } from './manifest-contents.js';
import { VarintReader } from './varint-reader.js';

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

/** Does one edit of LevelDB. */
export function applyLevelDbEdit(contents: ManifestContents, edit: Uint8Array): void {
  const reader = new VarintReader(edit);
  while (reader.hasMore()) {
    switch (reader.varint()) {
      case EDIT.comparator:
        reader.skipBytes();
        break;
      case EDIT.logNumber:
        contents.logNumber = reader.varint() ?? contents.logNumber;
        break;
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
        contents.tables.delete(reader.varint() ?? 0);
        break;
      }
      case EDIT.newFile: {
        reader.varint();
        const number = reader.varint() ?? 0;
        contents.tables.set(number, reader.varint() ?? 0);
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
