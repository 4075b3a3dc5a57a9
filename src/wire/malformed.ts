/** Why bytes are not a message: a value, because what others send must not throw. */

/** What is wrong with received bytes. */
export interface Malformed {
  /** The field in the names of the .proto files, such as `requests[3].number`. */
  readonly field: string;
  /** What is wrong with it, in words that stand after the field's name. */
  readonly description: string;
}

/** The same finding, seen from the message that contains it: `requests[3]` and `number` make `requests[3].number`. */
export function within(outer: string, inner: Malformed): Malformed {
  return { field: inner.field === '' ? outer : `${outer}.${inner.field}`, description: inner.description };
}
