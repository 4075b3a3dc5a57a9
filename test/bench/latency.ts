/**
 * Latencies of many calls in little memory: a histogram whose buckets grow with the value, as HdrHistogram's do.
 *
 * 1. Values are kept in whole microseconds: below 2,048 µs exactly, above with an error under 0.1 %.
 * 2. A percentile is never below the true one (nearest rank), and never above the largest value that was recorded.
 * 3. Count, sum and largest value are exact.
 */

/** Buckets of one power of two. */
const PER_DOUBLING = 1_024;
/** Values below have a bucket each. */
const EXACT_BELOW = 2 * PER_DOUBLING;
const LOG_EXACT = Math.log2(EXACT_BELOW);
/** Up to 2^36 µs, some 19 hours; what is longer counts as that. */
const DOUBLINGS = 25;
const BUCKETS = EXACT_BELOW + DOUBLINGS * PER_DOUBLING;

/** What a table shows of a distribution, in milliseconds. Without a call all but the count are NaN. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A distribution of latencies. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds one latency; a clock that went back counts as 0. */
  record(latencyMs: number): void {
    const valueMs = Math.max(0, latencyMs);
    const bucket = bucketOf(Math.ceil(valueMs * 1_000));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += valueMs;
    this.#maxMs = Math.max(this.#maxMs, valueMs);
  }

  /** Adds all of another distribution. */
  merge(other: LatencyHistogram): void {
    for (const [bucket, count] of other.#counts.entries()) {
      if (count > 0) {
        this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      }
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The latency that this share of the calls did not exceed, 0 < `share` ≤ 1; NaN without a call. */
  percentileMs(share: number): number {
    if (this.#count === 0) {
      return Number.NaN;
    }
    // Minus a trifle: 0.07 × 100 is a little more than 7.
    const rank = Math.max(1, Math.ceil(share * this.#count - 1e-9));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) {
        return Math.min(longestMicrosecondsOf(bucket) / 1_000, this.#maxMs);
      }
    }
    return this.#maxMs;
  }

  /** What a table shows. */
  summary(): LatencySummary {
    const isEmpty = this.#count === 0;
    return {
      count: this.#count,
      meanMs: isEmpty ? Number.NaN : this.#sumMs / this.#count,
      p50Ms: this.percentileMs(0.5),
      p90Ms: this.percentileMs(0.9),
      p99Ms: this.percentileMs(0.99),
      maxMs: isEmpty ? Number.NaN : this.#maxMs,
    };
  }
}

/** All of these in one. */
export function mergeLatencies(histograms: Iterable<LatencyHistogram>): LatencyHistogram {
  const merged = new LatencyHistogram();
  for (const histogram of histograms) {
    merged.merge(histogram);
  }
  return merged;
}

/** The middle value, or the mean of the two; NaN of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

function bucketOf(microseconds: number): number {
  if (microseconds < EXACT_BELOW) {
    return microseconds;
  }
  const doubling = Math.floor(Math.log2(microseconds)) - LOG_EXACT;
  if (doubling >= DOUBLINGS) {
    return BUCKETS - 1;
  }
  const within = Math.floor(microseconds / 2 ** (doubling + 1)) - PER_DOUBLING;
  return EXACT_BELOW + doubling * PER_DOUBLING + within;
}

/** The longest value, in microseconds, that a bucket holds. */
function longestMicrosecondsOf(bucket: number): number {
  if (bucket < EXACT_BELOW) {
    return bucket;
  }
  const doubling = Math.floor((bucket - EXACT_BELOW) / PER_DOUBLING);
  const within = (bucket - EXACT_BELOW) % PER_DOUBLING;
  return (PER_DOUBLING + within + 1) * 2 ** (doubling + 1) - 1;
}
