/**
 * Whether a history is linearizable, found by search: Wing & Gong's, with Lowe's memory of configurations and his
 * partitioning by key (G. Lowe, Testing for linearizability, 2017). It knows nothing of the ledger: only what callers
 * saw. What has no response may take effect at any time, or never.
 */
import { defined } from '../../../src/util/assert.js';
import { describeEntry, type HistoryEntry, type KeyValueOutput } from './history.js';
import { computeNextStates, type KeyState } from './key-value-model.js';

/** The outcome of a search. */
export type SearchResult =
  | { readonly kind: 'linearizable' }
  /** No order explains the calls on this key. */
  | { readonly kind: 'refused'; readonly key: string; readonly reason: string }
  /** The search was given up: it says nothing. */
  | { readonly kind: 'undecided'; readonly key: string };

/** Configurations that are looked at before a key is given up. */
const CONFIGURATIONS_MAX = 200_000;

/** Searches each key's calls for an order. */
export function searchLinearization(
  history: readonly HistoryEntry[],
  configurationsMax = CONFIGURATIONS_MAX,
): SearchResult {
  const byKey = new Map<string, HistoryEntry[]>();
  for (const entry of history) {
    const entries = byKey.get(entry.input.key) ?? [];
    entries.push(entry);
    byKey.set(entry.input.key, entries);
  }
  let undecided: SearchResult | undefined;
  for (const [key, entries] of byKey) {
    const search = new KeySearch(entries, configurationsMax);
    const found = search.run();
    if (found === false) {
      return { kind: 'refused', key, reason: search.explain() };
    }
    if (found === undefined) {
      undecided = { kind: 'undecided', key };
    }
  }
  return undecided ?? { kind: 'linearizable' };
}

interface Call {
  readonly entry: HistoryEntry;
  readonly invokedAt: number;
  /** Infinite where there was none. */
  readonly returnedAt: number;
  readonly output: KeyValueOutput | undefined;
}

/** The choices that are left at one configuration. */
interface Choice {
  readonly call: number;
  readonly state: KeyState;
}

/** The calls on one key. */
class KeySearch {
  private readonly calls: readonly Call[];
  private readonly isDone: boolean[];
  private readonly completedCount: number;
  private readonly visited = new Set<string>();
  private bestCompleted = -1;
  private bestChoices: readonly HistoryEntry[] = [];

  constructor(
    entries: readonly HistoryEntry[],
    private readonly configurationsMax: number,
  ) {
    this.calls = entries
      // A read that nobody got an answer of explains nothing.
      .filter(({ input, completion }) => completion !== undefined || input.kind !== 'get')
      .map((entry) => ({
        entry,
        invokedAt: entry.invokedAt,
        returnedAt: entry.completion?.at ?? Number.POSITIVE_INFINITY,
        output: entry.completion?.output,
      }))
      .sort((left, right) => left.invokedAt - right.invokedAt);
    this.isDone = this.calls.map(() => false);
    this.completedCount = this.calls.filter(({ output }) => output !== undefined).length;
  }

  /** Whether there is an order; undefined where the search was given up. */
  run(): boolean | undefined {
    let state: KeyState;
    let completed = 0;
    const path: { readonly choices: Choice[]; readonly call: number; readonly before: KeyState }[] = [];
    let choices = this.choicesFrom(state, completed);
    for (;;) {
      if (completed === this.completedCount) {
        return true;
      }
      if (this.visited.size > this.configurationsMax) {
        return undefined;
      }
      const choice = choices.pop();
      if (choice === undefined) {
        const last = path.pop();
        if (last === undefined) {
          return false;
        }
        this.isDone[last.call] = false;
        completed -= this.callAt(last.call).output === undefined ? 0 : 1;
        state = last.before;
        choices = last.choices;
        continue;
      }
      this.isDone[choice.call] = true;
      if (this.isNew(choice.state)) {
        path.push({ choices, call: choice.call, before: state });
        completed += this.callAt(choice.call).output === undefined ? 0 : 1;
        state = choice.state;
        choices = this.choicesFrom(state, completed);
      } else {
        this.isDone[choice.call] = false;
      }
    }
  }

  /** Where the search got farthest and what it could not place then. */
  explain(): string {
    return `after ${this.bestCompleted} of ${this.completedCount} answered calls none of these fits:\n${this.bestChoices
      .map((entry) => `  ${describeEntry(entry)}`)
      .join('\n')}`;
  }

  /** What may come next, the best last: calls that began before any other, not yet placed, returned. */
  private choicesFrom(state: KeyState, completed: number): Choice[] {
    let firstReturn = Number.POSITIVE_INFINITY;
    const open: number[] = [];
    for (const [index, call] of this.calls.entries()) {
      if (call.invokedAt > firstReturn) {
        break;
      }
      if (!this.isDone[index]) {
        open.push(index);
        firstReturn = Math.min(firstReturn, call.returnedAt);
      }
    }
    if (completed > this.bestCompleted) {
      this.bestCompleted = completed;
      this.bestChoices = open.map((index) => this.callAt(index).entry);
    }
    return open
      .sort((left, right) => this.callAt(right).returnedAt - this.callAt(left).returnedAt)
      .flatMap((index) => {
        const { entry, output } = this.callAt(index);
        return computeNextStates(state, entry.input, output).map((next) => ({ call: index, state: next }));
      });
  }

  /** Whether this set of placed calls was never met with this state. */
  private isNew(state: KeyState): boolean {
    const low = this.isDone.indexOf(false);
    let name = `${low}`;
    for (let index = low + 1; low >= 0 && index < this.isDone.length; index++) {
      if (this.isDone[index]) {
        name += `,${index}`;
      }
    }
    name += state === undefined ? '|' : `|${state.version}=${state.value}`;
    const before = this.visited.size;
    this.visited.add(name);
    return this.visited.size > before;
  }

  private callAt(index: number): Call {
    return defined(this.calls[index], `call ${index} is one of them`);
  }
}
