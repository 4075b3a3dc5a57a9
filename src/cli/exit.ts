/** How a command ends: the codes, and the error that carries one. */

/** What the process tells its caller when it ends; part of the interface. */
export const EXIT = {
  done: 0,
  /** It did not work, and nothing is in doubt. */
  failed: 1,
  /** The command line is not one that there is. */
  usage: 2,
  /** The operation may have been executed, or may be executed yet. */
  outcomeUnknown: 3,
  /** A replica was shown votes of its own that it doesn't remember: starting it again does not help. */
  forgotten: 4,
  /** The replica runs elsewhere: enough peers have a live link of its identity. */
  identityInUse: 5,
} as const;

/** One of them. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * A command can't do what it was asked to: shown as its message, never with a stack trace. The message says what is wrong
 * and what to do about it; it may have several lines.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
