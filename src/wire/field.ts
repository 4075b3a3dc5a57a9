/**
 * The fields of declared messages: of each its number, type, size and range, in one place. What reads, writes and
 * measures it follows from that; message.ts puts fields together.
 *
 * 1. Ranges are judged where something is read. What is written is this program's own: in range, or a bug.
 * 2. `sizeBytes` is exact: a message is written into a buffer of its length.
 * 3. `sizeBytesMax` is the longest that is in range.
 */
import type { ReplicaId, Sequence, View } from '../protocol/identifiers.js';
import { type ClientId, DIGEST_BYTES, type Digest } from '../util/digest.js';
import type { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, type CanonicalWriter, numberFieldSizeBytes } from './canonical-writer.js';
import { INTEGER_MAX, SIGNATURE_BYTES_MAX, type WireLimits } from './limits.js';

/** What the longest messages depend on: the cluster, and how long its replicas' signatures are. */
export interface SizeLimits extends WireLimits {
  /** 1 to SIGNATURE_BYTES_MAX. */
  readonly signatureBytesMax: number;
}

/** How a field is read (as `R`), written (from `W`) and measured. */
export interface FieldCodec<R, W = R> {
  /** The value, anything where the reader failed. `name` is the field's in the .proto files. */
  read(reader: CanonicalReader, name: string, limits: WireLimits): R | undefined;
  write(writer: CanonicalWriter, value: W): void;
  /** The bytes that `write` writes, tags included; 0 where it writes nothing. Notes the lengths of messages in it. */
  sizeBytes(value: W, lengths: number[]): number;
  /** The most that it writes of what is in range. */
  sizeBytesMax(limits: SizeLimits): number;
}

/** A field with its place in a message. */
export interface Field<R, W = R> extends FieldCodec<R, W> {
  /** 1 to 15, the lowest of a oneof; 0 for a property that isn't on the wire. */
  readonly number: number;
  /** The highest number of a oneof; else the same. */
  readonly numberMax: number;
  /** The name in the .proto files, where it isn't the property's in snake case. */
  readonly name: string | undefined;
}

const ID_FIELD_BYTES = bytesFieldSizeBytes(DIGEST_BYTES);

/** A bound that depends on the cluster, or doesn't. */
export type Bound = number | ((limits: WireLimits) => number);

/** The bound in these limits. */
export function boundIn(bound: Bound, limits: WireLimits): number {
  return typeof bound === 'number' ? bound : bound(limits);
}

/** A property's name as the .proto files write it. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A field with one number. */
export function fieldOf<R, W>(number: number, codec: FieldCodec<R, W>, name?: string): Field<R, W> {
  return { ...codec, number, numberMax: number, name };
}

/** A property that every message of a kind has, and that isn't on the wire. */
export function constant<const T extends string>(value: T): Field<T> {
  return fieldOf(0, {
    read: () => value,
    write: () => undefined,
    sizeBytes: () => 0,
    sizeBytesMax: () => 0,
  });
}

/** A number that is always there, from `min` (by default 0) to `max` (by default INTEGER_MAX). */
export function integer<T extends number = number>(
  number: number,
  { min = 0, max = INTEGER_MAX }: { readonly min?: number; readonly max?: Bound } = {},
): Field<T> {
  const range = typeof max === 'number' ? { min, max } : undefined;
  return fieldOf(number, {
    read: (reader, name, limits) =>
      reader.requireNumber(number, name, range ?? { min, max: boundIn(max, limits) }) as T,
    write: (writer, value) => {
      writer.number(number, value);
    },
    sizeBytes: numberFieldSizeBytes,
    sizeBytesMax: (limits) => numberFieldSizeBytes(boundIn(max, limits)),
  });
}

/** A number without explicit presence: absent for 0. */
export function integerOrZero(number: number): Field<number> {
  const positive = integer(number, { min: 1 });
  return {
    ...positive,
    read: (reader, name, limits) => (reader.isNext(number, 'number') ? positive.read(reader, name, limits) : 0),
    write: (writer, value) => (value === 0 ? undefined : positive.write(writer, value)),
    sizeBytes: (value) => (value === 0 ? 0 : numberFieldSizeBytes(value)),
  };
}

/** A replica of the cluster. */
export const replica = (number: number): Field<ReplicaId> =>
  integer(number, { max: ({ replicaCount }) => replicaCount - 1 });

/** A view, from `min`. */
export const view = (number: number, min = 0): Field<View> => integer(number, { min });

/** A sequence, from 1; with `min` 0 also that of the state before the first batch. */
export const sequence = (number: number, min = 1): Field<Sequence> => integer(number, { min });

/** A flag without explicit presence: absent for false. */
export function flag(number: number): Field<boolean> {
  return fieldOf(number, {
    read: (reader, name) => reader.readFlag(number, name),
    write: (writer, value) => {
      writer.flag(number, value);
    },
    sizeBytes: (value) => (value ? numberFieldSizeBytes(1) : 0),
    sizeBytesMax: () => numberFieldSizeBytes(1),
  });
}

interface BytesOptions {
  readonly min?: number;
  readonly max: Bound;
  readonly name?: string;
}

/** A byte string that is always there, of `min` (by default 0) to `max` bytes. */
export function bytes(number: number, { min = 0, max, name: ownName }: BytesOptions): Field<Uint8Array> {
  const range = typeof max === 'number' ? { min, max } : undefined;
  const codec: FieldCodec<Uint8Array> = {
    read: (reader, name, limits) => reader.requireBytes(number, name, range ?? { min, max: boundIn(max, limits) }),
    write: (writer, value) => {
      writer.bytes(number, value);
    },
    sizeBytes: ({ length }) => bytesFieldSizeBytes(length),
    sizeBytesMax: (limits) => bytesFieldSizeBytes(boundIn(max, limits)),
  };
  return fieldOf(number, codec, ownName);
}

/** A byte string without explicit presence: absent for empty. */
export function bytesOrEmpty(number: number, options: Omit<BytesOptions, 'min'>): Field<Uint8Array> {
  return {
    ...bytes(number, options),
    read: (reader, name, limits) => reader.readBytes(number, name, { max: boundIn(options.max, limits) }),
    write: (writer, value) => {
      writer.bytesUnlessEmpty(number, value);
    },
    sizeBytes: ({ length }) => (length === 0 ? 0 : bytesFieldSizeBytes(length)),
  };
}

/** A signature, which is as long as its signer's key. */
export function signature(number: number): Field<Uint8Array> {
  return {
    ...bytes(number, { min: 1, max: SIGNATURE_BYTES_MAX }),
    sizeBytesMax: ({ signatureBytesMax }) => bytesFieldSizeBytes(signatureBytesMax),
  };
}

/** Exactly 32 bytes, in memory as hexadecimal. */
function id<T extends Digest | ClientId>(number: number, read: (reader: CanonicalReader, name: string) => T): Field<T> {
  return fieldOf(number, {
    read,
    write: (writer, value) => {
      writer.digest(number, value);
    },
    sizeBytes: () => ID_FIELD_BYTES,
    sizeBytesMax: () => ID_FIELD_BYTES,
  });
}

/** A digest. */
export const digest = (number: number): Field<Digest> =>
  id(number, (reader, name) => reader.requireDigest(number, name));

/** A client's id. */
export const clientId = (number: number): Field<ClientId> =>
  id(number, (reader, name) => reader.requireClientId(number, name));

/** A digest that may be absent. */
export function optionalDigest(number: number): Field<Digest | undefined> {
  const always = digest(number);
  return {
    ...always,
    read: (reader, name, limits) => (reader.isNext(number, 'bytes') ? always.read(reader, name, limits) : undefined),
    write: (writer, value) => (value === undefined ? undefined : always.write(writer, value)),
    sizeBytes: (value) => (value === undefined ? 0 : ID_FIELD_BYTES),
  };
}

/** Byte strings of `min` to `max` bytes, `countMin` to `countMax` of them: what is in them is not judged here. */
export function bytesList(
  number: number,
  {
    countMin = 0,
    ...options
  }: { readonly min?: number; readonly max?: Bound; readonly countMin?: 0 | 1; readonly countMax: Bound },
): Field<readonly Uint8Array[]> {
  const { min = 0, max = INTEGER_MAX, countMax } = options;
  return fieldOf(number, {
    read: (reader, name, limits) => {
      const range = { min, max: boundIn(max, limits), countMax: boundIn(countMax, limits) };
      const elements = reader.readRepeated(number, name, range);
      if (elements.length < countMin) {
        reader.fail(name, 'has no element');
      }
      return elements;
    },
    write: (writer, elements) => {
      for (const element of elements) {
        writer.bytes(number, element);
      }
    },
    sizeBytes: (elements) => {
      let sizeBytes = 0;
      for (const { length } of elements) {
        sizeBytes += bytesFieldSizeBytes(length);
      }
      return sizeBytes;
    },
    sizeBytesMax: (limits) => boundIn(countMax, limits) * bytesFieldSizeBytes(boundIn(max, limits)),
  });
}
