/** What operations of the key-value store cost, and what they answer within it: FU-03 to FU-05 in the application. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createKeyValueStateMachine } from '../../../src/application/key-value-state-machine.js';
import { KeyValueResult } from '../../../src/wire/gen/pbft/v1/key_value.js';
import { MemoryApplicationStore } from './memory-application-store.js';
import { cas, data, del, get, operations, put, range, text } from './operations.js';

const MIB = 1_048_576;
const KIB = 1_024;

const machine = createKeyValueStateMachine();

function costOf(operation: Uint8Array): number {
  const cost = machine.prepare(operation).cost;
  assert.ok(cost !== undefined && Number.isSafeInteger(cost));
  return cost;
}

/** A store with values of such lengths under `k0`, `k1` … */
function storeWith(lengths: readonly number[]): MemoryApplicationStore {
  const store = new MemoryApplicationStore();
  for (const [index, length] of lengths.entries()) {
    store.execute(machine, put(`k${index}`, data(...new Array<number>(length).fill(7))), {
      sequence: index + 1,
      index,
    });
  }
  return store;
}

function run(store: MemoryApplicationStore, operation: Uint8Array): NonNullable<KeyValueResult['result']> {
  const { result } = KeyValueResult.decode(store.execute(machine, operation, { sequence: 1_000, index: 0 }));
  assert.ok(result !== undefined);
  return result;
}

describe('the cost of an operation of the key-value store', () => {
  it('FU-05: is little for what reads and writes little, however long the values are that it meets', () => {
    const writes = [put('k', text('v')), del('k'), cas('k', { $case: 'absent', value: true }, text('v'))].map(costOf);
    assert.ok(writes.every((cost) => cost < 4 * KIB));
    assert.ok(costOf(get('k', 16 * KIB)) < 32 * KIB);
    assert.ok(costOf(get('k')) > MIB && costOf(range()) > MIB);
    assert.ok(costOf(range({ answerBytesMax: 64 * KIB })) < 128 * KIB);
  });

  it('FU-05: grows with the bytes of the operation, and with the entries of a range', () => {
    assert.ok(costOf(put('k', data(...new Array<number>(50 * KIB).fill(0)))) > 50 * KIB);
    const [few, many] = [1, 1_000].map((limit) => costOf(range({ limit, answerBytesMax: 1 })));
    assert.ok((many ?? 0) - (few ?? 0) > 16 * KIB);
  });

  it('FU-05: is at most that of the longest answer, whatever the operation asks for', () => {
    assert.ok(costOf(get('k', 4_294_967_295)) < 1.125 * MIB);
    assert.ok(costOf(range({ limit: 1_000, answerBytesMax: 4_294_967_295 })) < 1.25 * MIB);
  });

  it('FU-05: bounds the result of any operation, malformed ones included', () => {
    fc.assert(
      fc.property(fc.oneof(operations, fc.uint8Array({ maxLength: 60 })), (operation) => {
        const store = storeWith([10, 3_000, 200]);
        const result = store.execute(machine, operation, { sequence: 9, index: 0 });
        assert.ok(result.length <= costOf(operation), `${result.length} > ${costOf(operation)}`);
      }),
    );
  });
});

describe('a read with a bound on its answer', () => {
  it('FU-03: gets a value up to the bound, and beyond it learns how long the value is', () => {
    const store = storeWith([1_000]);
    assert.equal(run(store, get('k0', 1_000)).$case, 'get');
    assert.deepEqual(run(store, get('k0', 999)), { $case: 'tooLong', value: { sizeBytes: 1_000 } });
    assert.equal(run(store, get('absent', 1)).$case, 'get');
  });

  it('FU-03: gets the entries that fit, with a continuation, and learns how long a first one is that does not', () => {
    const store = storeWith([1_000, 1_000, 5_000, 10]);
    const first = run(store, range({ prefix: 'k', answerBytesMax: 3_000 }));
    assert.ok(first.$case === 'range');
    assert.deepEqual(
      first.value.entries.map(({ key }) => key),
      ['k0', 'k1'],
    );
    const { continuation } = first.value;
    const blocked = run(store, range({ prefix: 'k', answerBytesMax: 3_000, continuation }));
    assert.ok(blocked.$case === 'tooLong' && blocked.value.sizeBytes > 5_000);
    const second = run(store, range({ prefix: 'k', answerBytesMax: blocked.value.sizeBytes, continuation }));
    assert.ok(second.$case === 'range');
    assert.deepEqual(
      second.value.entries.map(({ key }) => key),
      ['k2'],
    );
  });

  it('FU-03: gets all entries page by page, whatever the bound, where it asks again for as much as it is told', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 9 });
    const longLengths = fc.array(fc.constantFrom(10, 16_384, 16_385, 70_000), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.oneof(lengths, longLengths), fc.integer({ min: 1, max: 150_000 }), (each, bound) => {
        const store = storeWith(each);
        const seen: number[] = [];
        let continuation: Uint8Array = new Uint8Array();
        let answerBytesMax = bound;
        do {
          const result = run(store, range({ prefix: 'k', continuation, answerBytesMax }));
          if (result.$case === 'tooLong') {
            assert.ok(result.value.sizeBytes > answerBytesMax);
            answerBytesMax = result.value.sizeBytes;
          } else {
            assert.ok(result.$case === 'range');
            seen.push(...result.value.entries.map(({ value }) => value?.value.length ?? -1));
            continuation = result.value.continuation;
            answerBytesMax = bound;
          }
        } while (continuation.length > 0 || seen.length === 0);
        assert.deepEqual(seen, each);
      }),
      { numRuns: 60 },
    );
  });

  it('FU-03: is the same for a local read', async () => {
    const store = storeWith([1_000]);
    const answer = KeyValueResult.decode(await machine.query(get('k0', 10), store.queryStore()));
    assert.deepEqual(answer.result, { $case: 'tooLong', value: { sizeBytes: 1_000 } });
  });
});
