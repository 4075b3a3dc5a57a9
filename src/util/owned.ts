/**
 * Values that one file writes and all others read. Their types are readonly; the file that owns them gets at them by
 * `owned`, which a test of the house allows each of them for its own fields only.
 */

/** A collection as its owner sees it. */
type OwnedValue<V> =
  V extends ReadonlyMap<infer K, infer E>
    ? Map<K, E>
    : V extends ReadonlySet<infer E>
      ? Set<E>
      : V extends readonly (infer E)[]
        ? E[]
        : V;

/** A value as its owner sees it. */
export type Owned<T> = { -readonly [F in keyof T]: OwnedValue<T[F]> };

/** The same value, to be written. */
export function owned<T>(value: T): Owned<T> {
  return value as unknown as Owned<T>;
}
