/**
 * What a scenario's picture shows, row by row, from its text alone: the text is what the replicas did, because the
 * scenario's test holds it against them.
 *
 * A message's row says of each of its arrows whether it arrives. It doesn't where a later line says that it was lost,
 * where its receiver is down, and where one of its ends crashes before it is delivered.
 */
import type { Script, Step } from './script.js';

/** One message between two replicas. */
export interface Arrow {
  readonly from: number;
  readonly to: number;
  isLost: boolean;
}

/** One row of the picture. */
export type Row =
  | { readonly kind: 'comment' | 'command'; readonly text: string }
  /** A caller's request comes to this replica. */
  | { readonly kind: 'ask'; readonly replica: number; readonly text: string }
  /** A replica ends, or begins again. */
  | { readonly kind: 'crash' | 'restart'; readonly replica: number; readonly text: string }
  | { readonly kind: 'message'; readonly arrows: readonly Arrow[]; readonly text: string }
  | { readonly kind: 'deed' | 'state'; readonly replicas: readonly number[]; readonly text: string };

/** A scenario as rows. */
export interface Chart {
  readonly title: string;
  readonly replicaCount: number;
  readonly rows: readonly Row[];
}

type MessageRow = Extract<Row, { readonly kind: 'message' }>;

const LINE = /^(\d+(?: \d+)*)(?: → (all|\d+(?: \d+)*))?: (.*)$/;

/** What steps leave nothing on its way. */
const DELIVERING: ReadonlySet<string> = new Set(['run', 'advance']);

/** Makes the rows of a scenario, with what stands in it as expected. */
export function chartOf(script: Script): Chart {
  const builder = new ChartBuilder();
  let isTitle = true;
  let comment: string[] = [];
  const endComment = (): void => {
    if (comment.length > 0 && !isTitle) {
      builder.rows.push({ kind: 'comment', text: comment.join(' ') });
    }
    isTitle = false;
    comment = [];
  };
  for (const part of script.parts) {
    const said = part.kind === 'remark' ? part.text.replace(/^#\s*/, '') : '';
    if (said !== '') {
      comment.push(said);
      continue;
    }
    if (comment.length > 0) {
      endComment();
    }
    if (part.kind === 'step') {
      builder.add(part);
    }
  }
  return { title: script.title, replicaCount: builder.replicaCount, rows: builder.rows };
}

class ChartBuilder {
  readonly rows: Row[] = [];
  replicaCount = 0;
  private readonly down = new Set<number>();
  /** Sent, and not delivered when the next command comes. */
  private pending: MessageRow[] = [];

  add({ command, expected }: Step): void {
    const [verb = '', first = ''] = command.split(' ');
    const replica = Number(first);
    switch (verb) {
      case 'cluster':
        this.replicaCount = replica;
        this.rows.push({ kind: 'command', text: command });
        break;
      case 'ask':
        this.rows.push({ kind: 'ask', replica, text: command });
        break;
      case 'crash':
        this.crash(replica, command);
        break;
      case 'restart':
        this.down.delete(replica);
        this.rows.push({ kind: 'restart', replica, text: command });
        break;
      // What these are for stands in what follows.
      case 'run':
      case 'state':
      case 'ledger':
        break;
      default:
        this.rows.push({ kind: 'command', text: command });
    }
    if (verb === 'round') {
      this.pending = [];
    }
    for (const line of expected ?? []) {
      this.addLine(line, verb === 'state' || verb === 'ledger');
    }
    if (DELIVERING.has(verb)) {
      this.pending = [];
    }
  }

  private crash(replica: number, command: string): void {
    this.down.add(replica);
    for (const arrow of this.pending.flatMap(({ arrows }) => arrows)) {
      arrow.isLost ||= arrow.from === replica || arrow.to === replica;
    }
    this.rows.push({ kind: 'crash', replica, text: command });
  }

  private addLine(line: string, isState: boolean): void {
    const [, by = '', to, text = ''] = LINE.exec(line) ?? [];
    const replicas = numbersOf(by);
    if (replicas.length === 0) {
      return;
    }
    if (to === undefined) {
      this.rows.push({ kind: isState ? 'state' : 'deed', replicas, text: line });
      return;
    }
    const arrows = replicas.flatMap((from) =>
      this.receiversOf(from, to).map((receiver) => ({ from, to: receiver, isLost: this.down.has(receiver) })),
    );
    const lost = /^lost: (.*)$/.exec(text)?.[1];
    if (lost !== undefined) {
      this.lose(arrows, lost, line);
      return;
    }
    const row: MessageRow = { kind: 'message', arrows, text: line };
    this.rows.push(row);
    this.pending.push(row);
  }

  private receiversOf(from: number, to: string): readonly number[] {
    const all = Array.from({ length: this.replicaCount }, (_, id) => id).filter((id) => id !== from);
    return to === 'all' ? all : numbersOf(to);
  }

  /** Marks the arrows of the rows that sent what is lost; where none did, they have a row of their own. */
  private lose(arrows: readonly Arrow[], text: string, line: string): void {
    const left = arrows.filter(({ from, to }) => {
      const isIt = (row: Row): row is MessageRow =>
        row.kind === 'message' && row.text.endsWith(`: ${text}`) && findArrow(row, from, to) !== undefined;
      // Equal messages of one round are told as one; whatever is the same and still on its way has the same fate.
      const sent = this.pending.some(isIt) ? this.pending.filter(isIt) : this.rows.filter(isIt).slice(-1);
      for (const row of sent) {
        const arrow = findArrow(row, from, to);
        if (arrow !== undefined) {
          arrow.isLost = true;
        }
      }
      return sent.length === 0;
    });
    if (left.length > 0) {
      this.rows.push({ kind: 'message', arrows: left.map((arrow) => ({ ...arrow, isLost: true })), text: line });
    }
  }
}

function findArrow({ arrows }: MessageRow, from: number, to: number): Arrow | undefined {
  return arrows.find((arrow) => arrow.from === from && arrow.to === to && !arrow.isLost);
}

function numbersOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(' ').map(Number);
}
