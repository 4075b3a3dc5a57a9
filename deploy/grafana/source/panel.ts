/**
 * How the dashboard is described: rows of panels, each with its queries. json.ts makes of it what Grafana reads; write
 * it anew with `UPDATE_DOCUMENTS=1 npx mocha test/unit/observability/dashboard-file.test.ts`.
 *
 * In a query `{@}` selects the chosen replicas of the chosen cluster, `{#}` all replicas of that cluster; more matchers
 * may follow, as in `{@, code="OK"}`. `> 0` at a query's end leaves out what never happened.
 */

/** One query: what is asked, and what its lines are called. */
export type Query = readonly [expr: string, legend: string];

/** What every panel has. */
interface PanelBase {
  readonly title: string;
  /** What its reader should know, shown at the panel; monitoring.md says more. */
  readonly description: string;
}

/** One number, as of now. */
export interface StatPanel extends PanelBase {
  readonly type: 'stat';
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Colours from these values on; the first has none. */
  readonly steps?: readonly (readonly [color: string, from?: number])[];
  /** Instead of steps: the colour of each query, where one query answers at a time. */
  readonly colors?: readonly string[];
}

/** Lines over time. */
export interface LinePanel extends PanelBase {
  readonly type: 'lines';
  readonly unit: string;
  readonly queries: readonly Query[];
  /** What goes in steps is drawn so. */
  readonly isStepped?: boolean;
  /** It may be below 0, or never near it. */
  readonly isFree?: boolean;
}

/** A word and its colour. */
type Word = readonly [word: string, color: string];

/** Bars of 0, 1 and so on over time, each value with its word and colour. */
export interface StatePanel extends PanelBase {
  readonly type: 'states';
  readonly queries: readonly Query[];
  readonly words: readonly [zero: Word, one: Word, ...more: Word[]];
}

/** The labels of series, as of now. */
export interface TablePanel extends PanelBase {
  readonly type: 'table';
  readonly queries: readonly Query[];
}

/** A panel. */
export type Panel = StatPanel | LinePanel | StatePanel | TablePanel;

/** Panels under a title. */
export interface Row {
  readonly title: string;
  /** Whether it is shown when the dashboard opens. */
  readonly isOpen?: boolean;
  readonly panels: readonly Panel[];
}

const CLUSTER = 'job="pbft", cluster=~"$cluster"';
const REPLICAS = `${CLUSTER}, replica=~"$replica"`;

/** The query with its selectors written out. */
export function writeOut(expr: string): string {
  return expr.replaceAll('{@', `{${REPLICAS}`).replaceAll('{#', `{${CLUSTER}`);
}
