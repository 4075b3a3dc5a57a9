/**
 * Draws a scenario as an SVG: a line down for each replica, time going down, an arrow for each message, a mark for what
 * a replica does, and beside each row the scenario's own words. The same chart gives the same bytes.
 */
import type { Arrow, Chart, Row } from './chart.js';

const LEFT = 48;
const COLUMN = 76;
const TEXT_GAP = 34;
const TEXT_CHARACTERS = 84;
const CHARACTER = 6.65;
const LINE_HEIGHT = 15;
const TOP = 64;
const ARROW_HEIGHT = 26;

const INK = '#24292f';
const FAINT = '#8c959f';
const FAULT = '#cf222e';

/** By the first word of a message. */
const COLOURS: Readonly<Record<string, string>> = {
  PrePrepare: '#0550ae',
  Prepare: '#1f883d',
  Commit: '#8250df',
  Checkpoint: '#6e7781',
  ViewChange: '#bc4c00',
  NewView: '#a40e26',
  evidence: FAULT,
};

/** Draws the chart. */
export function drawChart(chart: Chart): string {
  return new Picture(chart).draw();
}

/** Where a row stands, and its text in lines. */
interface Placed {
  readonly row: Row;
  readonly top: number;
  readonly height: number;
  readonly lines: readonly string[];
}

class Picture {
  private readonly textX: number;
  private readonly width: number;
  private readonly placed: readonly Placed[];
  private readonly height: number;

  constructor(private readonly chart: Chart) {
    this.textX = LEFT + COLUMN * (chart.replicaCount - 1) + TEXT_GAP;
    this.width = Math.ceil(this.textX + TEXT_CHARACTERS * CHARACTER + 12);
    let top = TOP + 20 + 15 * (this.titleLines().length - 1);
    this.placed = chart.rows.map((row) => {
      const lines = wrap(wordsOf(row), TEXT_CHARACTERS);
      const least = row.kind === 'message' ? ARROW_HEIGHT + 6 : 20;
      const height = Math.max(least, lines.length * LINE_HEIGHT + 5) + (isHeading(row) ? 8 : 0);
      const placed = { row, top, height, lines };
      top += height;
      return placed;
    });
    this.height = top + 16;
  }

  draw(): string {
    const { title } = this.chart;
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
      `<title>${escapeXml(title)}</title>`,
      `<style>text{font:11px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${INK}}</style>`,
      `<rect width="${this.width}" height="${this.height}" fill="#fff"/>`,
      ...this.titleLines().map((line, index) => text(16, 22 + 15 * index, line, 'style="font-weight:bold"')),
      ...this.lifelines(),
      ...this.placed.flatMap((placed) => this.drawRow(placed)),
      '</svg>',
      '',
    ].join('\n');
  }

  private titleLines(): readonly string[] {
    return wrap(this.chart.title, Math.floor((this.width - 32) / CHARACTER));
  }

  private x(replica: number): number {
    return LEFT + COLUMN * replica;
  }

  private lifelines(): string[] {
    const top = TOP + 15 * (this.titleLines().length - 1);
    return Array.from({ length: this.chart.replicaCount }, (_, replica) => {
      const x = this.x(replica);
      const changes = this.placed.filter(
        ({ row }) => (row.kind === 'crash' || row.kind === 'restart') && row.replica === replica,
      );
      const bounds = [top + 6, ...changes.map((placed) => markOf(placed)), this.height - 8];
      const parts = bounds.slice(1).map((end, index) => {
        const style = index % 2 === 0 ? `stroke="${INK}"` : `stroke="${FAINT}" stroke-dasharray="1 5"`;
        return `<path d="M${x} ${bounds[index] ?? 0}V${end}" ${style}/>`;
      });
      return [text(x, top, `replica ${replica}`, 'text-anchor="middle"'), ...parts].join('\n');
    });
  }

  private drawRow(placed: Placed): string[] {
    const { row, lines } = placed;
    const first = placed.top + (isHeading(row) ? 8 : 0) + 13;
    const words = lines.map((line, index) => text(this.textX, first + index * LINE_HEIGHT, line, styleOf(row)));
    return [...this.drawMarks(placed), ...words];
  }

  private drawMarks(placed: Placed): string[] {
    const { row } = placed;
    const y = markOf(placed);
    switch (row.kind) {
      case 'comment':
        return [];
      case 'command':
        return [`<path d="M${LEFT - 32} ${y}H${this.textX - 8}" stroke="#d0d7de"/>`];
      case 'ask':
        return [
          line(this.x(row.replica) - 30, y - 8, this.x(row.replica), y, INK),
          head(this.x(row.replica), y, INK, 1),
        ];
      case 'crash':
        return [cross(this.x(row.replica), y, 6)];
      case 'restart':
        return [`<circle cx="${this.x(row.replica)}" cy="${y}" r="5" fill="#fff" stroke="${INK}"/>`];
      case 'message':
        return this.drawArrows(placed, row.arrows);
      case 'state':
        return row.replicas.map(
          (replica) =>
            `<rect x="${this.x(replica) - 5}" y="${y - 5}" width="10" height="10" fill="#fff" stroke="${INK}"/>`,
        );
      case 'deed':
        return row.replicas.map((replica) => drawDeed(this.x(replica), y, row.text));
    }
  }

  private drawArrows({ row, top }: Placed, arrows: readonly Arrow[]): string[] {
    const colour = colourOf(row);
    const [from, to] = [top + 3, top + 3 + ARROW_HEIGHT];
    return arrows.map((arrow) => {
      const [x1, x2] = [this.x(arrow.from), this.x(arrow.to)];
      if (arrow.isLost) {
        const [x, y] = [round(x1 + (x2 - x1) * 0.55), round(from + (to - from) * 0.55)];
        return `${line(x1, from, x, y, colour, ' stroke-dasharray="4 3"')}${cross(x, y, 3)}`;
      }
      const tilt = (to - from) / Math.abs(x2 - x1);
      return `${line(x1, from, x2, to, colour)}${head(x2, to, colour, Math.sign(x2 - x1), tilt)}`;
    });
  }
}

function isHeading({ kind }: Row): boolean {
  return kind !== 'message' && kind !== 'deed' && kind !== 'state';
}

/** The height at which a row's mark stands. */
function markOf({ row, top }: Placed): number {
  return top + (isHeading(row) ? 8 : 0) + 9;
}

function wordsOf(row: Row): string {
  switch (row.kind) {
    case 'comment':
      return row.text;
    case 'command':
    case 'ask':
    case 'crash':
    case 'restart':
      return `▸ ${row.text}`;
    case 'message':
      return row.text.includes(': lost: ') ? row.text : `${row.text}${wordsOfLoss(row.arrows)}`;
    case 'deed':
    case 'state':
      return row.text;
  }
}

/** Which of a row's arrows don't arrive. */
function wordsOfLoss(arrows: readonly Arrow[]): string {
  const lost = arrows.filter(({ isLost }) => isLost);
  if (lost.length === 0 || lost.length === arrows.length) {
    return lost.length === 0 ? '' : ' ✕';
  }
  const deaf = new Set(lost.map(({ to }) => to));
  const isByReceiver = arrows.every(({ to, isLost }) => isLost || !deaf.has(to));
  const receivers = [...deaf].sort((left, right) => left - right).join(' ');
  return isByReceiver ? ` ✕ not to ${receivers}` : ' ✕ some';
}

function colourOf(row: Row): string {
  const [, word = ''] = /: (?:lost: )?(\w+)/.exec(row.text) ?? [];
  return COLOURS[word] ?? FAINT;
}

function styleOf(row: Row): string {
  switch (row.kind) {
    case 'comment':
      return 'style="font-style:italic;fill:#57606a"';
    case 'message':
      return `style="fill:${colourOf(row) === FAINT ? INK : colourOf(row)}"`;
    case 'deed':
    case 'state':
      return '';
    default:
      return 'style="font-weight:bold"';
  }
}

/** What a replica does: decided and executed filled, faults red, timers hollow. */
function drawDeed(x: number, y: number, words: string): string {
  if (/: executes /.test(words)) {
    return `<rect x="${x - 5}" y="${y - 5}" width="10" height="10" fill="${INK}"/>`;
  }
  if (/ timer expires|: starts its|: stops its/.test(words)) {
    return `<circle cx="${x}" cy="${y}" r="4" fill="#fff" stroke="${INK}"/>`;
  }
  if (/ view \d/.test(words) && /: (?:leaves|enters) /.test(words)) {
    return `<path d="M${x} ${y - 6}l6 6l-6 6l-6 -6z" fill="#bc4c00"/>`;
  }
  const isFault = /: (?:rejects|keeps evidence|alarm|has diverged|no state)/.test(words);
  return `<circle cx="${x}" cy="${y}" r="4" fill="${isFault ? FAULT : FAINT}"/>`;
}

function text(x: number, y: number, words: string, style: string): string {
  return `<text x="${x}" y="${y}"${style === '' ? '' : ` ${style}`} xml:space="preserve">${escapeXml(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, more = ''): string {
  return `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${colour}" fill="none"${more}/>`;
}

/** An arrow's head; `direction` is 1 to the right, -1 to the left, `tilt` how steep the arrow is. */
function head(x: number, y: number, colour: string, direction: number, tilt = 0.27): string {
  const length = 8;
  const scale = length / Math.sqrt(1 + tilt * tilt);
  const [backX, backY] = [-direction * scale, -tilt * scale];
  const [sideX, sideY] = [-backY * 0.4, backX * 0.4];
  const left = `${round(x + backX + sideX)} ${round(y + backY + sideY)}`;
  const right = `${round(x + backX - sideX)} ${round(y + backY - sideY)}`;
  return `<path d="M${x} ${y}L${left}L${right}z" fill="${colour}"/>`;
}

function cross(x: number, y: number, size: number): string {
  const [left, right, top, bottom] = [x - size, x + size, y - size, y + size].map(round);
  return `<path d="M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}" stroke="${FAULT}" stroke-width="2"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Breaks a text at blanks into lines of at most so many characters; what follows the first is indented. */
function wrap(words: string, characters: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of words.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > characters) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}
