/** Byte strings: comparison, concatenation, hexadecimal. Pure, and without Buffer, so that every layer may use it. */

const HEX_DIGITS = '0123456789abcdef';
const HEX_OF_BYTE: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => HEX_DIGITS.charAt(byte >> 4) + HEX_DIGITS.charAt(byte & 15),
);
const NOT_HEX = 255;
const VALUE_OF_CODE = new Uint8Array(128).fill(NOT_HEX);
for (let value = 0; value < 16; value++) {
  VALUE_OF_CODE[HEX_DIGITS.charCodeAt(value)] = value;
}

/** Lowercase hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text += HEX_OF_BYTE[byte];
  }
  return text;
}

/** The bytes of lowercase hexadecimal, or undefined where `text` is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) {
    return undefined;
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    const high = VALUE_OF_CODE[text.charCodeAt(2 * index)] ?? NOT_HEX;
    const low = VALUE_OF_CODE[text.charCodeAt(2 * index + 1)] ?? NOT_HEX;
    if (high === NOT_HEX || low === NOT_HEX) {
      return undefined;
    }
    bytes[index] = (high << 4) | low;
  }
  return bytes;
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
