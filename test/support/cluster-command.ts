/** Runs the command line as a user does: the compiled program as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { eventually } from './cluster-deadline.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'bin/pbft.js');
const RUN_MAX_MS = 70_000;

/** What came of a command. */
export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A command that runs. */
export class RunningCommand {
  readonly ended: Promise<CommandResult>;
  readonly #child: ChildProcess;
  #out = '';
  #errors = '';

  constructor(command: string, parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, parameters, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString('utf8');
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString('utf8');
    });
    this.ended = new Promise((done, fail) => {
      const deadline = setTimeout(() => {
        this.#child.kill('SIGKILL');
        fail(new Error(`${command} ${parameters.join(' ')} did not end:\n${this.#out}\n${this.#errors}`));
      }, RUN_MAX_MS);
      this.#child.once('error', (error) => {
        clearTimeout(deadline);
        fail(error);
      });
      this.#child.once('close', (code) => {
        clearTimeout(deadline);
        done({ code, out: this.#out, errors: this.#errors });
      });
    });
  }

  get out(): string {
    return this.#out;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until it has written that, wherever to. */
  async says(pattern: RegExp, withinMs = 40_000): Promise<void> {
    await eventually(() => pattern.test(this.#out) || pattern.test(this.#errors), {
      withinMs,
      describe: () => `${pattern} in:\n${this.#out}\n${this.#errors}`,
    });
  }
}

/** Starts `pbft` with these arguments. */
export function startPbft(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return new RunningCommand(process.execPath, [PROGRAM, ...parameters], environment);
}

/** Runs `pbft` with these arguments to its end. */
export function pbft(...parameters: readonly string[]): Promise<CommandResult> {
  return startPbft(parameters).ended;
}
