/**
 * Declared messages: an object of fields is a message, and from it come its encoder, its decoder, its largest size, and
 * the types of what is read and written. The encoding is the canonical one of canonical-reader.ts, which judges it.
 *
 * 1. Fields are written and read in the order of the declaration, which is that of their numbers: asserted.
 * 2. A message in a message is refused by its length, and a list by its count, before anything in it is read.
 * 3. Nothing here throws over what is read.
 */
import { assert } from '../util/assert.js';
import { failed, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { detach } from './detach.js';
import { type Bound, boundIn, type Field, fieldOf, type SizeLimits, snakeCase } from './field.js';
import { SIGNATURE_BYTES_MAX, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';

/** A kind of message: `R` is what is decoded, `W` what is encoded. */
export interface Message<R, W = R> {
  decode(bytes: Uint8Array, limits: WireLimits): Result<R, Malformed>;
  write(writer: CanonicalWriter, value: W): void;
  /** The length of the encoded value. Notes the lengths of messages in it, in the order in which they are written. */
  sizeBytes(value: W, lengths: number[]): number;
  /** The length of the longest that decodes. */
  sizeBytesMax(limits: SizeLimits): number;
}

type Fields = Readonly<Record<string, Field<unknown, never>>>;
type ReadOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer R, never> ? R : never };
type WrittenOf<F> = { readonly [K in keyof F]: F[K] extends Field<unknown, infer W> ? W : never };

/** What a kind of message is decoded to. */
export type Decoded<M> = M extends Message<infer R, never> ? R : never;

/** What a kind of message is encoded from. */
export type Encoded<M> = M extends Message<unknown, infer W> ? W : never;

/** The encoded value. */
export function encode<W>(message: Message<unknown, W>, value: W): Uint8Array {
  const lengths: number[] = [];
  const writer = new CanonicalWriter(message.sizeBytes(value, lengths), lengths);
  message.write(writer, value);
  return writer.finish();
}

/** The kind of message with these fields. `judge` says what is wrong with one whose fields are in range each. */
export function message<F extends Fields>(
  fields: F,
  judge?: (value: ReadOf<F>, limits: WireLimits) => Malformed | undefined,
): Message<ReadOf<F>, WrittenOf<F>> {
  const entries = Object.entries(fields).map(([key, field]) => ({ key, field, name: field.name ?? snakeCase(key) }));
  const onWire = entries.filter(({ field }) => field.number > 0);
  assertAscending(onWire.map(({ field }) => field));
  return {
    decode: (bytes, limits) => {
      const reader = new CanonicalReader(bytes);
      const value: Record<string, unknown> = {};
      for (const { key, field, name } of entries) {
        value[key] = field.read(reader, name, limits);
      }
      const result = reader.finish(value as ReadOf<F>);
      const fault = result.ok ? judge?.(result.value, limits) : undefined;
      return fault === undefined ? result : failed(fault);
    },
    write: (writer, value) => {
      for (const { key, field } of onWire) {
        field.write(writer, value[key] as never);
      }
    },
    sizeBytes: (value, lengths) => {
      let sizeBytes = 0;
      for (const { key, field } of onWire) {
        sizeBytes += field.sizeBytes(value[key] as never, lengths);
      }
      return sizeBytes;
    },
    sizeBytesMax: (limits) => onWire.reduce((sum, { field }) => sum + field.sizeBytesMax(limits), 0),
  };
}

/** The same messages on the wire, with another meaning. */
export function converted<R, W, R2, W2>(
  inner: Message<R, W>,
  meaning: {
    readonly decoded: (value: R, limits: WireLimits) => Result<R2, Malformed>;
    readonly encoded: (value: W2) => W;
  },
): Message<R2, W2> {
  return {
    decode: (bytes, limits) => {
      const value = inner.decode(bytes, limits);
      return value.ok ? meaning.decoded(value.value, limits) : value;
    },
    write: (writer, value) => inner.write(writer, meaning.encoded(value)),
    sizeBytes: (value, lengths) => inner.sizeBytes(meaning.encoded(value), lengths),
    sizeBytesMax: (limits) => inner.sizeBytesMax(limits),
  };
}

interface NestedOptions {
  /** Whether what is read outlives what it came in: then it doesn't keep it in memory. */
  readonly detached?: boolean;
}

/** A message in a message. With `anyLength` nothing bounds it but the bounds of what is in it. */
export function nested<R, W>(
  number: number,
  inner: Message<R, W>,
  { detached = false, anyLength = false }: NestedOptions & { readonly anyLength?: boolean } = {},
): Field<R, W> {
  const bytesMaxIn = anyLength ? () => Number.MAX_SAFE_INTEGER : longestOf(inner);
  return fieldOf(number, {
    read: (reader, name, limits) => {
      const bytes = reader.requireBytes(number, name, { max: bytesMaxIn(limits) });
      return decodeInto(reader, name, detached ? detach(bytes) : bytes, inner, limits);
    },
    write: (writer, value) => {
      writer.messageHead(number);
      inner.write(writer, value);
    },
    sizeBytes: (value, lengths) => {
      const place = lengths.push(0) - 1;
      const length = inner.sizeBytes(value, lengths);
      lengths[place] = length;
      return bytesFieldSizeBytes(length);
    },
    sizeBytesMax: (limits) => bytesFieldSizeBytes(inner.sizeBytesMax(limits)),
  });
}

/** The order of a list. */
export interface ElementOrder<T> {
  /** Whether `left` comes before `right`: never both ways, and not for equal ones. */
  readonly isBefore: (left: T, right: T) => boolean;
  /** By what, in words. */
  readonly by: string;
}

/** Messages in a message: `countMin` to `countMax`, in strictly ascending order where there is one. */
export function list<R, W>(
  number: number,
  inner: Message<R, W>,
  options: NestedOptions & { readonly countMin?: 0 | 1; readonly countMax: Bound; readonly order?: ElementOrder<R> },
): Field<readonly R[], readonly W[]> {
  const { detached = false, countMin = 0, countMax, order } = options;
  const one = nested(number, inner);
  const bytesMaxIn = longestOf(inner);
  return fieldOf(number, {
    read: (reader, name, limits) => {
      const range = { max: bytesMaxIn(limits), countMax: boundIn(countMax, limits) };
      const encoded = reader.readRepeated(number, name, range);
      if (encoded.length < countMin) {
        reader.fail(name, 'has no element');
      }
      const elements: R[] = [];
      for (const [index, bytes] of encoded.entries()) {
        const element = decodeInto(reader, `${name}[${index}]`, detached ? detach(bytes) : bytes, inner, limits);
        const previous = elements.at(-1);
        if (element === undefined) {
          return [];
        }
        if (order !== undefined && previous !== undefined && !order.isBefore(previous, element)) {
          reader.fail(`${name}[${index}]`, `is not above the one before by ${order.by}`);
          return [];
        }
        elements.push(element);
      }
      return elements;
    },
    write: (writer, elements) => {
      for (const element of elements) {
        one.write(writer, element);
      }
    },
    sizeBytes: (elements, lengths) => elements.reduce((sum, element) => sum + one.sizeBytes(element, lengths), 0),
    sizeBytesMax: (limits) => boundIn(countMax, limits) * one.sizeBytesMax(limits),
  });
}

/** A message that has one field, or one oneof, as its value. */
export function only<R, W>(field: Field<R, W>, name = ''): Message<R, W> {
  return {
    decode: (bytes, limits) => {
      const reader = new CanonicalReader(bytes);
      const value = field.read(reader, name, limits);
      return reader.finish(value as R);
    },
    write: (writer, value) => field.write(writer, value),
    sizeBytes: (value, lengths) => field.sizeBytes(value, lengths),
    sizeBytesMax: (limits) => field.sizeBytesMax(limits),
  };
}

/** The element or content in these bytes; undefined where the reader failed, before or by it. */
function decodeInto<R>(
  reader: CanonicalReader,
  name: string,
  bytes: Uint8Array,
  inner: Message<R, never>,
  limits: WireLimits,
): R | undefined {
  if (reader.hasFailed) {
    return undefined;
  }
  const value = inner.decode(bytes, limits);
  if (!value.ok) {
    const { field, description } = within(name, value.error);
    reader.fail(field, description);
    return undefined;
  }
  return value.value;
}

/** The length of the longest, in a cluster's limits with keys of any length: computed once a cluster. */
export function longestOf(inner: Message<unknown, never>): (limits: WireLimits) => number {
  const known = new WeakMap<WireLimits, number>();
  return (limits) => {
    const before = known.get(limits);
    if (before !== undefined) {
      return before;
    }
    const sizeBytesMax = inner.sizeBytesMax({ ...limits, signatureBytesMax: SIGNATURE_BYTES_MAX });
    known.set(limits, sizeBytesMax);
    return sizeBytesMax;
  };
}

function assertAscending(fields: readonly Field<unknown, never>[]): void {
  let last = 0;
  for (const { number, numberMax } of fields) {
    assert(
      number > last && numberMax >= number && numberMax <= 15,
      `field ${number} doesn't stand after field ${last}`,
    );
    last = numberMax;
  }
}
