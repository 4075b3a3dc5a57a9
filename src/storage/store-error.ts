/**
 * What the engines' errors mean. The engines report text; here it becomes one of the port's closed codes, with a message
 * that says what to do.
 */
import type { StoreError } from '../ports/key-value-store.js';

/** The error of a store that was closed. */
export function closedError(what: string): StoreError {
  return { code: 'closed', message: `the store is closed: ${what} was not done` };
}

/** Something that was read is not what was written, or is missing. `what` names it. */
export function corruptError(what: string): StoreError {
  return {
    code: 'corrupt',
    message: `the data directory is damaged: ${what}. Keep it for inspection and restore this replica from its peers, not from an old backup`,
  };
}

/** The error of an engine, with the texts of its causes. */
export function storeErrorOf(thrown: unknown, doing: string): StoreError {
  const text = textOf(thrown);
  if (/no space left|ENOSPC|quota exceeded|EDQUOT|file too large/i.test(text)) {
    return {
      code: 'full',
      message: `the disk is full while ${doing} (${text}); free space, then start the replica again`,
    };
  }
  if (
    /corrupt|checksum mismatch|create_if_missing is false|CURRENT|MANIFEST|missing files|not an sstable/i.test(text)
  ) {
    return corruptError(`the engine failed while ${doing} (${text})`);
  }
  if (/not open|is closed|has ended/i.test(text)) {
    return closedError(doing);
  }
  return {
    code: 'io',
    message: `the disk failed while ${doing} (${text}); check the device, then start the replica again`,
  };
}

/** Whether an engine refused to open because another process, or this one, has the store open. */
export function isLockedError(thrown: unknown): boolean {
  const text = textOf(thrown);
  return /LEVEL_LOCKED|lock \S*LOCK|while lock file|already held by process|lock hold by current process/i.test(text);
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
