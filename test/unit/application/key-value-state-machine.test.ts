import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createKeyValueStateMachine } from '../../../src/application/key-value-state-machine.js';
import { compareBytes, concatBytes, utf8 } from '../../../src/util/bytes.js';
import { KeyValueResult } from '../../../src/wire/gen/pbft/v1/key_value.js';
import { MemoryApplicationStore } from './memory-application-store.js';
import {
  cas,
  data,
  del,
  type GivenExpectation,
  type GivenValue,
  get,
  KEYS,
  keys,
  put,
  range,
  text,
  values,
} from './operations.js';

const MIB = 1_048_576;

/** A store and a machine with a position in the order that goes up by itself. */
class Subject {
  readonly machine = createKeyValueStateMachine();
  readonly store = new MemoryApplicationStore();
  sequence = 0;

  run(operation: Uint8Array): NonNullable<KeyValueResult['result']> {
    this.sequence++;
    return resultOf(this.store.execute(this.machine, operation, { sequence: this.sequence, index: 3 }));
  }

  /** The version of the last change made by `run`. */
  get version(): number {
    return this.sequence * 65_536 + 3;
  }
}

function resultOf(bytes: Uint8Array): NonNullable<KeyValueResult['result']> {
  const { result } = KeyValueResult.decode(bytes);
  assert.ok(result !== undefined);
  return result;
}

type Result = NonNullable<KeyValueResult['result']>;
type ValueOf<C extends Result['$case']> = Extract<Result, { $case: C }>['value'];

function caseOf<C extends Result['$case']>(result: Result, $case: C): ValueOf<C> {
  assert.equal(result.$case, $case);
  return result.value as ValueOf<C>;
}

describe('the key-value store', () => {
  it('keeps a value in the form in which it was put, with the version of its last change', () => {
    const subject = new Subject();
    assert.equal(caseOf(subject.run(put('k', text('v'))), 'put').version, subject.version);
    const version = subject.version;
    const asText = caseOf(subject.run(get('k')), 'get');
    assert.deepEqual([asText.found, asText.value, asText.version], [true, text('v'), version]);
    subject.run(put('k', data(0xff, 0)));
    assert.deepEqual(caseOf(subject.run(get('k')), 'get').value, data(0xff, 0));
  });

  it('says that an absent key is absent, with version 0 and no value', () => {
    const answer = caseOf(new Subject().run(get('k')), 'get');
    assert.deepEqual([answer.found, answer.value, answer.version], [false, undefined, 0]);
  });

  it('says of a delete whether the key was there', () => {
    const subject = new Subject();
    subject.run(put('k', text('')));
    assert.equal(caseOf(subject.run(del('k')), 'delete').found, true);
    assert.equal(caseOf(subject.run(del('k')), 'delete').found, false);
    assert.equal(subject.store.rows.size, 0);
  });

  it('swaps only what is as expected: absent, a version, a text, bytes', () => {
    const subject = new Subject();
    const swap = (expected: GivenExpectation, value: GivenValue) =>
      caseOf(subject.run(cas('k', expected, value)), 'compareAndSwap');
    assert.deepEqual(swap(text('a'), text('b')).swapped, false);
    assert.deepEqual(swap({ $case: 'absent', value: true }, text('a')).version, subject.version);
    const version = subject.version;
    const refused = swap({ $case: 'absent', value: true }, text('b'));
    assert.deepEqual([refused.swapped, refused.version], [false, version]);
    assert.equal(swap({ $case: 'version', value: version - 1 }, text('b')).swapped, false);
    assert.equal(swap({ $case: 'version', value: version }, data(1)).swapped, true);
    assert.equal(swap(data(1), text('\u0001')).swapped, true);
    assert.equal(swap(data(1), text('c')).swapped, false, 'a text is not the bytes of its UTF-8');
    assert.equal(swap(text('\u0001'), text('c')).swapped, true);
  });

  it('takes version 0 as what an absent key has', () => {
    const subject = new Subject();
    const expected = { $case: 'version', value: 0 } as const;
    assert.equal(caseOf(subject.run(cas('k', expected, text('a'))), 'compareAndSwap').swapped, true);
    assert.equal(caseOf(subject.run(cas('k', expected, text('b'))), 'compareAndSwap').swapped, false);
  });

  it('IV-07: keys that are properties of every object are keys like any other', () => {
    const subject = new Subject();
    for (const key of KEYS) {
      assert.equal(caseOf(subject.run(get(key)), 'get').found, false, key);
      subject.run(put(key, text(key)));
    }
    for (const key of KEYS) {
      assert.deepEqual(caseOf(subject.run(get(key)), 'get').value, text(key));
    }
    assert.equal(subject.store.rows.size, KEYS.length);
    assert.equal(caseOf(subject.run(range()), 'range').entries.length, KEYS.length);
  });

  it('IV-05: a key that is not UTF-8 is malformed, and not the key with replacement characters', () => {
    const subject = new Subject();
    const wellFormed = put('\ufffd', text('v'));
    const at = Buffer.from(wellFormed).indexOf('\ufffd');
    const malformed = wellFormed.slice();
    malformed.set([0xc3, 0x28, 0x41], at);
    assert.equal(caseOf(subject.run(malformed), 'invalid').field, 'operation');
    assert.equal(subject.machine.prepare(malformed).objection?.field, 'operation');
    assert.equal(subject.store.rows.size, 0);
  });

  it('IV-05: a byte-order mark is part of a key', () => {
    const subject = new Subject();
    const long = 'k'.repeat(300);
    subject.run(put(`\ufeff${long}`, text('marked')));
    assert.equal(caseOf(subject.run(get(long)), 'get').found, false);
    assert.deepEqual(caseOf(subject.run(range()), 'range').entries[0]?.key, `\ufeff${long}`);
  });

  it('IV-03: a version above 2^53 − 1 is malformed', () => {
    const subject = new Subject();
    const operation = cas('k', { $case: 'version', value: 1 }, text('v'));
    const at = operation.indexOf(0x10, 4);
    assert.equal(operation[at + 1], 1, 'the version stands where the test changes it');
    const expected = Uint8Array.of(0x10, ...new Array<number>(9).fill(0xff), 0x01);
    const value = operation.slice(at + 2);
    const inner = [0x0a, 1, 0x6b, 0x12, expected.length, ...expected, ...value];
    assert.equal(caseOf(subject.run(Uint8Array.of(0x22, inner.length, ...inner)), 'invalid').field, 'operation');
  });

  const judged: readonly (readonly [string, Uint8Array, string | undefined])[] = [
    ['an empty operation', new Uint8Array(), 'operation'],
    ['an empty key', put('', text('v')), 'put.key'],
    ['a key of 1,024 bytes', put('é'.repeat(512), text('v')), undefined],
    ['a key of 1,025 bytes', put(`${'é'.repeat(512)}k`, text('v')), 'put.key'],
    ['a key of 1 MiB', get('k'.repeat(MIB)), 'get.key'],
    ['a key to delete of 1,025 bytes', del('k'.repeat(1_025)), 'delete.key'],
    ['a put without a value', put('k', undefined), 'put.value'],
    ['a text of 1 MiB', put('k', text('v'.repeat(MIB))), undefined],
    ['a text of more than 1 MiB in UTF-8', put('k', text('é'.repeat(MIB / 2 + 1))), 'put.text'],
    ['data of more than 1 MiB', put('k', { $case: 'data', value: Buffer.alloc(MIB + 1) }), 'put.data'],
    ['an empty value', put('k', text('')), undefined],
    ['a swap that expects nothing', cas('k', undefined, text('v')), 'compare_and_swap.expected'],
    ['a swap without a value', cas('k', text('v'), undefined), 'compare_and_swap.value'],
    [
      'a swap whose value is too long',
      cas('k', text('v'), { $case: 'data', value: Buffer.alloc(MIB + 1) }),
      'compare_and_swap.value.data',
    ],
    [
      'a swap that expects the key not to be absent',
      cas('k', { $case: 'absent', value: false }, text('v')),
      'compare_and_swap.expected.absent',
    ],
    ['a range of 1,000', range({ limit: 1_000 }), undefined],
    ['a range of 1,001', range({ limit: 1_001 }), 'range.limit'],
    ['a prefix of 1,025 bytes', range({ prefix: 'k'.repeat(1_025) }), 'range.prefix'],
    ['a continuation of its prefix', range({ prefix: 'a', continuation: utf8('ab\0') }), undefined],
    ['a continuation before its prefix', range({ prefix: 'b', continuation: utf8('a\0') }), 'range.continuation'],
    ['a continuation after its prefix', range({ prefix: 'a', continuation: utf8('b\0') }), 'range.continuation'],
    ['bytes that are no continuation', range({ continuation: utf8('a') }), 'range.continuation'],
    ['a continuation above all keys', range({ continuation: Uint8Array.of(0xff, 0) }), 'range.continuation'],
  ];
  for (const [what, operation, field] of judged) {
    it(`${field === undefined ? 'takes' : 'refuses'} ${what}, at the door and in the order alike`, () => {
      const subject = new Subject();
      assert.equal(subject.machine.prepare(operation).objection?.field, field);
      const result = subject.run(operation);
      assert.equal(result.$case === 'invalid' ? result.value.field : undefined, field);
    });
  }

  it('reads a prefix in the order of bytes, not of UTF-16', () => {
    const subject = new Subject();
    for (const key of ['p\u{1f600}', 'p\uffff', 'pa', 'p', 'q', 'o\u{10ffff}']) {
      subject.run(put(key, text(key)));
    }
    const answer = caseOf(subject.run(range({ prefix: 'p' })), 'range');
    assert.deepEqual(
      answer.entries.map(({ key }) => key),
      ['p', 'pa', 'p\uffff', 'p\u{1f600}'],
    );
    assert.equal(answer.continuation.length, 0);
  });

  it('answers a range with 100 entries where the limit is 0, and goes on to the end without gap or repeat', () => {
    const subject = new Subject();
    const expected = Array.from({ length: 250 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    for (const key of expected) {
      subject.run(put(key, text('v')));
    }
    const pages = readAll(subject, { prefix: 'k' });
    assert.deepEqual(
      pages.map((page) => page.length),
      [100, 100, 50],
    );
    assert.deepEqual(pages.flat(), expected);
  });

  it('ends an answer before it would exceed 512 KiB, but gives at least one entry', () => {
    const subject = new Subject();
    const sizes = [200_000, 200_000, 200_000, MIB, MIB, 10];
    sizes.forEach((size, index) => {
      subject.run(put(`k${index}`, { $case: 'data', value: Buffer.alloc(size) }));
    });
    assert.deepEqual(readAll(subject, {}), [['k0', 'k1'], ['k2'], ['k3'], ['k4'], ['k5']]);
  });

  it('keeps the longest answers under 512 KiB, and of one entry under the result limit', () => {
    const subject = new Subject();
    for (let index = 0; index < 600; index++) {
      subject.run(put(String(index).padStart(1_000, 'k'), text('é'.repeat(60))));
    }
    for (const [prefix, bytesMax] of [
      ['', 524_288],
      ['\u{10ffff}', MIB + 65_536],
    ] as const) {
      subject.run(put('\u{10ffff}'.repeat(256), text('v'.repeat(MIB))));
      const operation = range({ prefix, limit: 1_000 });
      const result = subject.store.execute(subject.machine, operation, { sequence: 2 ** 37 - 1, index: 65_535 });
      assert.ok(result.length <= bytesMax, `${result.length} bytes`);
      assert.ok(result.length > bytesMax * 0.9, `${result.length} bytes come near the bound`);
    }
  });

  it('gives the same answer to a range whether or not the store stops reading at the bound', () => {
    const sizes = fc.array(fc.constantFrom(1, 100_000, 300_000, 524_270, 600_000, MIB), { minLength: 1, maxLength: 8 });
    const property = fc.property(sizes, fc.integer({ min: 1, max: 9 }), (lengths, limit) => {
      const subject = new Subject();
      lengths.forEach((length, index) => {
        subject.run(put(`k${index}`, { $case: 'data', value: Buffer.alloc(length) }));
      });
      const bounded = subject.store.execute(subject.machine, range({ limit }), { sequence: 1, index: 0 });
      const readRange = subject.store.range.bind(subject.store);
      subject.store.range = ({ bytesMax: _, ...unbounded }) => readRange(unbounded);
      const whole = subject.store.execute(subject.machine, range({ limit }), { sequence: 1, index: 0 });
      assert.ok(Buffer.from(whole).equals(bounded));
    });
    fc.assert(property, { numRuns: 30 });
  });

  it('answers queries that read from executed state, and refuses those that write', async () => {
    const subject = new Subject();
    subject.run(put('k', text('v')));
    const query = async (bytes: Uint8Array) => resultOf(await subject.machine.query(bytes, subject.store.queryStore()));
    assert.deepEqual(caseOf(await query(get('k')), 'get').value, text('v'));
    assert.equal(caseOf(await query(range()), 'range').entries.length, 1);
    assert.equal(caseOf(await query(put('k', text('w'))), 'invalid').field, 'operation');
    assert.deepEqual(caseOf(await query(get('k')), 'get').value, text('v'));
  });

  it('agrees with a plain model, whatever is executed', () => {
    const step = fc.record({
      kind: fc.constantFrom('put', 'get', 'delete', 'cas', 'range'),
      key: keys,
      value: values,
      other: values,
    });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const subject = new Subject();
      const model = new Map<string, { value: GivenValue; version: number }>();
      for (const { kind, key, value, other } of steps) {
        checkAgainstModel(subject, model, { kind, key, value, other });
      }
    });
    fc.assert(property, { numRuns: 150 });
  });
});

type Model = Map<string, { value: GivenValue; version: number }>;

function checkAgainstModel(
  subject: Subject,
  model: Model,
  step: { kind: string; key: string; value: GivenValue; other: GivenValue },
): void {
  const { kind, key, value, other } = step;
  const before = model.get(key);
  switch (kind) {
    case 'put':
      assert.equal(caseOf(subject.run(put(key, value)), 'put').version, subject.version);
      model.set(key, { value, version: subject.version });
      break;
    case 'get': {
      const answer = caseOf(subject.run(get(key)), 'get');
      assert.deepEqual(
        [answer.found, answer.value, answer.version],
        [before !== undefined, before?.value, before?.version ?? 0],
      );
      break;
    }
    case 'delete':
      assert.equal(caseOf(subject.run(del(key)), 'delete').found, model.delete(key));
      break;
    case 'cas': {
      const answer = caseOf(subject.run(cas(key, other, value)), 'compareAndSwap');
      const swapped = before !== undefined && JSON.stringify(before.value) === JSON.stringify(other);
      assert.deepEqual([answer.swapped, answer.version], [swapped, swapped ? subject.version : (before?.version ?? 0)]);
      if (swapped) {
        model.set(key, { value, version: subject.version });
      }
      break;
    }
    default: {
      const [prefix = ''] = key;
      const expected = [...model.keys()]
        .filter((candidate) => candidate.startsWith(prefix))
        .sort((left, right) => compareBytes(utf8(left), utf8(right)));
      assert.deepEqual(readAll(subject, { prefix, limit: 2 }).flat(), expected);
    }
  }
}

/** The keys of all answers to a range, an answer a row; an empty last one is left out. */
function readAll(subject: Subject, { prefix = '', limit = 0 }: { prefix?: string; limit?: number }): string[][] {
  const pages: string[][] = [];
  let continuation: Uint8Array = new Uint8Array();
  do {
    const answer = caseOf(subject.run(range({ prefix, limit, continuation })), 'range');
    if (answer.entries.length > 0) {
      pages.push(answer.entries.map(({ key }) => key));
    }
    assert.ok(answer.continuation.length === 0 || answer.entries.length > 0);
    continuation = concatBytes([answer.continuation]);
  } while (continuation.length > 0);
  return pages;
}
