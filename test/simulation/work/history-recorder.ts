/** Writes down what callers did and were told, on one clock that never stands still. */
import type { HistoryEntry, KeyValueInput, KeyValueOutput } from '../../support/linearizability/history.js';

interface OpenEntry {
  readonly client: number;
  readonly input: KeyValueInput;
  readonly invokedAt: number;
  completion: HistoryEntry['completion'];
}

/** A call that may be answered. */
export interface OpenCall {
  /** The answer; what comes after the first is not one. */
  answer(output: KeyValueOutput, sequence: number): void;
  /** It was refused at the door: nothing was taken, so nothing happened. */
  refuse(): void;
}

/** The history of a run. */
export class HistoryRecorder {
  private readonly recorded = new Set<OpenEntry>();
  private clock = 0;

  /** Everything so far, in the order of the invocations. */
  get entries(): readonly HistoryEntry[] {
    return [...this.recorded];
  }

  /** A client begins a call. */
  invoke(client: number, input: KeyValueInput): OpenCall {
    this.clock++;
    const entry: OpenEntry = { client, input, invokedAt: this.clock, completion: undefined };
    this.recorded.add(entry);
    return {
      answer: (output, sequence) => {
        this.clock++;
        entry.completion ??= { at: this.clock, output, sequence };
      },
      refuse: () => {
        this.recorded.delete(entry);
      },
    };
  }
}
