/**
 * Skipping with a reason. A test that is skipped without one counts as failed, because nobody would know what to do
 * about it.
 */
import type { Context, Runnable, Suite } from 'mocha';

/** Shared by name, since mocha may load the reporter as another copy of this module. */
const reasonKey = Symbol.for('pbft.test.skip-reason');

type Owner = (Runnable | Suite) & { [reasonKey]?: string };

/** Skips the running test; from a `before` hook, every test of its suite. `reason` says what is missing. */
export function skip(context: Context, reason: string): never {
  const runnable = context.runnable();
  const isHook = 'type' in runnable && runnable.type === 'hook';
  const owner: Owner = isHook ? (runnable.parent ?? runnable) : runnable;
  owner[reasonKey] = reason;
  return context.skip();
}

/** The reason that was given for skipping exactly this test or suite. */
export function skipReasonOf(owner: Owner): string | undefined {
  return owner[reasonKey];
}
