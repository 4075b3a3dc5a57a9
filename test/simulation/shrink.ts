/** Makes a failing run smaller: faults and lies are left out one by one, as long as the same invariant breaks. */
import type { RunOutcome } from './run.js';

/** What is looked at of a run. */
export type ShrinkableOutcome = Pick<RunOutcome, 'violation' | 'plannedParts'>;

/** A run that fails with few parts. */
export interface Shrunk<O extends ShrinkableOutcome> {
  /** The places of the parts that aren't needed. */
  readonly leftOut: ReadonlySet<number>;
  readonly outcome: O;
}

/** Leaves out what the failure doesn't need; `run` is called once a part. */
export function shrink<O extends ShrinkableOutcome>(failed: O, run: (leftOut: ReadonlySet<number>) => O): Shrunk<O> {
  let leftOut: ReadonlySet<number> = new Set();
  let outcome = failed;
  for (let index = 0; index < failed.plannedParts; index++) {
    const fewer = new Set([...leftOut, index]);
    const again = run(fewer);
    if (again.violation?.invariant === failed.violation?.invariant) {
      leftOut = fewer;
      outcome = again;
    }
  }
  return { leftOut, outcome };
}
