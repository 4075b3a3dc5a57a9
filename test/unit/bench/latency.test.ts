import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LatencyHistogram, medianOf, mergeLatencies } from '../../bench/latency.js';

function histogramOf(latenciesMs: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latencyMs of latenciesMs) {
    histogram.record(latencyMs);
  }
  return histogram;
}

/** By definition: the smallest value that at least this share does not exceed. */
function nearestRank(latenciesMs: readonly number[], percent: number): number {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? Number.NaN;
}

describe('the latency histogram', () => {
  it('gives the percentiles of 0.01 to 1 ms by nearest rank', () => {
    const histogram = histogramOf(Array.from({ length: 100 }, (_, index) => (100 - index) / 100));
    for (const percent of [1, 7, 50, 57, 90, 99, 100]) {
      assert.equal(histogram.percentileMs(percent / 100), percent / 100);
    }
  });

  it('is never below the true percentile and at most 0.1 % and a microsecond above, whatever was recorded', () => {
    const latencies = fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(latencies, fc.integer({ min: 1, max: 100 }), (latenciesMs, percent) => {
        const isMs = histogramOf(latenciesMs).percentileMs(percent / 100);
        const trueMs = nearestRank(latenciesMs, percent);
        assert.ok(isMs >= trueMs && isMs <= trueMs * 1.001 + 0.001, `${isMs} for ${trueMs}`);
      }),
    );
  });

  it('has all calls of those that it merged', () => {
    const parts = [[1, 2, 3], [], [500, 0.01, 70_000]];
    const merged = mergeLatencies(parts.map(histogramOf));
    assert.deepEqual(merged.summary(), histogramOf(parts.flat()).summary());
    assert.equal(merged.count, 6);
  });

  it('keeps count, mean and the largest value exactly', () => {
    const { count, meanMs, maxMs } = histogramOf([0.25, 12_345.6789, 3]).summary();
    assert.deepEqual({ count, meanMs, maxMs }, { count: 3, meanMs: (0.25 + 12_345.6789 + 3) / 3, maxMs: 12_345.6789 });
  });

  it('takes what no bucket is long enough for, and a clock that went back', () => {
    const histogram = histogramOf([-5, 1e12]);
    assert.equal(histogram.percentileMs(0.5), 0);
    assert.equal(histogram.summary().maxMs, 1e12);
    assert.ok(histogram.percentileMs(1) >= 2 ** 36 / 1_000 - 1);
  });

  it('has no percentile without a call', () => {
    const { count, ...figures } = new LatencyHistogram().summary();
    assert.equal(count, 0);
    assert.ok(Object.values(figures).every(Number.isNaN));
  });
});

describe('the median', () => {
  it('is the middle value, or the mean of the two', () => {
    assert.equal(medianOf([9, 1, 5]), 5);
    assert.equal(medianOf([9, 1, 5, 6]), 5.5);
    assert.ok(Number.isNaN(medianOf([])));
  });
});
