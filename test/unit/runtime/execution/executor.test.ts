/** What the executor makes of a batch, and in what order it tells. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sha256 } from '../../../../src/crypto/hash.js';
import { OUTCOME } from '../../../../src/ledger/header.js';
import { computeHeaderDigest } from '../../../../src/ledger/header-codec.js';
import { computeResultsDigest } from '../../../../src/ledger/leaf.js';
import { computeWritesDigest } from '../../../../src/ledger/writes-digest.js';
import type { ExecutedBatch } from '../../../../src/runtime/execution/batch-execution.js';
import { encodeRefusal } from '../../../../src/runtime/execution/refusal.js';
import { RESULT_TOO_LONG } from '../../../../src/runtime/execution/result-marks.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { bodyOf, requestOf, script, text } from '../fakes.js';
import { checkPaths, ExecutorBench, GENESIS, get, NULL_DIGEST, put, request } from './executor-bench.js';

describe('the executor', () => {
  it('writes all that a batch changes in one call, and tells of it only then (CR-05, ST-07)', () => {
    const bench = new ExecutorBench();
    const [first, second] = [request(put('a', '1'), put('b', '2')), request(put('a', '3'))];
    bench.order(bodyOf(50, [first, second]));
    assert.deepEqual([bench.events.length, bench.results.length, bench.store.commits.length], [0, 0, 0]);
    bench.loop.run();
    assert.equal(bench.store.commits.length, 1);
    const [write] = bench.writes;
    assert.deepEqual(
      write?.application.map(({ key }) => text(key)),
      ['a', 'b'],
    );
    assert.equal(write?.rowsPut.length, 1);
    assert.equal(write?.clients[0]?.acknowledged, second.number - 1);
    assert.equal(write?.header.sequence, 1);
    assert.equal(text(bench.store.state.get('a')), '3');
    assert.deepEqual(bench.texts, [[['@1.0.50', '@1.1.50'], ['@1.2.50']]]);
    assert.deepEqual(
      bench.events[0]?.settled.map(({ number }) => number),
      [first.number, second.number],
    );
    assert.deepEqual(bench.events[0]?.acknowledged, [
      { clientId: write.clients[0].clientId, number: second.number - 1 },
    ]);
  });

  it('tells nobody of a batch whose write is under way, and nothing is under way beside it', () => {
    const bench = new ExecutorBench();
    bench.order(bodyOf(1, [request(put('a', '1'))]));
    bench.order(bodyOf(1, [request(get('a'))]));
    assert.equal(bench.executor.executed.lastExecuted, 0);
    assert.ok(bench.loop.step());
    assert.deepEqual([bench.store.commits.length, bench.results.length], [1, 1]);
    assert.equal(bench.executor.waitingBatches, 1);
    bench.loop.run();
    assert.deepEqual(bench.texts[1], [['1 @2.0.1']]);
    assert.equal(bench.executor.executed.lastExecuted, 2);
  });

  it('may be given more by whom it tells', () => {
    const bench = new ExecutorBench();
    bench.onResults = () => {
      if (bench.results.length < 6) {
        bench.order(bodyOf(1, [request(script({ append: ['x', 'x'] }))]));
      }
    };
    bench.order(bodyOf(1, [request(put('a', '1'))]));
    bench.order(bodyOf(1, [request(put('a', '2'))]));
    bench.order(bodyOf(1, [request(put('a', '3'))]));
    bench.loop.run();
    assert.deepEqual(
      bench.headers.slice(1).map(({ previousHeaderDigest }) => previousHeaderDigest),
      bench.writes.slice(0, -1).map(({ headerDigest }) => headerDigest),
    );
    assert.equal(text(bench.store.state.get('x')), 'xxxxx');
  });

  it('chains headers from the genesis digest on, each over its own leaves and writes', () => {
    const bench = new ExecutorBench();
    bench.order(bodyOf(7, [request(put('a', '1'))]));
    bench.order(bodyOf(8, [request(put('b', '1')), request(get('a'))]));
    bench.loop.run();
    let previous = GENESIS;
    for (const [index, write] of bench.writes.entries()) {
      assert.equal(write.header.previousHeaderDigest, previous);
      previous = computeHeaderDigest(write.header, sha256);
      assert.equal(write.headerDigest, previous);
      assert.equal(write.header.writesDigest, computeWritesDigest(write, sha256));
      assert.equal(bench.events[index]?.headerDigest, previous);
      checkPaths(bench.results[index] as ExecutedBatch);
    }
    assert.equal(bench.executor.executed.lastHeaderDigest, previous);
  });

  it('keeps the agreed time from going back, and the null batch leaves it as it is', () => {
    const bench = new ExecutorBench();
    bench.order(bodyOf(50, [request(put('a', '1'))]));
    bench.order(bodyOf(40, [request(put('a', '1'))]));
    bench.orderDigest(NULL_DIGEST);
    bench.order(bodyOf(60, [request(put('a', '1'))]));
    bench.loop.run();
    assert.deepEqual(
      bench.headers.map(({ timestampMs }) => timestampMs),
      [50, 50, 50, 60],
    );
    assert.deepEqual(bench.events[2]?.settled, []);
    assert.deepEqual(bench.writes[2]?.application, []);
  });

  it('executes a repeated request once and refuses with results that are the same everywhere', () => {
    const bench = new ExecutorBench();
    const first = requestOf({ client: 9, number: 1, operations: [script({ append: ['k', 'x'] })] });
    const other = requestOf({ client: 9, number: 1, operations: [script({ append: ['k', 'y'] })] });
    const beyond = requestOf({ client: 9, number: 40, operations: [script({ append: ['k', 'z'] })] });
    bench.order(bodyOf(1, [first, beyond]));
    bench.order(bodyOf(1, [first]));
    bench.order(bodyOf(1, [other, requestOf({ client: 9, number: 2, operations: [get('k')] })]));
    bench.loop.run();
    assert.equal(text(bench.store.state.get('k')), 'x');
    const outcomes = bench.results.flatMap((batch) => batch.outcomes);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      [OUTCOME.executed, OUTCOME.refused, OUTCOME.repeated, OUTCOME.refused, OUTCOME.executed],
    );
    assert.deepEqual(outcomes[1]?.results, [encodeRefusal('numberBeyondWindow')]);
    assert.deepEqual(outcomes[3]?.results, [encodeRefusal('numberReused')]);
    assert.equal(outcomes[2]?.resultsDigest, outcomes[0]?.resultsDigest);
    assert.deepEqual(bench.texts[2]?.[1], ['x @3.1.1']);
    bench.results.forEach(checkPaths);
  });

  it('goes on behind what it does not execute with what each operation announced', () => {
    const bench = new ExecutorBench();
    const repeated = requestOf({ client: 9, number: 1, operations: [get('a'), put('b', '1')] });
    bench.order(bodyOf(1, [repeated]));
    bench.order(bodyOf(1, [repeated, requestOf({ client: 9, number: 2, operations: [get('b'), get('c')] })]));
    bench.loop.run();
    assert.deepEqual([bench.fatal, bench.texts[1]], [[], [undefined, ['1 @2.2.1', '- @2.3.1']]]);
  });

  it('FU-04: drops the one result that is too long, marks its place, and what the operation wrote stays', () => {
    const bench = new ExecutorBench({ resultBytesMax: 100 });
    const long = script({ resultBytes: 101, put: ['a', '1'] });
    bench.order(bodyOf(1, [request(script({ resultBytes: 100 }), long, script({ resultBytes: 90 }))]));
    bench.loop.run();
    const outcome = bench.results[0]?.outcomes[0];
    const expected = [new Uint8Array(100), RESULT_TOO_LONG, new Uint8Array(90)];
    assert.deepEqual(outcome?.results, expected);
    assert.equal(outcome?.outcome, OUTCOME.executed);
    assert.equal(outcome?.resultsDigest, computeResultsDigest(expected, sha256));
    assert.deepEqual(bench.writes[0]?.rowsPut[0]?.results, expected);
    assert.equal(text(bench.store.state.get('a')), '1');
  });

  it('FU-05: writes no long answer of what only reads down, and keeps every outcome of what writes', () => {
    const bench = new ExecutorBench();
    const [read, shortRead] = [script({ resultBytes: 300 }), script({ resultBytes: 256 })];
    bench.order(bodyOf(1, [request(read, script({ resultBytes: 300, put: ['a', '1'] }), shortRead)]));
    bench.loop.run();
    const { results } = bench.results[0]?.outcomes[0] ?? {};
    assert.deepEqual(results, [new Uint8Array(300), new Uint8Array(300), new Uint8Array(256)]);
    const row = bench.writes[0]?.rowsPut[0];
    assert.equal(text(row?.results?.[0]), 'pbft/1/result-not-kept\0');
    assert.deepEqual(row?.results?.slice(1), [new Uint8Array(300), new Uint8Array(256)]);
    assert.equal(row?.resultsDigest, computeResultsDigest(results ?? [], sha256));
  });

  it('FU-05: drops a result that is longer than what its operation said it costs', () => {
    const bench = new ExecutorBench({ resultBytesMax: 10_000, cost: 600 });
    bench.order(bodyOf(1, [request(script({ resultBytes: 600 }), script({ resultBytes: 601 }))]));
    bench.loop.run();
    assert.deepEqual(bench.results[0]?.outcomes[0]?.results, [new Uint8Array(600), RESULT_TOO_LONG]);
  });

  it('FU-04: gives every operation the result that it has alone, whoever shares its request', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(lengths, (each) => {
        const bench = new ExecutorBench({ resultBytesMax: 100 });
        bench.order(bodyOf(1, [request(...each.map((resultBytes) => script({ resultBytes })))]));
        bench.loop.run();
        const alone = each.map((length) => (length > 100 ? RESULT_TOO_LONG : new Uint8Array(length)));
        assert.deepEqual(bench.results[0]?.outcomes[0]?.results, alone);
      }),
      { numRuns: 100 },
    );
  });

  it('FU-05: executes what costs as much as a batch may, and then what comes after it', () => {
    const bench = new ExecutorBench({ cost: 1_000, groupCostMax: 2_500 });
    bench.order(bodyOf(1, [request(put('a', '1'))]));
    for (let batch = 0; batch < 6; batch++) {
      bench.order(bodyOf(1, [request(put('a', '1'))]));
    }
    bench.loop.run();
    assert.deepEqual(
      bench.store.commits.map(({ length }) => length),
      [1, 3, 3],
    );
  });

  it('lets an operation see the writes of those before it in a range', () => {
    const bench = new ExecutorBench();
    const range = script({ ranges: [{ first: 'a', end: 'd', limit: 3 }] });
    bench.order(bodyOf(1, [request(put('a', '1'), put('b', '2'), put('c', '3'), put('d', '4'))]));
    bench.order(bodyOf(1, [request(range, script({ delete: 'b' }), put('aa', '9'), range, put('c', '7'), range)]));
    bench.loop.run();
    assert.deepEqual(bench.texts[1], [
      ['a=1,b=2,c=3 @2.0.1', '@2.1.1', '@2.2.1', 'a=1,aa=9,c=3 @2.3.1', '@2.4.1', 'a=1,aa=9,c=7 @2.5.1'],
    ]);
  });

  it('reads ahead in slices where a batch announces very many keys', () => {
    const bench = new ExecutorBench({ resultBytesMax: 100_000 });
    const keys = Array.from({ length: 700 }, (_, index) => `k${index % 600}`);
    bench.order(bodyOf(1, [request(...keys.map(get))]));
    bench.loop.run();
    assert.deepEqual(
      bench.store.reads.map(({ length }) => length),
      [256, 256, 188],
    );
    assert.equal(bench.results[0]?.operationCount, 700);
  });

  it('does not fail on operations that are views on one larger buffer', () => {
    const bench = new ExecutorBench();
    const whole = utf8(JSON.stringify({ put: ['a', '1'] }).repeat(2));
    bench.order(bodyOf(1, [request(whole.subarray(0, whole.length / 2), whole.subarray(whole.length / 2))]));
    bench.loop.run();
    assert.equal(bench.writes[0]?.application.length, 1);
  });
});
