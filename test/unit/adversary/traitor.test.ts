/** What a traitor of a local cluster tells its callers, and under which names traitors go. */
import assert from 'node:assert/strict';
import { answerOfTraitor, statusOfTraitor } from '../../../src/adversary/traitor.js';
import { TRAITOR_KINDS, type TraitorKind } from '../../../src/cli/cluster/byzantine.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { Digest } from '../../../src/util/digest.js';
import { KeyValueResult } from '../../../src/wire/gen/pbft/v1/key_value.js';

const headerDigest = 'ab'.repeat(32) as Digest;
const PLACE = { sequence: 0, view: 0, headerDigest: Buffer.alloc(0) };

type KeyValue = NonNullable<KeyValueResult['result']>;

function lieAbout(result: KeyValue): KeyValue | undefined {
  const honest = { result: KeyValueResult.encode({ result }).finish(), headerDigest };
  return KeyValueResult.decode(answerOfTraitor('lie-to-clients', honest).result).result;
}

describe('a traitor that lies to clients', () => {
  const TRUTHS: readonly KeyValue[] = [
    { $case: 'get', value: { ...PLACE, found: true, value: { $case: 'text', value: 'red' }, version: 7 } },
    { $case: 'get', value: { ...PLACE, found: true, value: { $case: 'data', value: Buffer.of(1, 2) }, version: 7 } },
    { $case: 'get', value: { ...PLACE, found: true, value: { $case: 'data', value: Buffer.of() }, version: 7 } },
    { $case: 'get', value: { ...PLACE, found: false, value: undefined, version: 0 } },
    { $case: 'put', value: { ...PLACE, version: 7 } },
    { $case: 'delete', value: { ...PLACE, found: true } },
    { $case: 'compareAndSwap', value: { ...PLACE, swapped: false, version: 7 } },
    {
      $case: 'range',
      value: {
        ...PLACE,
        entries: [{ key: 'colour', value: { $case: 'text', value: 'red' }, version: 7 }],
        continuation: Buffer.of(),
      },
    },
  ];
  for (const truth of TRUTHS) {
    it(`answers otherwise, in the right form: ${JSON.stringify(truth)}`, () => {
      const lie = lieAbout(truth);
      assert.equal(lie?.$case, truth.$case);
      assert.notDeepEqual(lie, truth);
    });
  }

  it('tells what a person recognizes', () => {
    const lie = lieAbout({
      $case: 'get',
      value: { ...PLACE, found: true, value: { $case: 'text', value: 'red' }, version: 7 },
    });
    assert.deepEqual(lie?.$case === 'get' && lie.value.value, { $case: 'text', value: 'not red' });
  });

  it('gives other bytes for results of an application that it does not know', () => {
    for (const result of [utf8('no result'), new Uint8Array(0)]) {
      assert.notDeepEqual(answerOfTraitor('lie-to-clients', { result, headerDigest }).result, result);
    }
  });

  it('shows another header, in answers and in its status, and keeps the rest', () => {
    const answer = { result: utf8('x'), headerDigest, sequence: 3 };
    assert.notEqual(answerOfTraitor('lie-to-clients', answer).headerDigest, headerDigest);
    const status = statusOfTraitor('lie-to-clients', { headerDigest, lastExecuted: 3 });
    assert.notEqual(status.headerDigest, headerDigest);
    assert.equal(status.lastExecuted, 3);
  });
});

describe('a traitor of another kind', () => {
  it('tells its callers the truth', () => {
    const kinds = Object.keys(TRAITOR_KINDS).filter((kind) => kind !== 'lie-to-clients') as TraitorKind[];
    assert.deepEqual(kinds, ['silent', 'equivocate', 'delay', 'corrupt', 'censor', 'slow']);
    for (const kind of kinds) {
      const answer = { result: utf8('x'), headerDigest };
      assert.deepEqual(answerOfTraitor(kind, answer), answer);
      assert.deepEqual(statusOfTraitor(kind, answer), answer);
    }
  });
});
