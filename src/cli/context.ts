/** What every command is given: where it writes, what it may read of its surroundings, how it ends. */

import { EXIT, type ExitCode } from './exit.js';
import { type Colours, createColours } from './output/colours.js';

/** A command's surroundings. */
export interface Context {
  /** Writes to standard output: a command's result. */
  readonly out: (text: string | Uint8Array) => void;
  /** Writes a line to standard error: what is said about it. */
  readonly note: (line: string) => void;
  /** For standard output. */
  readonly colours: Colours;
  /** A person reads standard output. */
  readonly isInteractive: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Set where the command is done but the answer is no. */
  exitCode: ExitCode;
}

/** Colours are for terminals only, and not for those who set NO_COLOR. */
export function wantsColours(isTerminal: boolean, environment: Context['environment']): boolean {
  return isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

/** The context of this process. */
export function createProcessContext(): Context {
  const isInteractive = process.stdout.isTTY === true;
  return {
    out: (text) => {
      process.stdout.write(text);
    },
    note: (line) => {
      process.stderr.write(`${line}\n`);
    },
    colours: createColours(wantsColours(isInteractive, process.env)),
    isInteractive,
    environment: process.env,
    exitCode: EXIT.done,
  };
}

/** Writes one JSON document. */
export function writeJson({ out }: Context, value: unknown): void {
  out(`${JSON.stringify(value, undefined, 2)}\n`);
}
