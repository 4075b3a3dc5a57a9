/**
 * Attempts one after another: the next begins when the one before has failed or has said nothing for its slice of time.
 * One that is slow goes on beside the next, so that its answer isn't lost; the first answer wins.
 */

/** How attempts follow each other. */
export interface StaggerOptions {
  /** How many attempts there may be, at least 1. */
  readonly count: number;
  /** How long the attempt (from 0) is waited for before the next begins; Infinity: until it has ended. */
  readonly sliceMs: (attempt: number) => number;
  /** Whether the next attempt makes sense after a failure. */
  readonly mayMoveOn: (error: unknown) => boolean;
}

/** How one attempt ended. */
type End<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly error: unknown };

/** No attempt was answered: all their failures, in the order in which they came. */
export class NoneAnswered extends Error {
  override readonly name = 'NoneAnswered';
  readonly failures: readonly unknown[];

  constructor(failures: readonly unknown[]) {
    super('no attempt was answered');
    this.failures = failures;
  }
}

/** What has ended, in order, and who waits for it. */
class Ends<Answer> {
  private readonly ends: End<Answer>[] = [];
  private wake: () => void = () => undefined;

  add(end: End<Answer>): void {
    this.ends.push(end);
    this.wake();
  }

  /** The next; undefined where nothing ends within the time. */
  async next(withinMs: number): Promise<End<Answer> | undefined> {
    if (this.ends.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = withinMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, withinMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.ends.shift();
  }
}

/**
 * The first answer. Rejects with the failure after which no other attempt makes sense, or with NoneAnswered. All other
 * attempts are told by their signal that nobody waits for them any more.
 */
export async function stagger<Answer>(
  { count, sliceMs, mayMoveOn }: StaggerOptions,
  attempt: (index: number, signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const over = new AbortController();
  const ends = new Ends<Answer>();
  const failures: unknown[] = [];
  let begun = 0;
  const begin = (): void => {
    attempt(begun++, over.signal).then(
      (answer) => ends.add({ kind: 'answer', answer }),
      (error: unknown) => ends.add({ kind: 'failure', error }),
    );
  };
  try {
    begin();
    for (;;) {
      const end = await ends.next(begun < count ? sliceMs(begun - 1) : Number.POSITIVE_INFINITY);
      if (end?.kind === 'answer') {
        return end.answer;
      }
      if (end !== undefined) {
        if (!mayMoveOn(end.error)) {
          throw end.error;
        }
        failures.push(end.error);
      }
      if (begun < count) {
        begin();
      } else if (failures.length === count) {
        throw new NoneAnswered(failures);
      }
    }
  } finally {
    over.abort();
  }
}
