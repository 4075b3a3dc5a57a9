/**
 * Which values were long a moment ago, and how long: an ordered get of one that there is no memory for is then refused
 * before anything is ordered for it (FU-05).
 *
 * It is a hint that chooses for how much a get asks first; what the get answers is decided by its place in the order. So
 * it may be wrong, for the little time that it is kept: a value that became short is read at a long one's price once, and
 * one that became longer is asked for again.
 */

/** What a get asks for first, in bytes of the value: only longer values are noted. */
export const SHORT_VALUE_BYTES_MAX = 16_384;
/** The most values that are remembered; their keys take 4 MiB at most. */
const VALUES_MAX = 4_096;
/** So long, at worst, a get waits for memory in vain that needs none any more. */
const KEEP_MS = 10_000;

interface Noted {
  readonly sizeBytes: number;
  readonly notedMs: number;
}

/** The long values that one client port remembers. */
export class LongValues {
  /** By key, in the order in which they were noted. */
  private readonly noted = new Map<string, Noted>();

  /** How many it remembers. */
  get size(): number {
    return this.noted.size;
  }

  /** How many bytes the key's value had, or 0 where that isn't known. `nowMs` is monotonic. */
  sizeOf(key: string, nowMs: number): number {
    const noted = this.noted.get(key);
    return noted !== undefined && nowMs - noted.notedMs < KEEP_MS ? noted.sizeBytes : 0;
  }

  /** Notes how long a value is. Beyond the bound, what was noted longest ago is forgotten. */
  note(key: string, sizeBytes: number, nowMs: number): void {
    this.noted.delete(key);
    if (sizeBytes <= SHORT_VALUE_BYTES_MAX) {
      return;
    }
    this.noted.set(key, { sizeBytes, notedMs: nowMs });
    if (this.noted.size > VALUES_MAX) {
      const [oldest] = this.noted.keys();
      this.forget(oldest ?? key);
    }
  }

  /** Forgets a value: so much can't be asked for. */
  forget(key: string): void {
    this.noted.delete(key);
  }
}
