/** What the gateway answers its callers: each exactly once, and never more than is certain. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OUTCOME } from '../../../../src/ledger/header.js';
import type { SignedRequest } from '../../../../src/protocol/messages.js';
import type { RefusalCode } from '../../../../src/runtime/execution/refusal.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { LIMITS, requestOf } from '../fakes.js';
import { GatewayBench, HEADER_DIGEST, last } from './gateway-bench.js';

describe('the answers of the gateway', () => {
  it('answers at the deadline that the outcome is unknown, and goes on with the request (invariant 7)', () => {
    const bench = GatewayBench.started();
    bench.submit('a', 1_000);
    bench.loop.run();
    bench.timers.advance(900);
    assert.equal(bench.answer('a'), undefined);
    bench.timers.advance(100);
    assert.equal(bench.answer('a'), 'outcomeUnknown');
    assert.equal(bench.gateway.requestsInFlight, 1);
    bench.execute(last(bench.sent));
    assert.equal(bench.gateway.requestsInFlight, 0);
    bench.submit('b');
    bench.loop.run();
    assert.equal(last(bench.sent).acknowledged, last(bench.sent).number - 1);
  });

  it('says at the deadline that nothing was taken where the operation was never sent', () => {
    const bench = new GatewayBench();
    bench.submit('a', 1_000);
    bench.timers.advance(1_000);
    assert.equal(bench.answer('a'), 'queueFull');
    assert.equal(bench.gateway.waitingOperations, 0);
    bench.gateway.start();
    bench.loop.run();
    assert.deepEqual(bench.sent, []);
  });

  it('refuses at the door what is malformed, too long, too much, or comes before it is ready', () => {
    const bench = GatewayBench.started({ clientWindow: 1, waitingOperationsMax: 2, waitingBytesMax: 1_000_000 });
    bench.submit('bad');
    assert.deepEqual(bench.answers.get('bad'), {
      ok: false,
      error: { code: 'invalid', field: 'put.key', description: 'is empty' },
    });
    bench.submit('long', 5_000, new Uint8Array(LIMITS.requestBytesMax - 1_023));
    assert.equal(bench.answer('long'), 'invalid');
    bench.submit('sent');
    bench.submit('bytes', 5_000, new Uint8Array(1_000_001));
    assert.equal(bench.answer('bytes'), 'queueFull');
    bench.submit('first');
    bench.submit('second');
    bench.submit('third');
    assert.deepEqual(
      ['sent', 'first', 'second', 'third'].map((name) => bench.answer(name)),
      [undefined, undefined, undefined, 'queueFull'],
    );
    bench.reasons = ['catching up'];
    bench.submit('later');
    const later = bench.answers.get('later');
    assert.ok(later?.ok === false && later.error.code === 'notReady');
    assert.deepEqual(later.error.reasons, ['catching up']);
    assert.equal(bench.metrics.counts.get('pbft_throttled_total queueFull'), 2);
    assert.equal(bench.metrics.counts.get('pbft_throttled_total notReady'), 1);
  });

  it('ignores what other clients get under the same numbers', () => {
    const bench = GatewayBench.started();
    bench.submit('a');
    bench.loop.run();
    const { number } = last(bench.sent);
    bench.execute(requestOf({ client: 1, number, operations: [utf8('a')] }));
    assert.equal(bench.answer('a'), undefined);
  });

  it('tells a refused request from one whose number another process took', () => {
    const cases: readonly [RefusalCode, string][] = [
      ['numberAcknowledged', 'outcomeUnknown'],
      ['numberBeyondWindow', 'outcomeUnknown'],
      ['numberReused', 'notReady'],
    ];
    for (const [code, expected] of cases) {
      const bench = GatewayBench.started();
      bench.submit('a');
      bench.loop.run();
      bench.refuse(last(bench.sent), code);
      assert.equal(bench.answer('a'), expected);
      assert.equal(bench.gateway.requestsInFlight, 0);
    }
  });

  it('never gives the result of another request under its number to a caller', () => {
    const bench = GatewayBench.started();
    bench.submit('a');
    bench.loop.run();
    const { number } = last(bench.sent);
    const foreign = requestOf({ client: 7, number, operations: [utf8('b')] });
    bench.refuse(foreign, 'numberBeyondWindow');
    assert.equal(bench.answer('a'), undefined);
    bench.execute(foreign);
    assert.equal(bench.answer('a'), 'notReady');
  });

  it('says that a result was too long, and that a repeated one is not at hand', () => {
    const bench = GatewayBench.started();
    bench.submit('a');
    bench.submit('b');
    bench.loop.run();
    const [a, b] = bench.sent as [SignedRequest, SignedRequest];
    const rest = { leafIndex: 0, resultsDigest: HEADER_DIGEST };
    bench.conclude([{ request: a, outcome: OUTCOME.executed, results: [], ...rest }]);
    bench.conclude([{ request: b, outcome: OUTCOME.repeated, results: undefined, ...rest }]);
    assert.deepEqual(bench.answers.get('a'), { ok: false, error: { code: 'resultDropped', sequence: 9 } });
    assert.equal(bench.answer('b'), 'outcomeUnknown');
  });

  it('answers everybody when it stops, each with what is certain', () => {
    const bench = GatewayBench.started({ clientWindow: 1 });
    bench.submit('sent');
    bench.loop.run();
    bench.submit('waiting');
    bench.gateway.stop();
    bench.submit('late');
    assert.deepEqual(
      ['sent', 'waiting', 'late'].map((name) => bench.answer(name)),
      ['outcomeUnknown', 'notReady', 'notReady'],
    );
    assert.equal(bench.timers.running, 0);
    bench.execute(last(bench.sent));
    bench.timers.advance(10_000);
    assert.equal(bench.answers.size, 3);
  });

  it('answers every caller exactly once, whatever happens in whatever order', () => {
    const command = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('submit' as const), timeoutMs: fc.integer({ min: 0, max: 400 }) }),
      },
      { weight: 2, arbitrary: fc.constant({ kind: 'step' as const }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('execute' as const), which: fc.nat() }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('advance' as const), byMs: fc.integer({ min: 1, max: 300 }) }),
      },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
        const bench = GatewayBench.started({ clientWindow: 8, waitingOperationsMax: 6 });
        let submitted = 0;
        for (const each of commands) {
          if (each.kind === 'submit') {
            bench.submit(`${submitted++}`, each.timeoutMs);
          } else if (each.kind === 'step') {
            bench.loop.step();
          } else if (each.kind === 'advance') {
            bench.timers.advance(each.byMs);
          } else if (bench.sent.length > 0) {
            bench.execute(bench.sent[each.which % bench.sent.length] as SignedRequest);
          }
          for (const { number, acknowledged } of bench.sent) {
            assert.ok(number - acknowledged <= 8 && number <= bench.durable);
          }
        }
        bench.timers.advance(1_000);
        assert.equal(bench.answers.size, submitted);
        const numbers = new Map(bench.sent.map(({ number, digest }) => [number, digest]));
        assert.equal(new Set(bench.sent.map(({ digest }) => digest)).size, numbers.size);
      }),
      { numRuns: 300 },
    );
  });
});
