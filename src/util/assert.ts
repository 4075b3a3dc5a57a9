/**
 * Assertions on own state. A failed assertion is a bug of this program: it ends the replica, which the cluster
 * tolerates. Input from peers and callers is judged, never asserted.
 */

/** Thrown by a failed assertion; nothing catches it but the process's last handler. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws an AssertionError unless `condition` holds. `message` says what should have held. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new AssertionError(message);
  }
}

/** Returns `value`, asserting that it is there. */
export function defined<T>(value: T | undefined, message: string): T {
  assert(value !== undefined, message);
  return value;
}

/** Ends a switch over a closed union: a kind that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
