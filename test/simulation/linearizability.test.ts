/** Both checkers of histories refuse what no key-value store may show, and take what it may. */
import assert from 'node:assert/strict';
import type { HistoryEntry, KeyValueInput, KeyValueOutput } from '../support/linearizability/history.js';
import { type LedgerOperation, refuseAgainstLedger } from '../support/linearizability/ledger-order.js';
import { searchLinearization } from '../support/linearizability/search.js';
import { Random } from './kernel/random.js';

const put = (value: string): KeyValueInput => ({ kind: 'put', key: 'k', value });
const get: KeyValueInput = { kind: 'get', key: 'k' };
const swapAbsent = (value: string): KeyValueInput => ({
  kind: 'compareAndSwap',
  key: 'k',
  expected: { kind: 'absent' },
  value,
});
const putAnswer = (version: number): KeyValueOutput => ({ kind: 'put', version });
const getAnswer = (value: string | undefined, version: number): KeyValueOutput => ({ kind: 'get', value, version });
const swapAnswer = (swapped: boolean, version: number): KeyValueOutput => ({
  kind: 'compareAndSwap',
  swapped,
  version,
});

/** A call from one moment to another; no answer where no output is given. */
function call(
  input: KeyValueInput,
  [invokedAt, at]: readonly [number, number],
  answer?: readonly [output: KeyValueOutput, sequence: number],
): HistoryEntry {
  const completion = answer === undefined ? undefined : { at, output: answer[0], sequence: answer[1] };
  return { client: 0, input, invokedAt, completion };
}

/** The ledger: one operation a sequence, whose version is the sequence. */
function ledgerOf(...inputs: readonly KeyValueInput[]): readonly LedgerOperation[] {
  return inputs.map((input, index) => ({ sequence: index + 1, version: index + 1, input }));
}

function judge(history: readonly HistoryEntry[], ledger: readonly LedgerOperation[]) {
  return {
    search: searchLinearization(history).kind,
    ledger: refuseAgainstLedger(history, ledger) === undefined ? 'agrees' : 'refused',
  };
}

const REFUSED = { search: 'refused', ledger: 'refused' };
const TAKEN = { search: 'linearizable', ledger: 'agrees' };

describe('the checkers of histories', () => {
  it('take a plain history', () => {
    const history = [call(put('a'), [1, 2], [putAnswer(1), 1]), call(get, [3, 4], [getAnswer('a', 1), 2])];
    assert.deepEqual(judge(history, ledgerOf(put('a'), get)), TAKEN);
  });

  it('take concurrent calls in either order, and outcomes that are unknown, early, late or never', () => {
    const unknown = call(put('b'), [3, 0]);
    const concurrent = [call(put('a'), [1, 5], [putAnswer(1), 1]), call(get, [2, 4], [getAnswer('a', 1), 2])];
    assert.deepEqual(judge([...concurrent, unknown], ledgerOf(put('a'), get)), TAKEN);
    const early = [...concurrent, unknown, call(get, [6, 7], [getAnswer('b', 3), 4])];
    assert.deepEqual(judge(early, ledgerOf(put('a'), get, put('b'), get)), TAKEN);
    const late = [...concurrent, unknown, call(get, [6, 7], [getAnswer('a', 1), 3])];
    assert.deepEqual(judge(late, ledgerOf(put('a'), get, get, put('b'))), TAKEN);
  });

  it('refuse a stale read', () => {
    const history = [
      call(put('a'), [1, 2], [putAnswer(1), 1]),
      call(put('b'), [3, 4], [putAnswer(2), 2]),
      call(get, [5, 6], [getAnswer('a', 1), 1]),
    ];
    assert.deepEqual(judge(history, ledgerOf(put('a'), put('b'))), REFUSED);
  });

  it('refuse a read that goes back behind one that came before it', () => {
    const history = [
      call(put('a'), [1, 9], [putAnswer(1), 1]),
      call(get, [2, 3], [getAnswer('a', 1), 2]),
      call(get, [4, 5], [getAnswer(undefined, 0), 3]),
    ];
    assert.deepEqual(judge(history, ledgerOf(put('a'), get, get)), REFUSED);
  });

  it('refuse a lost write', () => {
    const history = [call(put('a'), [1, 2], [putAnswer(1), 1]), call(get, [3, 4], [getAnswer(undefined, 0), 2])];
    assert.deepEqual(judge(history, ledgerOf(get, get)), REFUSED);
  });

  it('refuse a phantom: a value that nobody wrote', () => {
    const history = [call(get, [1, 2], [getAnswer('ghost', 1), 2])];
    assert.deepEqual(judge(history, ledgerOf(put('ghost'), get)), REFUSED);
  });

  it('refuse a double success: two swaps that found the key absent', () => {
    const history = [
      call(swapAbsent('a'), [1, 4], [swapAnswer(true, 1), 1]),
      call(swapAbsent('b'), [2, 5], [swapAnswer(true, 2), 2]),
    ];
    assert.deepEqual(judge(history, ledgerOf(swapAbsent('a'), swapAbsent('b'))), REFUSED);
  });

  it('refuse two answers to one execution', () => {
    const twice = [call(put('a'), [1, 2], [putAnswer(1), 1]), call(put('a'), [3, 4], [putAnswer(1), 1])];
    assert.equal(refuseAgainstLedger(twice, ledgerOf(put('a'))) === undefined, false);
  });

  it('refuse an order that contradicts real time', () => {
    const history = [call(put('a'), [1, 2], [putAnswer(2), 2]), call(put('b'), [3, 4], [putAnswer(1), 1])];
    assert.notEqual(refuseAgainstLedger(history, ledgerOf(put('b'), put('a'))), undefined);
  });

  it('bind the version of a write whose outcome is unknown to the first answer that shows it', () => {
    const unknown = call(put('a'), [1, 0]);
    const read = (version: number, from: number) => call(get, [from, from + 1], [getAnswer('a', version), from]);
    assert.equal(searchLinearization([unknown, read(1, 2), read(1, 4)]).kind, 'linearizable');
    assert.equal(searchLinearization([unknown, read(1, 2), read(2, 4)]).kind, 'refused');
  });

  it('judge each key for itself', () => {
    const other: KeyValueInput = { kind: 'get', key: 'other' };
    const history = [call(put('a'), [1, 2], [putAnswer(1), 1]), call(other, [3, 4], [getAnswer('a', 1), 2])];
    assert.deepEqual(judge(history, ledgerOf(put('a'), other)), REFUSED);
  });

  it('say when a search was given up', () => {
    const history = Array.from({ length: 12 }, (_, index) => call(put(`${index}`), [index, 0]));
    const impossible = call(get, [20, 21], [getAnswer('none of these', 1), 1]);
    assert.equal(searchLinearization([...history, impossible], 50).kind, 'undecided');
  });

  it('take every history of a register that serves one call at a time, and refuse each with one answer changed', () => {
    const random = new Random('histories');
    for (let round = 0; round < 50; round++) {
      const { history, ledger } = drawHistory(random.fork(round));
      assert.deepEqual(judge(history, ledger), TAKEN);
      const reads = history.filter(({ input }) => input.kind === 'get');
      const victim = random.pick(reads);
      const spoilt = history.map((entry) =>
        entry === victim && entry.completion !== undefined
          ? { ...entry, completion: { ...entry.completion, output: getAnswer('never written', 1) } }
          : entry,
      );
      assert.deepEqual(judge(spoilt, ledger), REFUSED);
    }
  });
});

/** Overlapping calls on one register; each takes effect at its moment in the order. */
function drawHistory(random: Random): { history: readonly HistoryEntry[]; ledger: readonly LedgerOperation[] } {
  let value: string | undefined;
  let version = 0;
  const history: HistoryEntry[] = [];
  const inputs: KeyValueInput[] = [];
  for (let sequence = 1; sequence <= 30; sequence++) {
    const input = random.chance(0.5) || sequence === 1 ? get : put(`${sequence}`);
    if (input.kind === 'put') {
      value = input.value;
      version = sequence;
    }
    inputs.push(input);
    const output = input.kind === 'put' ? putAnswer(version) : getAnswer(value, version);
    const effectAt = 100 * sequence;
    const span: [number, number] = [effectAt - random.between(1, 90), effectAt + random.between(1, 90)];
    // Two calls that don't overlap stand at two sequences; a moment belongs to one call.
    history.push(call(input, span, [output, sequence]));
  }
  return { history, ledger: ledgerOf(...inputs) };
}
