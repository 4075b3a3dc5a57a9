/**
 * What stands in the place of a result that isn't there: fixed bytes, the same at every replica for ever, so that the
 * results beside it stay where they are. `pbft/1/result-too-long` and `pbft/1/result-not-kept`, each with a zero byte.
 *
 * 1. A result that is too long is dropped when the operation is executed: its place in the results, and so in their
 *    digest, has the mark.
 * 2. One that is not kept was given to whoever asked at execution; only the client table's row has the mark. It is a
 *    reader's: whoever lost it may read again. Kept, it would cost every replica a write as long as the answer.
 */
import { concatBytes, equalBytes, utf8 } from '../../util/bytes.js';

/** In the place of a result that was longer than allowed. */
export const RESULT_TOO_LONG: Uint8Array = concatBytes([utf8('pbft/1/result-too-long'), new Uint8Array(1)]);

/** In the place of a result that the client table doesn't keep. */
const RESULT_NOT_KEPT: Uint8Array = concatBytes([utf8('pbft/1/result-not-kept'), new Uint8Array(1)]);

/** The longest result that is kept of an operation that wrote nothing. */
const READ_RESULT_BYTES_MAX = 256;

/** Whether the bytes stand for a result that was too long. */
export function isTooLong(result: Uint8Array): boolean {
  return equalBytes(result, RESULT_TOO_LONG);
}

/** What the client table keeps of an operation's result. A writer's outcome is always kept: nobody can ask for it anew. */
export function resultToKeep(result: Uint8Array, hasWritten: boolean): Uint8Array {
  return hasWritten || result.length <= READ_RESULT_BYTES_MAX ? result : RESULT_NOT_KEPT;
}
