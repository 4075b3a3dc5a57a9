import assert from 'node:assert/strict';
import { readOptions, UsageError } from '../../bench/options.js';

describe("the benchmark's options", () => {
  it('are a closed loop of 64 callers with 200 bytes each by default', () => {
    const { callers, valueBytes, replicaCount, ratePerSecond, windowMs, rounds, resultsDirectory } = readOptions(
      [],
      {},
      'r',
    );
    assert.deepEqual(
      { callers, valueBytes, replicaCount, ratePerSecond, windowMs, rounds, resultsDirectory },
      {
        callers: 64,
        valueBytes: 200,
        replicaCount: 4,
        ratePerSecond: undefined,
        windowMs: 10_000,
        rounds: 3,
        resultsDirectory: 'r',
      },
    );
  });

  it('come from variables, and from flags over those', () => {
    const environment = { CALLERS: '8', SECONDS: '0.5', N: '7', RATE: '', VALUE_BYTES: '0' };
    const options = readOptions(['--callers', '16', '--rate', '250.5', '--results', 'x'], environment, 'r');
    assert.equal(options.callers, 16);
    assert.equal(options.windowMs, 500);
    assert.equal(options.replicaCount, 7);
    assert.equal(options.ratePerSecond, 250.5);
    assert.equal(options.valueBytes, 0);
    assert.equal(options.resultsDirectory, 'x');
  });

  it('make a smoke run load the cluster for 2 s', () => {
    const { warmUpMs, windowMs, settleMs, rounds } = readOptions(['--smoke'], {}, 'r');
    const loadMs = warmUpMs + (1 + 2 * rounds) * (windowMs + settleMs);
    assert.ok(loadMs <= 2_000 && loadMs > 1_900, `${loadMs}`);
    // Or two readings of a replica's metrics would be one.
    assert.ok(windowMs + settleMs > 250);
  });

  it('are refused in words where they make no sense', () => {
    const wrong: readonly (readonly [readonly string[], Record<string, string>, RegExp])[] = [
      [['--callers', '0'], {}, /--callers is a whole number from 1 to 10000, not 0/],
      [['--callers', '1.5'], {}, /--callers is a whole number/],
      [[], { RATE: 'fast' }, /RATE is a number from 0\.1 to 1000000, not fast/],
      [[], { SECONDS: '1e9' }, /SECONDS is a number/],
      [[], { N: '3' }, /a cluster has 1 or at least 4 replicas, not 3/],
      [['--replica', '4'], {}, /--replica/],
      [['four'], {}, /four/],
    ];
    for (const [flags, environment, message] of wrong) {
      assert.throws(
        () => readOptions(flags, environment, 'r'),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    }
  });
});
