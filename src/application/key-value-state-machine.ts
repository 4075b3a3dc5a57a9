/**
 * The built-in application: a key-value store with versions (proto/pbft/v1/key_value.proto).
 *
 * 1. Deterministic and total: the same operations give the same bytes and writes at every replica; a malformed
 *    operation has the result `invalid` and changes nothing.
 * 2. A version is sequence × 65,536 + the operation's index in its batch: it grows with every change of the store.
 * 3. Each operation is decoded once a replica that executes it: what it costs, what it reads and its execution share
 *    the command.
 *
 * It keeps no state of its own beside that; all is in the store it is given.
 */
import type {
  ApplicationRange,
  ExecutionContext,
  ExecutionStore,
  Key,
  QueryStore,
  StateMachine,
} from '../ports/state-machine.js';
import { assert } from '../util/assert.js';
import { equalBytes } from '../util/bytes.js';
import { KeyValueResult } from '../wire/gen/pbft/v1/key_value.js';
import {
  continuationAfter,
  type Expectation,
  type KeyValueCommand,
  parseKeyValueCommand,
  RANGE_ENTRY_OVERHEAD_BYTES,
} from './key-value-command.js';
import { computeKeyValueCost } from './key-value-cost.js';
import { decodeStoredValue, encodeStoredValue, type FormedValue, type StoredValue } from './stored-value.js';

type ResultChoice = NonNullable<KeyValueResult['result']>;
type RangeEntries = readonly { readonly key: Key; readonly value: Uint8Array }[];

/** Versions of one sequence: the most operations of a batch. */
const VERSIONS_A_SEQUENCE = 65_536;

const NOTHING: readonly never[] = [];
const NO_BYTES = Buffer.alloc(0);
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Makes the key-value store. */
export function createKeyValueStateMachine(): StateMachine {
  const commands = new CommandCache();
  return {
    name: 'key-value',
    keysToRead: (operation) => keysOf(commands.read(operation)),
    rangesToRead: (operation) => rangesOf(commands.read(operation)),
    costOf: (operation) => computeKeyValueCost(commands.read(operation), operation.length),
    execute: (operation, context, store) => encodeResult(executeCommand(commands.take(operation), context, store)),
    query: async (query, store) => encodeResult(await answerQuery(parseKeyValueCommand(query), store)),
    rejectOperation(operation) {
      const command = commands.read(operation);
      return command.kind === 'invalid' ? command.objection : undefined;
    },
  };
}

/** Commands from the first look at an operation to its execution, by the operation's own byte array. */
class CommandCache {
  readonly #commands = new WeakMap<Uint8Array, KeyValueCommand>();

  read(operation: Uint8Array): KeyValueCommand {
    const known = this.#commands.get(operation);
    if (known !== undefined) {
      return known;
    }
    const command = parseKeyValueCommand(operation);
    this.#commands.set(operation, command);
    return command;
  }

  take(operation: Uint8Array): KeyValueCommand {
    const known = this.#commands.get(operation);
    if (known === undefined) {
      return parseKeyValueCommand(operation);
    }
    this.#commands.delete(operation);
    return known;
  }
}

function keysOf(command: KeyValueCommand): readonly Key[] {
  switch (command.kind) {
    case 'get':
    case 'delete':
    case 'compareAndSwap':
      return [command.key];
    case 'put':
    case 'range':
    case 'invalid':
      return NOTHING;
  }
}

function rangesOf(command: KeyValueCommand): readonly ApplicationRange[] {
  return command.kind === 'range' ? [command.range] : NOTHING;
}

function executeCommand(command: KeyValueCommand, context: ExecutionContext, store: ExecutionStore): ResultChoice {
  switch (command.kind) {
    case 'put': {
      const version = versionOf(context);
      store.put(command.key, encodeStoredValue({ ...command.value, version }));
      return { $case: 'put', value: { version, ...NOT_SET } };
    }
    case 'get':
      return getResult(command, store.get(command.key));
    case 'delete': {
      const found = store.get(command.key) !== undefined;
      if (found) {
        store.delete(command.key);
      }
      return { $case: 'delete', value: { found, ...NOT_SET } };
    }
    case 'compareAndSwap':
      return compareAndSwap(command, context, store);
    case 'range':
      return rangeResult(command, store.range(command.range));
    case 'invalid':
      return { $case: 'invalid', value: { ...command.objection } };
  }
}

function compareAndSwap(
  command: Extract<KeyValueCommand, { kind: 'compareAndSwap' }>,
  context: ExecutionContext,
  store: ExecutionStore,
): ResultChoice {
  const row = store.get(command.key);
  const current = row === undefined ? undefined : decodeStoredValue(row);
  if (!isAsExpected(current, command.expected)) {
    return { $case: 'compareAndSwap', value: { swapped: false, version: current?.version ?? 0, ...NOT_SET } };
  }
  const version = versionOf(context);
  store.put(command.key, encodeStoredValue({ ...command.value, version }));
  return { $case: 'compareAndSwap', value: { swapped: true, version, ...NOT_SET } };
}

/** An absent key has version 0, as answers say; text never equals bytes. */
function isAsExpected(current: StoredValue | undefined, expected: Expectation): boolean {
  switch (expected.kind) {
    case 'absent':
      return current === undefined;
    case 'version':
      return (current?.version ?? 0) === expected.version;
    case 'value':
      return current !== undefined && current.form === expected.form && equalBytes(current.bytes, expected.bytes);
  }
}

async function answerQuery(command: KeyValueCommand, store: QueryStore): Promise<ResultChoice> {
  switch (command.kind) {
    case 'get':
      return getResult(command, await store.get(command.key));
    case 'range':
      return rangeResult(command, await store.range(command.range));
    case 'invalid':
      return { $case: 'invalid', value: { ...command.objection } };
    case 'put':
    case 'delete':
    case 'compareAndSwap': {
      const description = 'must be a get or a range: an operation that writes is ordered';
      return { $case: 'invalid', value: { field: 'operation', description } };
    }
  }
}

type GetCommand = Extract<KeyValueCommand, { kind: 'get' }>;
type RangeCommand = Extract<KeyValueCommand, { kind: 'range' }>;

function getResult({ answerBytesMax }: GetCommand, row: Uint8Array | undefined): ResultChoice {
  if (row === undefined) {
    return { $case: 'get', value: { found: false, value: undefined, version: 0, ...NOT_SET } };
  }
  const stored = decodeStoredValue(row);
  if (stored.bytes.length > answerBytesMax) {
    return tooLong(stored.bytes.length);
  }
  return {
    $case: 'get',
    value: { found: true, value: answerOf(stored), version: stored.version, ...NOT_SET },
  };
}

/**
 * The answer is a function of the first entries alone: how much more the store read changes nothing. Where the only
 * entry is longer than the bound, the answer goes on even at the end, because what follows may not have been read.
 */
function rangeResult({ range, pageBytesMax, answerBytesMax }: RangeCommand, entries: RangeEntries): ResultChoice {
  let sizeBytes = 0;
  let count = 0;
  for (const { key, value } of entries) {
    sizeBytes += key.length + value.length + RANGE_ENTRY_OVERHEAD_BYTES;
    if (count === 0 && sizeBytes > answerBytesMax) {
      return tooLong(sizeBytes);
    }
    if (count > 0 && sizeBytes > pageBytesMax) {
      break;
    }
    count++;
  }
  const last = entries[count - 1];
  const goesOn = count === range.limit || count < entries.length || sizeBytes > pageBytesMax;
  return {
    $case: 'range',
    value: {
      entries: entries.slice(0, count).map(({ key, value }) => {
        const stored = decodeStoredValue(value);
        return { key: DECODER.decode(key), value: answerOf(stored), version: stored.version };
      }),
      continuation: last !== undefined && goesOn ? bufferOf(continuationAfter(last.key)) : NO_BYTES,
      ...NOT_SET,
    },
  };
}

function tooLong(sizeBytes: number): ResultChoice {
  return { $case: 'tooLong', value: { sizeBytes } };
}

/** The fields that stand only in a caller's answer, not in a result. */
const NOT_SET = { sequence: 0, view: 0, headerDigest: NO_BYTES } as const;

function answerOf(stored: FormedValue): { $case: 'text'; value: string } | { $case: 'data'; value: Buffer } {
  return stored.form === 'text'
    ? { $case: 'text', value: DECODER.decode(stored.bytes) }
    : { $case: 'data', value: bufferOf(stored.bytes) };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function versionOf(context: ExecutionContext): number {
  const version = context.sequence * VERSIONS_A_SEQUENCE + context.index;
  assert(Number.isSafeInteger(version), `a version is a safe integer, that of sequence ${context.sequence} is not`);
  return version;
}

function encodeResult(result: ResultChoice): Uint8Array {
  return KeyValueResult.encode({ result }).finish();
}
