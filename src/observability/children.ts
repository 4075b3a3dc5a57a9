/**
 * The bound children of one labelled metric, found by their labels' values: looking one up costs a string and a Map,
 * which the hot path can afford; prom-client's own way checks and hashes the labels at each call.
 *
 * 1. A value outside its closed set counts as `other`: the number of children is bounded by the sets (RX-04).
 * 2. Every combination of the sets exists from the start, so that a rate sees the first event and no query is empty.
 */
import { OTHER } from './label-values.js';

/** Labels with their values. */
export type Labels = Readonly<Record<string, string>>;

/** The values that each label may have. */
export type LabelSets = ReadonlyMap<string, ReadonlySet<string>>;

/** Children of type `Child`, one for each combination of label values. */
export class Children<Child> {
  private readonly names: readonly string[];
  private readonly byValues = new Map<string, Child>();

  /** `bind` makes the child for a combination and gives it its initial value. */
  constructor(
    private readonly sets: LabelSets,
    private readonly bind: (labels: Labels) => Child,
  ) {
    this.names = [...sets.keys()];
    for (const labels of combinations(sets)) {
      this.byValues.set(this.keyOf(labels), bind(labels));
    }
  }

  /** The child for these labels, or for `other` in the place of a value that is in no set. */
  get(labels: Labels): Child {
    return this.byValues.get(this.keyOf(labels)) ?? this.other(labels);
  }

  private other(labels: Labels): Child {
    const closed: Record<string, string> = {};
    for (const [name, values] of this.sets) {
      const value = labels[name] ?? OTHER;
      closed[name] = values.has(value) ? value : OTHER;
    }
    const key = this.keyOf(closed);
    const known = this.byValues.get(key);
    if (known !== undefined) {
      return known;
    }
    const child = this.bind(closed);
    this.byValues.set(key, child);
    return child;
  }

  private keyOf(labels: Labels): string {
    const [first, second] = this.names;
    if (first === undefined) {
      return '';
    }
    return second === undefined ? (labels[first] ?? OTHER) : `${labels[first]}\n${labels[second]}`;
  }
}

/** Each combination of one value of each label; of no labels, the empty one. */
function combinations(sets: LabelSets): Labels[] {
  let rows: Labels[] = [{}];
  for (const [name, values] of sets) {
    rows = rows.flatMap((row) => [...values].map((value) => ({ ...row, [name]: value })));
  }
  return rows;
}
