/** Tables of text: aligned columns, two spaces apart, no lines. */
import { type Colours, widthOf } from './colours.js';

/** Aligns rows under a header; the last column is not padded. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[], colours: Colours): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [lineOf(header.map((title) => colours.bold(title))), ...rows.map(lineOf)].map((line) => `${line}\n`).join('');
}

function pad(cell: string, width: number): string {
  return `${cell}${' '.repeat(Math.max(0, width - widthOf(cell)))}`;
}
