/**
 * Decoding generated messages totally and strictly: nothing throws, and text that isn't UTF-8 is malformed. The
 * decoder's own way puts U+FFFD in its place, so that two different keys on the wire would become one (IV-05).
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A generated message's codec. */
export interface Decodable<T> {
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

// A leading U+FEFF is text too: dropped, it would make two keys one as well.
const STRICT_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The message, or undefined where the bytes aren't one. Integers above 2^53 − 1 are malformed too. */
export function decodeStrictly<T>(type: Decodable<T>, bytes: Uint8Array): T | undefined {
  try {
    return type.decode(new BinaryReader(bytes, (text) => STRICT_DECODER.decode(text)));
  } catch {
    return undefined;
  }
}
