/** CRC-32C (Castagnoli), which LevelDB's table files carry; zlib's is another polynomial. Eight bytes a step. */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;
const MASK_DELTA = 0xa282ead8;
const TABLE = makeTable();

/** The checksum of bytes from `first` (included) to `end` (excluded). */
export function computeCrc32c(bytes: Uint8Array, first: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = 0xffffffff;
  let place = first;
  for (; place + SLICES <= end; place += SLICES) {
    const low = crc ^ view.getUint32(place, true);
    const high = view.getUint32(place + 4, true);
    crc =
      entry(7, low) ^
      entry(6, low >>> 8) ^
      entry(5, low >>> 16) ^
      entry(4, low >>> 24) ^
      entry(3, high) ^
      entry(2, high >>> 8) ^
      entry(1, high >>> 16) ^
      entry(0, high >>> 24);
  }
  for (; place < end; place++) {
    crc = entry(0, crc ^ view.getUint8(place)) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** The checksum as LevelDB stores it: turned and shifted, so that a checksum of bytes with a checksum stays useful. */
export function maskChecksum(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

function entry(slice: number, byte: number): number {
  return TABLE[(slice << 8) | (byte & 0xff)] ?? 0;
}

/** Row 0 is for the last byte of a step, row 7 for the first. */
function makeTable(): Uint32Array {
  const table = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    }
    table[byte] = crc;
  }
  for (let place = 256; place < table.length; place++) {
    const before = table[place - 256] ?? 0;
    table[place] = (table[before & 0xff] ?? 0) ^ (before >>> 8);
  }
  return table;
}
