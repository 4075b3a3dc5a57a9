/** What hunts showed, in a table of Markdown: it stands in docs/records/testing.md as it is printed. */
import type { HuntReport } from './hunt.js';

const HEAD = '| bug | rule | caught by | seeds |\n| --- | --- | --- | ---: |';

/** All reports, by name of the bug. */
export function formatTable(reports: readonly HuntReport[]): string {
  const rows = [...reports].sort((left, right) => (left.bug.name < right.bug.name ? -1 : 1)).map(formatRow);
  return [HEAD, ...rows].join('\n');
}

function formatRow({ bug, verdict }: HuntReport): string {
  const by = verdict.kind === 'caught' ? shorten(verdict.by) : `NOT CAUGHT: ${verdict.reason}`;
  const median = verdict.kind === 'caught' ? computeMedian(verdict.seeds) : undefined;
  const cells = [bug.name, bug.rule, by, median ?? ''];
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** A test file without what all have. */
function shorten(by: string): string {
  return by.replace(/^test\//, '').replace(/\.test\.ts$/, '');
}

/** The middle value, the lower one of two; undefined of none. */
export function computeMedian(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
