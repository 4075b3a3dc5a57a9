/**
 * Decoding generated messages totally and strictly: nothing throws, and text that isn't UTF-8 is malformed. The
 * decoder's own way puts U+FFFD in its place, so that two different keys on the wire would become one (IV-05).
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { failed, ok, type Result } from '../util/result.js';

/** A generated message's codec. */
export interface Decodable<T> {
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** Why bytes aren't the message: not its encoding, a text that isn't UTF-8, or a number above 2^53 − 1. */
export type DecodeFault = 'encoding' | 'text' | 'number';

// A leading U+FEFF is text too: dropped, it would make two keys one as well.
const STRICT_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text that isn't UTF-8. */
class TextFault extends Error {}

function decodeText(bytes: Uint8Array): string {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch {
    throw new TextFault();
  }
}

/** How generated code refuses a number that a JavaScript number can't hold exactly. */
const UNSAFE_NUMBER = /Number\.M(?:AX|IN)_SAFE_INTEGER/;

function faultOf(error: unknown): DecodeFault {
  if (error instanceof TextFault) {
    return 'text';
  }
  return error instanceof Error && UNSAFE_NUMBER.test(error.message) ? 'number' : 'encoding';
}

/** The message, or why the bytes aren't one. */
export function decodeJudged<T>(type: Decodable<T>, bytes: Uint8Array): Result<T, DecodeFault> {
  try {
    return ok(type.decode(new BinaryReader(bytes, decodeText)));
  } catch (error) {
    return failed(faultOf(error));
  }
}

/** The message, or undefined where the bytes aren't one. */
export function decodeStrictly<T>(type: Decodable<T>, bytes: Uint8Array): T | undefined {
  const decoded = decodeJudged(type, bytes);
  return decoded.ok ? decoded.value : undefined;
}
