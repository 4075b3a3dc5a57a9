/** Reads the numbers and byte strings of LevelDB's own files. Total: what is cut off is undefined. */
export class VarintReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private place: number;

  constructor(bytes: Uint8Array, first = 0, end = bytes.length) {
    this.bytes = bytes;
    this.place = first;
    this.end = end;
  }

  hasMore(): boolean {
    return this.place < this.end;
  }

  skip(count: number): void {
    this.place += count;
  }

  /** A number, or undefined where it is cut off or not safe. */
  varint(): number | undefined {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 42; factor *= 128) {
      const byte = this.place < this.end ? this.bytes[this.place++] : undefined;
      if (byte === undefined) {
        return undefined;
      }
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
    }
    return undefined;
  }

  /** Skips a byte string with its length before it; false where it is cut off. */
  skipBytes(): boolean {
    const length = this.varint();
    if (length === undefined || this.place + length > this.end) {
      return false;
    }
    this.place += length;
    return true;
  }
}
