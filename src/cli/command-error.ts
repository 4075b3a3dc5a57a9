/** A command can't do what it was asked to: shown as its message, never with a stack trace. */
import { EXIT, type ExitCode } from './exit-code.js';

/** Says what is wrong and what to do about it; may have several lines. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
