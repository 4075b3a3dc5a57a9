/** Operations of the key-value store between what callers mean and what is ordered. */
import { assert } from '../../../src/util/assert.js';
import { KeyValueOperation, KeyValueResult } from '../../../src/wire/gen/pbft/v1/key_value.js';
import type { ExpectedState, KeyValueInput, KeyValueOutput } from '../../support/linearizability/history.js';

type OperationChoice = NonNullable<KeyValueOperation['operation']>;
type ExpectedChoice = NonNullable<
  NonNullable<Extract<OperationChoice, { $case: 'compareAndSwap' }>['value']['expected']>['expected']
>;

/** More than any value of a simulation, and far less than a get may answer. */
const SHORT_ANSWER_BYTES = 4_096;

/** The encoded operation. Gets of half of the keys may answer as much as there is: a few of them fill a batch by cost. */
export function encodeInput(input: KeyValueInput): Uint8Array {
  const isCostly = (input.key.codePointAt(input.key.length - 1) ?? 0) % 2 === 1;
  const answerBytesMax = isCostly ? 0 : SHORT_ANSWER_BYTES;
  return KeyValueOperation.encode({ operation: choiceOf(input), answerBytesMax }).finish();
}

function choiceOf(input: KeyValueInput): OperationChoice {
  const { key } = input;
  switch (input.kind) {
    case 'put':
      return { $case: 'put', value: { key, value: { $case: 'text', value: input.value }, requestId: '' } };
    case 'get':
      return { $case: 'get', value: { key, consistency: 0 } };
    case 'delete':
      return { $case: 'delete', value: { key, requestId: '' } };
    case 'compareAndSwap':
      return {
        $case: 'compareAndSwap',
        value: {
          key,
          expected: { expected: expectedChoice(input.expected) },
          value: { value: { $case: 'text', value: input.value } },
          requestId: '',
        },
      };
  }
}

function expectedChoice(expected: ExpectedState): ExpectedChoice {
  switch (expected.kind) {
    case 'absent':
      return { $case: 'absent', value: true };
    case 'value':
      return { $case: 'text', value: expected.value };
    case 'version':
      return { $case: 'version', value: expected.version };
  }
}

/** The operation in these bytes, undefined where it is none of these kinds. */
export function decodeInput(bytes: Uint8Array): KeyValueInput | undefined {
  const { operation } = KeyValueOperation.decode(bytes);
  switch (operation?.$case) {
    case 'put': {
      const { key, value } = operation.value;
      return { kind: 'put', key, value: textOf(value) };
    }
    case 'get':
      return { kind: 'get', key: operation.value.key };
    case 'delete':
      return { kind: 'delete', key: operation.value.key };
    case 'compareAndSwap': {
      const { key, expected, value } = operation.value;
      return { kind: 'compareAndSwap', key, expected: expectedOf(expected?.expected), value: textOf(value?.value) };
    }
    default:
      return undefined;
  }
}

function expectedOf(choice: ExpectedChoice | undefined): ExpectedState {
  switch (choice?.$case) {
    case 'version':
      return { kind: 'version', version: choice.value };
    case 'text':
      return { kind: 'value', value: choice.value };
    default:
      return { kind: 'absent' };
  }
}

/** What the result of an operation says. */
export function decodeOutput(bytes: Uint8Array): KeyValueOutput {
  const { result } = KeyValueResult.decode(bytes);
  switch (result?.$case) {
    case 'put':
      return { kind: 'put', version: result.value.version };
    case 'get': {
      const { found, value, version } = result.value;
      return { kind: 'get', value: found ? textOf(value) : undefined, version };
    }
    case 'delete':
      return { kind: 'delete', found: result.value.found };
    case 'compareAndSwap':
      return { kind: 'compareAndSwap', swapped: result.value.swapped, version: result.value.version };
    default:
      assert(false, `no operation of the work has the result ${JSON.stringify(result)}`);
  }
}

function textOf(value: { readonly $case: 'text' | 'data'; readonly value: unknown } | undefined): string {
  return value?.$case === 'text' ? String(value.value) : '';
}
