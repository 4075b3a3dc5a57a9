/** Long values stand apart from their heads (FU-05): what is read of them, and that the two never come apart. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createKeyValueStateMachine } from '../../../src/application/key-value-state-machine.js';
import type { QueryStore } from '../../../src/ports/state-machine.js';
import { KeyValueResult } from '../../../src/wire/gen/pbft/v1/key_value.js';
import { MemoryApplicationStore } from './memory-application-store.js';
import { cas, del, type GivenValue, get, put, range, text } from './operations.js';

const LONG = 'x'.repeat(20_000);
const LONGER = 'y'.repeat(200_000);
const machine = createKeyValueStateMachine();

type Result = NonNullable<KeyValueResult['result']>;

class Subject {
  readonly store = new MemoryApplicationStore();
  sequence = 0;

  run(operation: Uint8Array): Result {
    this.sequence++;
    const at = { sequence: this.sequence, index: 0 };
    return resultOf(this.store.execute(machine, operation, at));
  }

  /** The lengths of all rows. */
  get rows(): readonly number[] {
    return [...this.store.rows.values()].map(({ length }) => length).sort((left, right) => left - right);
  }
}

function resultOf(bytes: Uint8Array): Result {
  const { result } = KeyValueResult.decode(bytes);
  assert.ok(result !== undefined);
  return result;
}

function givenValueOf(result: Result): GivenValue | undefined {
  assert.ok(result.$case === 'get');
  return result.value.value;
}

describe('a long value', () => {
  it('FU-05: is read by nobody but who wants it or compares with one as long', () => {
    for (const operation of [
      get('k', 16_384),
      put('k', text('v')),
      del('k'),
      cas('k', { $case: 'version', value: 1 }, text('v')),
      cas('k', { $case: 'text', value: 'short' }, text('v')),
    ]) {
      assert.equal(machine.prepare(operation).keys.length, 1);
    }
    assert.equal(machine.prepare(get('k', 16_385)).keys.length, 2);
    assert.equal(machine.prepare(cas('k', { $case: 'text', value: LONG }, text('v'))).keys.length, 2);
    assert.equal(machine.prepare(range({ answerBytesMax: 65_536 })).ranges?.length, 1);
    assert.equal(machine.prepare(range({ answerBytesMax: 65_537 })).ranges?.length, 2);
  });

  it('leaves nothing behind when it is replaced by a short one, swapped or deleted', () => {
    const subject = new Subject();
    const long = () => subject.run(put('k', text(LONG)));
    long();
    assert.deepEqual(subject.rows, [13, 20_008]);
    subject.run(put('k', text('v')));
    assert.deepEqual(subject.rows, [10]);
    long();
    subject.run(cas('k', { $case: 'text', value: LONG }, text('w')));
    assert.deepEqual([subject.rows, givenValueOf(subject.run(get('k')))], [[10], text('w')]);
    long();
    subject.run(del('k'));
    assert.deepEqual(subject.rows, []);
  });

  it('is compared by its bytes where the length is right', () => {
    const subject = new Subject();
    subject.run(put('k', text(LONG)));
    const swap = (expected: string) => subject.run(cas('k', { $case: 'text', value: expected }, text(LONG)));
    assert.deepEqual(
      [swap(`${LONG.slice(1)}y`), swap(`${LONG}x`), swap('x'), swap(LONG)].map(
        (result) => result.$case === 'compareAndSwap' && result.value.swapped,
      ),
      [false, false, false, true],
    );
  });

  it('behaves as a short one does, whatever is done with it', () => {
    const value = fc.constantFrom('', 'short', 'x'.repeat(16_384), 'x'.repeat(16_385), LONG, LONGER);
    const key = fc.constantFrom('a', 'ab', 'b');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), key, value }),
      fc.record({ kind: fc.constant('del' as const), key, value }),
      fc.record({ kind: fc.constant('cas' as const), key, value }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), value, (steps, other) => {
        const subject = new Subject();
        const model = new Map<string, string>();
        for (const { kind, key: at, value: given } of steps) {
          if (kind === 'put') {
            subject.run(put(at, text(given)));
            model.set(at, given);
          } else if (kind === 'del') {
            subject.run(del(at));
            model.delete(at);
          } else {
            subject.run(cas(at, { $case: 'text', value: given }, text(other)));
            if (model.get(at) === given) {
              model.set(at, other);
            }
          }
        }
        const all = subject.run(range());
        assert.ok(all.$case === 'range');
        const expected = [...model].sort(([left], [right]) => (left < right ? -1 : 1));
        assert.deepEqual(
          all.value.entries.map((entry) => [entry.key, entry.value?.value]),
          expected,
        );
        const longOnes = [...model.values()].filter(({ length }) => length > 16_384).length;
        assert.equal(subject.store.rows.size, model.size + longOnes, 'a body stands exactly where a head says so');
      }),
      { numRuns: 60 },
    );
  });

  it('is read again where it changed between the two reads of a local one', async () => {
    const subject = new Subject();
    subject.run(put('k', text(LONG)));
    const store = subject.store.queryStore();
    let reads = 0;
    const changing: QueryStore = {
      ...store,
      get: (key) => {
        reads++;
        const row = store.get(key);
        if (reads === 1) {
          subject.run(put('k', text(LONGER)));
        }
        return row;
      },
    };
    assert.deepEqual(givenValueOf(resultOf(await machine.query(get('k'), changing))), text(LONGER));
    assert.equal(reads, 4);
  });

  it('ends a local range before it where it changed between the two reads', async () => {
    const subject = new Subject();
    for (const key of ['k1', 'k2', 'k3']) {
      subject.run(put(key, text(LONG)));
    }
    const store = subject.store.queryStore();
    let reads = 0;
    const changing: QueryStore = {
      ...store,
      range: (asked) => {
        reads++;
        const rows = store.range(asked);
        if (reads === 1) {
          subject.run(put('k2', text(LONGER)));
        }
        return rows;
      },
    };
    const first = resultOf(await machine.query(range({ prefix: 'k' }), changing));
    assert.ok(first.$case === 'range');
    assert.deepEqual(
      first.value.entries.map(({ key }) => key),
      ['k1'],
    );
    const { continuation } = first.value;
    const second = resultOf(await machine.query(range({ prefix: 'k', continuation }), store));
    assert.ok(second.$case === 'range' && second.value.continuation.length === 0);
    assert.deepEqual(
      second.value.entries.map((entry) => entry.value?.value.length),
      [200_000, 20_000],
    );
  });
});
