/**
 * What gets and ranges of the key-value store answer, out of heads and bodies (stored-value.ts).
 *
 * 1. An answer is as long as its operation allows: a value that is longer, or a first entry, gives `tooLong` with the
 *    bytes that would have to be allowed.
 * 2. An answer to a range is a function of the first entries alone: how much more was read changes nothing.
 * 3. Heads and bodies that were read at different moments may not belong together: then the answer ends before, or is
 *    undefined and has to be read again. Within an execution they always do.
 */
import type { Key } from '../ports/state-machine.js';
import { equalBytes } from '../util/bytes.js';
import type { KeyValueEntry, KeyValueResult } from '../wire/gen/pbft/v1/key_value.js';
import {
  continuationAfter,
  type KeyValueCommand,
  RANGE_ENTRY_OVERHEAD_BYTES,
  SHORT_PAGE_BYTES,
} from './key-value-command.js';
import {
  bodyKeyOf,
  decodeStoredBody,
  decodeStoredHead,
  type FormedValue,
  HEAD_BYTES,
  type StoredHead,
} from './stored-value.js';

/** One of the results of an operation. */
export type ResultChoice = NonNullable<KeyValueResult['result']>;
/** A get, and a range. */
export type GetCommand = Extract<KeyValueCommand, { kind: 'get' }>;
export type RangeCommand = Extract<KeyValueCommand, { kind: 'range' }>;

type Entries = readonly { readonly key: Key; readonly value: Uint8Array }[];

const NO_BYTES = Buffer.alloc(0);
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The fields that stand only in a caller's answer, not in a result. */
export const NOT_SET = { sequence: 0, view: 0, headerDigest: NO_BYTES } as const;

/** The answer to a get; undefined where the body isn't the head's. */
export function getResult(
  { answerBytesMax }: GetCommand,
  head: StoredHead | undefined,
  body: Uint8Array | undefined,
): ResultChoice | undefined {
  if (head === undefined) {
    return { $case: 'get', value: { found: false, value: undefined, version: 0, ...NOT_SET } };
  }
  if (head.length > answerBytesMax) {
    return tooLong(head.length);
  }
  const bytes = head.bytes ?? decodeStoredBody(body, head);
  return (
    bytes && { $case: 'get', value: { found: true, value: answerOf(head, bytes), version: head.version, ...NOT_SET } }
  );
}

/** The answer to a range; undefined where the first entry's body isn't its head's. */
export function rangeResult(command: RangeCommand, heads: Entries, bodies: Entries): ResultChoice | undefined {
  const { range, pageBytesMax, answerBytesMax, readsBodies } = command;
  const entries: KeyValueEntry[] = [];
  let sizeBytes = 0;
  let nextBody = 0;
  let goesOn = false;
  for (const { key, value } of heads) {
    const head = decodeStoredHead(value);
    sizeBytes += key.length + HEAD_BYTES + head.length + RANGE_ENTRY_OVERHEAD_BYTES;
    const isReadable = head.bytes !== undefined || readsBodies;
    if (entries.length === 0 && (sizeBytes > answerBytesMax || !isReadable)) {
      return tooLong(Math.max(sizeBytes, isReadable ? 0 : SHORT_PAGE_BYTES + 1));
    }
    goesOn = entries.length > 0 && (sizeBytes > pageBytesMax || !isReadable);
    const bytes = goesOn ? undefined : (head.bytes ?? bodyOf(bodies[nextBody], key, head));
    if (bytes === undefined) {
      goesOn = true;
      break;
    }
    nextBody += head.bytes === undefined ? 1 : 0;
    entries.push({ key: DECODER.decode(key), value: answerOf(head, bytes), version: head.version });
  }
  if (goesOn && entries.length === 0) {
    return undefined;
  }
  const last = heads[entries.length - 1]?.key;
  const isCutOff = goesOn || entries.length === range.limit || sizeBytes > pageBytesMax;
  const continuation = last !== undefined && isCutOff ? bufferOf(continuationAfter(last)) : NO_BYTES;
  return { $case: 'range', value: { entries, continuation, ...NOT_SET } };
}

function bodyOf(entry: Entries[number] | undefined, key: Key, head: StoredHead): Uint8Array | undefined {
  return entry !== undefined && equalBytes(entry.key, bodyKeyOf(key)) ? decodeStoredBody(entry.value, head) : undefined;
}

function tooLong(sizeBytes: number): ResultChoice {
  return { $case: 'tooLong', value: { sizeBytes } };
}

function answerOf(
  { form }: Pick<FormedValue, 'form'>,
  bytes: Uint8Array,
): { $case: 'text'; value: string } | { $case: 'data'; value: Buffer } {
  return form === 'text' ? { $case: 'text', value: DECODER.decode(bytes) } : { $case: 'data', value: bufferOf(bytes) };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
