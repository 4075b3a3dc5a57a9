/**
 * What a request gets that is not executed. A refusal is a result like any other: it stands in the batch's Merkle tree
 * with outcome 2, so its bytes are the same at every replica for ever: `pbft/1/refusal`, a zero byte, the code.
 */
import { concatBytes, equalBytes, utf8 } from '../../util/bytes.js';

/** Why a request is refused at execution (protocol.md 3), with the number that stands for it in the encoding. */
export const REFUSAL = {
  /** At or below what the client acknowledged: dead. */
  numberAcknowledged: 1,
  /** Further above what the client acknowledged than the client window. */
  numberBeyondWindow: 2,
  /** The number was used for another request. */
  numberReused: 3,
} as const;

/** A reason to refuse. */
export type RefusalCode = keyof typeof REFUSAL;

const PREFIX = concatBytes([utf8('pbft/1/refusal'), new Uint8Array(1)]);

const ENCODED = new Map<RefusalCode, Uint8Array>(
  Object.entries(REFUSAL).map(([code, number]) => [code as RefusalCode, concatBytes([PREFIX, Uint8Array.of(number)])]),
);

/** The result of a refused request: its only one, however many operations it has. */
export function encodeRefusal(code: RefusalCode): Uint8Array {
  return ENCODED.get(code) ?? PREFIX;
}

/** The reason that a refused request's result names, or undefined where it isn't one. */
export function decodeRefusal(result: Uint8Array): RefusalCode | undefined {
  for (const [code, bytes] of ENCODED) {
    if (equalBytes(bytes, result)) {
      return code;
    }
  }
  return undefined;
}
