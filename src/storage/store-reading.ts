/** Reading long ranges of a store piece by piece, and doing asynchronous steps one after the other. */
import type { Completion, KeyValueStore, StoreEntry, StoreError } from '../ports/key-value-store.js';
import { failed, ok } from '../util/result.js';
import { keyAfter } from './key-space.js';

const ENTRIES_PER_READ = 1000;
const BYTES_PER_READ = 8 * 1024 * 1024;

/** Keys from `first` (included) to `end` (excluded). */
export interface KeyInterval {
  readonly first: Uint8Array;
  readonly end: Uint8Array;
}

/** Gives every entry of an interval to `take`, ascending; an error that it returns ends the reading with it. */
export function forEachEntry(
  store: KeyValueStore,
  interval: KeyInterval,
  take: (entry: StoreEntry) => StoreError | undefined,
  done: Completion<void>,
): void {
  const range = { ...interval, limit: ENTRIES_PER_READ, bytesMax: BYTES_PER_READ };
  store.read(range, (result) => {
    if (!result.ok) {
      done(result);
      return;
    }
    for (const entry of result.value) {
      const error = take(entry);
      if (error !== undefined) {
        done(failed(error));
        return;
      }
    }
    const last = result.value.at(-1);
    if (last === undefined) {
      done(ok(undefined));
    } else {
      forEachEntry(store, { first: keyAfter(last.key), end: interval.end }, take, done);
    }
  });
}

/** One asynchronous step. */
export type Step = (done: Completion<void>) => void;

/** Does steps in order, up to the first that fails. */
export function runSteps(steps: readonly Step[], done: Completion<void>): void {
  const [step, ...rest] = steps;
  if (step === undefined) {
    done(ok(undefined));
    return;
  }
  step((result) => {
    if (result.ok) {
      runSteps(rest, done);
    } else {
      done(result);
    }
  });
}
