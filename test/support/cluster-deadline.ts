/** Waiting for a condition with a deadline: what tests of real processes do instead of sleeping. */
import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 20;

/** Waits until `condition` holds; throws with what `describe` says where it doesn't within the time. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  { withinMs, describe }: { readonly withinMs: number; readonly describe: () => string },
): Promise<void> {
  const untilMs = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() >= untilMs) {
      throw new Error(`not within ${withinMs} ms: ${describe()}`);
    }
    await delay(INTERVAL_MS);
  }
}
