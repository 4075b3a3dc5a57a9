/** Reads Prometheus's text format as far as these tests need it. */
import assert from 'node:assert/strict';

/** The value of one series, named with its labels as they are rendered. */
export function readValue(text: string, series: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  assert.ok(line !== undefined, `${series} is not there`);
  return Number(line.slice(series.length + 1));
}

/** How many series a metric has; of a histogram, its buckets, sums and counts. */
export function countSeries(text: string, metric: string): number {
  const own = new RegExp(`^${metric}(_bucket|_sum|_count)?[{ ]`);
  return text.split('\n').filter((line) => own.test(line)).length;
}
