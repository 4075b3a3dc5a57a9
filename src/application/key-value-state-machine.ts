/**
 * The built-in application: a key-value store with versions (proto/pbft/v1/key_value.proto).
 *
 * 1. Deterministic and total: the same operations give the same bytes and writes at every replica; a malformed
 *    operation has the result `invalid` and changes nothing.
 * 2. A version is sequence × 65,536 + the operation's index in its batch: it grows with every change of the store.
 * 3. Each operation is decoded once: what it costs, what it reads and its execution share the command.
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
import { assert, defined } from '../util/assert.js';
import { equalBytes } from '../util/bytes.js';
import { KeyValueResult } from '../wire/gen/pbft/v1/key_value.js';
import {
  type GetCommand,
  getResult,
  NOT_SET,
  type RangeCommand,
  type ResultChoice,
  rangeResult,
} from './key-value-answers.js';
import { type Expectation, type KeyValueCommand, parseKeyValueCommand } from './key-value-command.js';
import { computeKeyValueCost } from './key-value-cost.js';
import {
  bodyKeyOf,
  decodeStoredBody,
  decodeStoredHead,
  encodeStoredValue,
  INLINE_BYTES_MAX,
  type StoredHead,
  type StoredValue,
} from './stored-value.js';

/** Versions of one sequence: the most operations of a batch. */
const VERSIONS_A_SEQUENCE = 65_536;

const NOTHING: readonly never[] = [];

/** Makes the key-value store. */
export function createKeyValueStateMachine(): StateMachine {
  return {
    name: 'key-value',
    prepare(operation) {
      const command = parseKeyValueCommand(operation);
      return {
        keys: keysOf(command),
        ranges: rangesOf(command),
        cost: computeKeyValueCost(command, operation.length),
        ...(command.kind === 'invalid' && { objection: command.objection }),
        execute: (context, store) => encodeResult(executeCommand(command, context, store)),
      };
    },
    query: async (query, store) => encodeResult(await answerQuery(parseKeyValueCommand(query), store)),
  };
}

function keysOf(command: KeyValueCommand): readonly Key[] {
  switch (command.kind) {
    case 'put':
    case 'delete':
      return [command.key];
    case 'get':
      return command.answerBytesMax > INLINE_BYTES_MAX ? [command.key, bodyKeyOf(command.key)] : [command.key];
    case 'compareAndSwap':
      return isComparedApart(command.expected) ? [command.key, bodyKeyOf(command.key)] : [command.key];
    case 'range':
    case 'invalid':
      return NOTHING;
  }
}

function rangesOf(command: KeyValueCommand): readonly ApplicationRange[] {
  if (command.kind !== 'range') {
    return NOTHING;
  }
  return command.readsBodies ? [command.range, command.bodies] : [command.range];
}

function executeCommand(command: KeyValueCommand, context: ExecutionContext, store: ExecutionStore): ResultChoice {
  switch (command.kind) {
    case 'put': {
      const version = versionOf(context);
      write(store, command.key, { ...command.value, version });
      return { $case: 'put', value: { version, ...NOT_SET } };
    }
    case 'get': {
      const head = headAt(store, command.key);
      const isApart = head !== undefined && head.bytes === undefined && head.length <= command.answerBytesMax;
      const body = isApart ? store.get(bodyKeyOf(command.key)) : undefined;
      return defined(getResult(command, head, body), 'a head has its body');
    }
    case 'delete': {
      const head = headAt(store, command.key);
      if (head !== undefined) {
        store.delete(command.key);
        deleteBody(store, command.key, head);
      }
      return { $case: 'delete', value: { found: head !== undefined, ...NOT_SET } };
    }
    case 'compareAndSwap':
      return compareAndSwap(command, context, store);
    case 'range': {
      const bodies = command.readsBodies ? store.range(command.bodies) : NOTHING;
      return defined(rangeResult(command, store.range(command.range), bodies), 'heads have their bodies');
    }
    case 'invalid':
      return { $case: 'invalid', value: { ...command.objection } };
  }
}

function headAt(store: Pick<ExecutionStore, 'get'>, key: Key): StoredHead | undefined {
  const row = store.get(key);
  return row && decodeStoredHead(row);
}

/** Sets a key. Its head was announced: a body that it has no more goes. */
function write(store: ExecutionStore, key: Key, stored: StoredValue): void {
  const before = headAt(store, key);
  const { head, body } = encodeStoredValue(stored);
  store.put(key, head);
  if (body !== undefined) {
    store.put(bodyKeyOf(key), body);
  } else if (before !== undefined) {
    deleteBody(store, key, before);
  }
}

function deleteBody(store: ExecutionStore, key: Key, head: StoredHead): void {
  if (head.bytes === undefined) {
    store.delete(bodyKeyOf(key));
  }
}

function compareAndSwap(
  command: Extract<KeyValueCommand, { kind: 'compareAndSwap' }>,
  context: ExecutionContext,
  store: ExecutionStore,
): ResultChoice {
  const current = headAt(store, command.key);
  const readBody = () => current && decodeStoredBody(store.get(bodyKeyOf(command.key)), current);
  if (!isAsExpected(current, command.expected, readBody)) {
    return { $case: 'compareAndSwap', value: { swapped: false, version: current?.version ?? 0, ...NOT_SET } };
  }
  const version = versionOf(context);
  write(store, command.key, { ...command.value, version });
  return { $case: 'compareAndSwap', value: { swapped: true, version, ...NOT_SET } };
}

/** Whether comparing reads the body: only a value of the expected length is compared, so short ones never do. */
function isComparedApart(expected: Expectation): boolean {
  return expected.kind === 'value' && expected.bytes.length > INLINE_BYTES_MAX;
}

/** An absent key has version 0, as answers say; text never equals bytes. */
function isAsExpected(
  current: StoredHead | undefined,
  expected: Expectation,
  readBody: () => Uint8Array | undefined,
): boolean {
  switch (expected.kind) {
    case 'absent':
      return current === undefined;
    case 'version':
      return (current?.version ?? 0) === expected.version;
    case 'value': {
      if (current?.form !== expected.form || current.length !== expected.bytes.length) {
        return false;
      }
      const bytes = defined(current.bytes ?? readBody(), 'a head has its body');
      return equalBytes(bytes, expected.bytes);
    }
  }
}

async function answerQuery(command: KeyValueCommand, store: QueryStore): Promise<ResultChoice> {
  switch (command.kind) {
    case 'get':
    case 'range':
      return readTogether(() => (command.kind === 'get' ? queryGet(command, store) : queryRange(command, store)));
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

async function queryGet(command: GetCommand, store: QueryStore): Promise<ResultChoice | undefined> {
  const row = await store.get(command.key);
  const head = row && decodeStoredHead(row);
  const isApart = head !== undefined && head.bytes === undefined && head.length <= command.answerBytesMax;
  return getResult(command, head, isApart ? await store.get(bodyKeyOf(command.key)) : undefined);
}

async function queryRange(command: RangeCommand, store: QueryStore): Promise<ResultChoice | undefined> {
  const heads = await store.range(command.range);
  return rangeResult(command, heads, command.readsBodies ? await store.range(command.bodies) : NOTHING);
}

/** Executed state may change between two reads: then both are read again. */
async function readTogether(read: () => Promise<ResultChoice | undefined>): Promise<ResultChoice> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt++) {
    const result = await read();
    if (result !== undefined) {
      return result;
    }
  }
  throw new Error(`a value changed during each of ${READ_ATTEMPTS_MAX} reads`);
}

/** A long value would have to be replaced in the milliseconds between two reads as often in a row. */
const READ_ATTEMPTS_MAX = 20;

function versionOf(context: ExecutionContext): number {
  const version = context.sequence * VERSIONS_A_SEQUENCE + context.index;
  assert(Number.isSafeInteger(version), `a version is a safe integer, that of sequence ${context.sequence} is not`);
  return version;
}

function encodeResult(result: ResultChoice): Uint8Array {
  return KeyValueResult.encode({ result }).finish();
}
