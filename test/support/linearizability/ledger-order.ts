/**
 * Whether a history agrees with the ledger, in O(n log n): the ledger is the order, so there is nothing to search.
 *
 * 1. Every answered call stands in the ledger at the sequence that its answer named, once.
 * 2. Executing the ledger one operation after the other gives the very answers.
 * 3. What was answered before another was invoked stands at a lower sequence.
 * 4. Everything in the ledger was asked for by someone, and is there no more often than it was asked for.
 */
import { describeEntry, type HistoryEntry, type KeyValueInput, type KeyValueOutput } from './history.js';
import { computeNextStates, type KeyState } from './key-value-model.js';

/** One executed operation, in the order of the ledger. */
export interface LedgerOperation {
  readonly sequence: number;
  /** The version that it gives what it writes. */
  readonly version: number;
  readonly input: KeyValueInput;
}

/** Why the history doesn't agree with the ledger, or undefined where it does. */
export function refuseAgainstLedger(
  history: readonly HistoryEntry[],
  ledger: readonly LedgerOperation[],
): string | undefined {
  return refuseOrder(history) ?? refuseAnswers(history, ledger) ?? refusePhantoms(history, ledger);
}

/** Rule 3, in one pass over the moments of the history. */
function refuseOrder(history: readonly HistoryEntry[]): string | undefined {
  const moments = history.flatMap((entry) => [
    { at: entry.invokedAt, entry, isReturn: false },
    ...(entry.completion === undefined ? [] : [{ at: entry.completion.at, entry, isReturn: true }]),
  ]);
  moments.sort((left, right) => left.at - right.at);
  let highest: HistoryEntry | undefined;
  const highestAtInvocation = new Map<HistoryEntry, HistoryEntry>();
  for (const { entry, isReturn } of moments) {
    const sequence = entry.completion?.sequence ?? 0;
    if (!isReturn) {
      if (highest !== undefined) {
        highestAtInvocation.set(entry, highest);
      }
    } else if (sequence > (highest?.completion?.sequence ?? 0)) {
      highest = entry;
    }
  }
  for (const [entry, before] of highestAtInvocation) {
    if (entry.completion !== undefined && entry.completion.sequence <= (before.completion?.sequence ?? 0)) {
      return `out of real-time order:\n  ${describeEntry(before)}\n  ${describeEntry(entry)}`;
    }
  }
  return undefined;
}

/** Rules 1 and 2: each answered call takes one operation of the ledger. */
function refuseAnswers(history: readonly HistoryEntry[], ledger: readonly LedgerOperation[]): string | undefined {
  const states = new Map<string, KeyState>();
  const answers = new Map<string, number>();
  for (const operation of ledger) {
    const state = states.get(operation.input.key);
    const output = answerOf(state, operation);
    states.set(operation.input.key, computeNextStates(state, operation.input, output)[0]);
    const name = nameOf(operation.sequence, operation.input, output);
    answers.set(name, (answers.get(name) ?? 0) + 1);
  }
  for (const entry of history) {
    if (entry.completion !== undefined) {
      const name = nameOf(entry.completion.sequence, entry.input, entry.completion.output);
      const left = answers.get(name) ?? 0;
      if (left === 0) {
        return `the ledger has no such operation and answer left:\n  ${describeEntry(entry)}`;
      }
      answers.set(name, left - 1);
    }
  }
  return undefined;
}

/** Rule 4. */
function refusePhantoms(history: readonly HistoryEntry[], ledger: readonly LedgerOperation[]): string | undefined {
  const asked = new Map<string, number>();
  for (const { input } of history) {
    const name = JSON.stringify(input);
    asked.set(name, (asked.get(name) ?? 0) + 1);
  }
  for (const { input, sequence } of ledger) {
    const name = JSON.stringify(input);
    const left = asked.get(name) ?? 0;
    if (left === 0) {
      return `sequence ${sequence} executed ${name}, which nobody asked for so often`;
    }
    asked.set(name, left - 1);
  }
  return undefined;
}

/** What the operation answers in this state. */
function answerOf(state: KeyState, { input, version }: LedgerOperation): KeyValueOutput {
  switch (input.kind) {
    case 'put':
      return { kind: 'put', version };
    case 'get':
      return { kind: 'get', value: state?.value, version: state?.version ?? 0 };
    case 'delete':
      return { kind: 'delete', found: state !== undefined };
    case 'compareAndSwap': {
      const swapped = computeNextStates(state, input, { kind: 'compareAndSwap', swapped: true, version }).length > 0;
      return { kind: 'compareAndSwap', swapped, version: swapped ? version : (state?.version ?? 0) };
    }
  }
}

function nameOf(sequence: number, input: KeyValueInput, output: KeyValueOutput): string {
  return `${sequence} ${JSON.stringify(input)} ${JSON.stringify(output)}`;
}
