/**
 * The text of a scenario: comments, commands, and below each command, after `----`, what it leads to, up to an empty
 * line. A script is read into its parts and written from them again, so that expectations can be replaced and
 * everything else stays as its author wrote it.
 */

/** A command with what is expected of it. */
export interface Step {
  readonly kind: 'step';
  /** Of the command, from 1. */
  readonly line: number;
  readonly command: string;
  /** Undefined where a draft says nothing. */
  readonly expected: readonly string[] | undefined;
}

/** A comment or an empty line. */
interface Remark {
  readonly kind: 'remark';
  readonly text: string;
}

/** A scenario. */
export interface Script {
  /** The first comment: what it shows. */
  readonly title: string;
  readonly parts: readonly (Step | Remark)[];
}

const RULE = '----';

/**
 * Reads a script; throws where it isn't one. `isDraft`: a command may stand alone, for what follows to be written below
 * it, and the comment at the beginning may be missing.
 */
export function parseScript(text: string, isDraft = false): Script {
  const given = isDraft ? text.replaceAll(/[ \t\r]+$/gm, '') : text;
  const lines = given.replace(/\n$/, '').split('\n');
  const parts: (Step | Remark)[] = [];
  for (let index = 0; index < lines.length; ) {
    const line = lines[index] ?? '';
    if (line === '' || line.startsWith('#')) {
      parts.push({ kind: 'remark', text: line });
      index++;
      continue;
    }
    if (lines[index + 1] !== RULE && isDraft) {
      parts.push({ kind: 'step', line: index + 1, command: line, expected: undefined });
      index++;
      continue;
    }
    if (lines[index + 1] !== RULE) {
      throw new Error(`line ${index + 1}: the command "${line}" has no "${RULE}" below it`);
    }
    const end = lines.indexOf('', index);
    const expected = lines.slice(index + 2, end < 0 ? lines.length : end);
    parts.push({ kind: 'step', line: index + 1, command: line, expected });
    index += 2 + expected.length;
  }
  const title = /^#\s*(.*)$/.exec(lines[0] ?? '')?.[1] ?? '';
  if (!isDraft && title === '') {
    throw new Error('line 1: a scenario begins with a comment that says what it shows');
  }
  return { title, parts };
}

/** The text with what commands led to in place of what was expected of them. */
export function renderScript({ parts }: Script, actual: ReadonlyMap<Step, readonly string[]>): string {
  const lines = parts.flatMap((part, index) => {
    if (part.kind === 'remark') {
      return [part.text];
    }
    // What follows ends with an empty line, which a draft may lack.
    const next = parts[index + 1];
    const isClosed = next === undefined || (next.kind === 'remark' && next.text === '');
    return [part.command, RULE, ...(actual.get(part) ?? part.expected ?? []), ...(isClosed ? [] : [''])];
  });
  return `${lines.join('\n')}\n`;
}

/** A command's words: what comes by place, and what comes by name. */
export class CommandWords {
  readonly verb: string;
  private readonly placed: string[] = [];
  private readonly named = new Map<string, string>();
  private readonly used = new Set<string>();

  constructor(private readonly command: string) {
    // A word may hold a batch, which has spaces: batch=[a1 b1].
    const [verb = '', ...words] = command.match(/(?:[^\s[]|\[[^\]]*\])+/g) ?? [];
    this.verb = verb;
    for (const word of words) {
      const [, name, value] = /^([a-z-]+)=(.*)$/.exec(word) ?? [];
      if (name !== undefined && value !== undefined) {
        this.named.set(name, value);
      } else {
        this.placed.push(word);
      }
    }
  }

  /** The next word that comes by place. */
  next(what: string): string {
    return this.placed.shift() ?? this.fail(`it needs ${what}`);
  }

  /** All that are left of those. */
  rest(): string[] {
    return this.placed.splice(0);
  }

  /** What comes by this name. */
  get(name: string): string | undefined {
    this.used.add(name);
    return this.named.get(name);
  }

  /** The number of this name, or undefined. */
  number(name: string): number | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : this.toNumber(value);
  }

  /** The number of this name, at least 1, or undefined. */
  positive(name: string): number | undefined {
    const value = this.number(name);
    return value === 0 ? this.fail(`${name} is at least 1`) : value;
  }

  /** A number. */
  toNumber(word: string): number {
    return /^\d{1,15}$/.test(word) ? Number(word) : this.fail(`"${word}" is no number`);
  }

  /** Every word must have meant something. */
  finish(): void {
    const [left] = [...this.placed, ...[...this.named.keys()].filter((name) => !this.used.has(name))];
    if (left !== undefined) {
      this.fail(`"${left}" means nothing to it`);
    }
  }

  /** The command can't be done. */
  fail(reason: string): never {
    throw new Error(`"${this.command}": ${reason}`);
  }
}
