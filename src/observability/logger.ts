/**
 * The Logger port on pino: JSON, one line a record; for a person at a terminal, pino-pretty's form of the same, also
 * one line a record.
 *
 * 1. Nothing secret and no caller's bytes are written (redaction.ts).
 * 2. Each record has `level`, `time` (ISO 8601, UTC), the logger's own fields, the record's fields and `message`, and
 *    each name once: a record's field that bears a name already taken is written with `_` behind it.
 */
import { type DestinationStream, destination as fileDestination, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Logger } from '../ports/logger.js';
import { redactFields, redactText } from './redaction.js';

/** From few to many records; `silent` writes none. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** How a logger is made. */
export interface LoggerOptions {
  /** Records of lower urgency are not written. */
  readonly level: LogLevel;
  /** Stand in every record: which replica of which cluster speaks. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where lines go; standard error by default, which leaves standard output to a command's result. */
  readonly destination?: DestinationStream;
  /** For people rather than programs; by default where standard error is a terminal and no destination is given. */
  readonly pretty?: boolean;
}

const STANDARD_ERROR = 2;
const MESSAGE = 'message';

/** Makes a logger. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? fileDestination({ fd: STANDARD_ERROR, sync: true });
  const pretty = options.pretty ?? (options.destination === undefined && process.stderr.isTTY === true);
  const writer = pino(
    {
      level: options.level,
      base: null,
      messageKey: MESSAGE,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pretty ? prettyStream(destination, options.destination === undefined) : destination,
  );
  const base = withoutTaken(redactFields(options.fields), new Set(['level', 'time', MESSAGE]));
  const taken = new Set(['level', 'time', MESSAGE, ...Object.keys(base)]);

  const write = (
    level: 'error' | 'warn' | 'info' | 'debug',
    fields: Readonly<Record<string, unknown>>,
    text: string,
  ) => {
    if (writer.isLevelEnabled(level)) {
      writer[level]({ ...base, ...withoutTaken(redactFields(fields), taken) }, redactText(text));
    }
  };
  return {
    error: (fields, message) => write('error', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    info: (fields, message) => write('info', fields, message),
    debug: (fields, message) => write('debug', fields, message),
  };
}

function prettyStream(destination: DestinationStream, colorize: boolean): DestinationStream {
  const format = PinoPretty.prettyFactory({
    colorize,
    singleLine: true,
    messageKey: MESSAGE,
    errorLikeObjectKeys: [],
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return { write: (line) => destination.write(format(line)) };
}

/** The fields with `_` behind each name that is taken, as often as it needs. */
function withoutTaken(fields: Record<string, unknown>, taken: ReadonlySet<string>): Record<string, unknown> {
  const free: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    let own = name;
    while (taken.has(own) || Object.hasOwn(free, own)) {
      own += '_';
    }
    free[own] = value;
  }
  return free;
}
