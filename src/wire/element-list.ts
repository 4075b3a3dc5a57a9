/** Repeated fields whose elements are messages: decoded one by one, in strictly ascending order where there is one. */
import type { Result } from '../util/result.js';
import type { CanonicalReader } from './canonical-reader.js';
import { type Malformed, within } from './malformed.js';

/** The order of a list. */
export interface ElementOrder<T> {
  /** Whether `left` comes before `right`: never both ways, and not for equal ones. */
  readonly isBefore: (left: T, right: T) => boolean;
  /** By what, in words. */
  readonly by: string;
}

/**
 * The elements of a repeated field that `outer` read as `name`. The first one that is malformed or out of order is the
 * failure of `outer`.
 */
export function decodeElements<T>(
  outer: CanonicalReader,
  field: { readonly name: string; readonly encoded: readonly Uint8Array[]; readonly order?: ElementOrder<T> },
  decode: (bytes: Uint8Array) => Result<T, Malformed>,
): readonly T[] {
  const { name, encoded, order } = field;
  const elements: T[] = [];
  for (const [index, bytes] of encoded.entries()) {
    const element = decode(bytes);
    if (!element.ok) {
      const { field: inner, description } = within(`${name}[${index}]`, element.error);
      outer.fail(inner, description);
      return [];
    }
    const previous = elements.at(-1);
    if (order !== undefined && previous !== undefined && !order.isBefore(previous, element.value)) {
      outer.fail(`${name}[${index}]`, `is not above the one before by ${order.by}`);
      return [];
    }
    elements.push(element.value);
  }
  return elements;
}
