/** A replica's log record as a line for people. */
import { type Colours, harmless } from './colours.js';

/** What a line of a replica's output says. */
export interface LogLine {
  readonly text: string;
  /** The level of a record; undefined for a line that is none. */
  readonly level: string | undefined;
  /** The record's own words, for the reason of an end. */
  readonly message: string;
}

/** Stand in every record of a replica, and in the line's prefix. */
const KNOWN: ReadonlySet<string> = new Set(['level', 'time', 'message', 'replica', 'name']);

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) {
    return undefined;
  }
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function paintLevel(level: string, colours: Colours): string {
  const text = level.toUpperCase().padEnd(5);
  switch (level) {
    case 'error':
      return colours.red(text);
    case 'warn':
      return colours.yellow(text);
    case 'debug':
      return colours.dim(text);
    default:
      return colours.green(text);
  }
}

function formatValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** Reads one line of a replica's output. */
export function readLogLine(line: string, colours: Colours): LogLine {
  const record = parseRecord(line);
  if (record === undefined || typeof record['message'] !== 'string') {
    return { text: harmless(line), level: undefined, message: line };
  }
  const { time, level, message } = record;
  const fields = Object.entries(record).filter(([name]) => !KNOWN.has(name));
  const details = fields.map(([name, value]) => `${name}=${formatValue(value)}`).join(' ');
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const levelText = String(level);
  const said = details === '' ? '' : colours.dim(harmless(details));
  const parts = [colours.dim(clock), paintLevel(levelText, colours), harmless(message), said];
  return {
    text: parts.filter((part) => part !== '').join(' '),
    level: levelText,
    message: details === '' ? message : `${message} (${details})`,
  };
}
