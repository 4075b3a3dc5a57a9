/** Byte strings: comparison, concatenation, hexadecimal. Pure, and without Buffer, so that every layer may use it. */

const HEX_DIGITS = '0123456789abcdef';
const codeOfDigit = (value: number): number => HEX_DIGITS.charCodeAt(value);
const HIGH_CODE = Uint8Array.from({ length: 256 }, (_, byte) => codeOfDigit(byte >> 4));
const LOW_CODE = Uint8Array.from({ length: 256 }, (_, byte) => codeOfDigit(byte & 15));
const NOT_HEX = 255;
const VALUE_OF_CODE = new Uint8Array(128).fill(NOT_HEX);
for (let value = 0; value < 16; value++) {
  VALUE_OF_CODE[codeOfDigit(value)] = value;
}

/** Lowercase hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  let index = 0;
  // By fours: what is put together of few long pieces is made, and made a key, twice as fast.
  for (; index + 4 <= bytes.length; index += 4) {
    const [a, b, c, d] = [bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0, bytes[index + 3] ?? 0];
    text += String.fromCharCode(high(a), low(a), high(b), low(b), high(c), low(c), high(d), low(d));
  }
  for (; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    text += String.fromCharCode(high(byte), low(byte));
  }
  return text;
}

function high(byte: number): number {
  return HIGH_CODE[byte] ?? 0;
}

function low(byte: number): number {
  return LOW_CODE[byte] ?? 0;
}

/** The bytes of lowercase hexadecimal, or undefined where `text` is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length >> 1);
  return writeHex(text, bytes, 0) ? bytes : undefined;
}

/** Writes the bytes of lowercase hexadecimal into `target`, which has room; false where `text` is anything else. */
export function writeHex(text: string, target: Uint8Array, offset: number): boolean {
  if (text.length % 2 !== 0) {
    return false;
  }
  for (let index = 0; index < text.length; index += 2) {
    const high = VALUE_OF_CODE[text.charCodeAt(index)] ?? NOT_HEX;
    const low = VALUE_OF_CODE[text.charCodeAt(index + 1)] ?? NOT_HEX;
    if (high === NOT_HEX || low === NOT_HEX) {
      return false;
    }
    target[offset + (index >> 1)] = (high << 4) | low;
  }
  return true;
}

/** Whether two byte strings are equal. Not constant-time: never for secrets. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compareBytes(left, right) === 0;
}

/** Order by bytes, a prefix first: negative, zero or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return left.length - right.length;
}

/** One byte string of many. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0;
  for (const part of parts) {
    sizeBytes += part.length;
  }
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const ENCODER = new TextEncoder();

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}
