/**
 * What the engines' errors mean. The engines report text; here it becomes one of the port's closed codes, with a message
 * that says what to do. What the operating system refused is found first (system-error.ts): only what is left can be
 * damage.
 */
import type { StoreError } from '../ports/key-value-store.js';
import { describeSystemFault, pathOf, type SystemFault, systemFaultOf } from '../util/system-error.js';

/** What must not be done with data that is lost or damaged, and what can be. */
export const NEVER_ANEW =
  "Don't make it anew and don't put an older copy in its place: the replica would vote without memory of its votes. " +
  "This version can't rebuild a replica from its peers; the others go on without it while they are a quorum";

/** The error of a store that was closed. */
export function closedError(what: string): StoreError {
  return { code: 'closed', message: `the store is closed: ${what} was not done` };
}

/** Something that was read is not what was written, or is missing. `what` names it. */
export function corruptError(what: string): StoreError {
  return { code: 'corrupt', message: `the data directory is damaged: ${what}. Keep it for inspection. ${NEVER_ANEW}` };
}

const CODES: Readonly<Record<string, StoreError['code']>> = { ENOSPC: 'full', EDQUOT: 'full', EFBIG: 'full' };

/** The error of an engine or of a system call, with the texts of its causes. */
export function storeErrorOf(thrown: unknown, doing: string): StoreError {
  const text = textOf(thrown);
  const fault = systemFaultOf(thrown);
  if (fault !== undefined) {
    return { code: CODES[fault.code] ?? 'io', message: describeFault(fault, thrown, doing) };
  }
  if (
    /corrupt|checksum mismatch|create_if_missing is false|CURRENT|MANIFEST|missing files|not an sstable|No such file|ENOENT/i.test(
      text,
    )
  ) {
    return corruptError(`the engine failed while ${doing} (${text})`);
  }
  if (/not open|is closed|has ended/i.test(text)) {
    return closedError(doing);
  }
  return {
    code: 'io',
    message: `the store failed while ${doing} (${text}); look at what the operating system logged, then start again`,
  };
}

function describeFault(fault: SystemFault, thrown: unknown, doing: string): string {
  const file = pathOf(thrown) ?? /(\/[^\s:'"]+)/.exec(textOf(thrown))?.[1];
  return `${describeSystemFault(fault, file)} (while ${doing}: ${textOf(thrown)})`;
}

/** Whether an engine refused to open because another process, or this one, has the store open. */
export function isLockedError(thrown: unknown): boolean {
  const text = textOf(thrown);
  if (/already held by process|lock hold by current process/i.test(text)) {
    return true;
  }
  return systemFaultOf(thrown) === undefined && /LEVEL_LOCKED|lock \S*LOCK|while lock file/i.test(text);
}

function textOf(thrown: unknown): string {
  const parts: string[] = [];
  let cause = thrown;
  for (let depth = 0; cause instanceof Error && depth < 4; depth++) {
    const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
    parts.push(code + cause.message);
    cause = cause.cause;
  }
  return parts.length > 0 ? parts.join(': ') : String(thrown);
}
