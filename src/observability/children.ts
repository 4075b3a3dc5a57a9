/**
 * The bound children of one labelled metric, found by their labels' values: looking one up costs a string and a Map,
 * which the hot path can afford; prom-client's own way checks and hashes the labels at each call.
 *
 * 1. A value outside its closed set counts as `other`: the number of children is bounded by the sets (RX-04).
 * 2. Every combination of the sets exists from the start, so that a rate sees the first event and no query is empty;
 *    where a value isn't known yet, or the combinations are too many, each exists from its first measurement.
 * 3. Values are shown in snake case, whatever the code calls them.
 */
import { snakeCase } from '../util/snake-case.js';
import { OTHER } from './label-values.js';

/** Labels with their values. */
export type Labels = Readonly<Record<string, string>>;

/** The values that each label may have. */
export type LabelSets = ReadonlyMap<string, ReadonlySet<string>>;

/** How children are made. */
export interface ChildrenOptions<Child> {
  readonly sets: LabelSets;
  /** Makes the child of a combination and gives it its initial value, if it has one. */
  readonly bind: (labels: Labels) => Child;
  /** Whether every combination exists from the start. */
  readonly isEager: boolean;
}

/** Children of type `Child`, one for each combination of label values. */
export class Children<Child> {
  private readonly sets: LabelSets;
  private readonly names: readonly string[];
  private readonly byValues = new Map<string, Child>();

  constructor(private readonly options: ChildrenOptions<Child>) {
    this.sets = options.sets;
    this.names = [...this.sets.keys()];
    if (options.isEager) {
      for (const labels of combinations(this.sets)) {
        this.byValues.set(this.keyOf(labels), this.bind(labels));
      }
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

  private bind(labels: Labels): Child {
    return this.options.bind(
      Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, snakeCase(value)])),
    );
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
