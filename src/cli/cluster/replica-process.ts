/**
 * A replica as a child process of compiled code. Attached, its output comes line by line to this process, and it stops
 * when this process is gone, however that ended; detached, it writes to its log file and lives on.
 *
 * It never shares this process's terminal: Ctrl-C reaches this process alone, which then stops the replicas in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createColours } from '../output/colours.js';
import { readLogLine } from '../output/log-line.js';
import type { TraitorKind } from './byzantine.js';
import { startArguments } from './process-identity.js';

/** The flag of `pbft start` that ties a replica to who started it. */
export const STOP_WITH_PARENT = '--stop-with-parent';

/** The program's own file, which loads compiled code. */
const PROGRAM = fileURLToPath(new URL('../../../bin/pbft.js', import.meta.url));
const PLAIN = createColours(false);
const LOG_MODE = 0o600;
const TAIL_BYTES = 16 * 1024;

/** How a process ended, in words. */
export interface ProcessEnd {
  readonly isClean: boolean;
  readonly text: string;
}

/** What a replica's process is started with. */
export interface ReplicaProcessOptions {
  readonly configurationFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** More flags of `pbft start`. */
  readonly flags?: readonly string[];
  /** How it betrays the others; undefined for a correct replica. */
  readonly traitor?: TraitorKind | undefined;
  /** To this process line by line, or to a file that is appended to. */
  readonly output: { readonly onLine: (line: string) => void } | { readonly logFile: string };
}

/** A running or ended replica. */
export class ReplicaProcess {
  /** Settled when the process has ended; never rejected. */
  readonly ended: Promise<ProcessEnd>;
  private endReason: ProcessEnd | undefined;
  private readonly child: ChildProcess;
  /** The last thing it said that could be the reason of its end. */
  private lastWords = '';

  constructor(options: ReplicaProcessOptions) {
    const { configurationFile, environment, flags = [], traitor, output } = options;
    const isAttached = 'onLine' in output;
    const log = isAttached ? undefined : openSync(output.logFile, 'a+', LOG_MODE);
    const logStart = log === undefined ? 0 : fstatSync(log).size;
    const tie = isAttached ? [STOP_WITH_PARENT] : [];
    const start = startArguments(configurationFile);
    const way = traitor === undefined ? start : ['traitor', ...start, '--kind', traitor];
    const command = [PROGRAM, ...way, ...flags, ...tie];
    this.child = spawn(process.execPath, command, {
      detached: true,
      env: environment,
      stdio: isAttached ? ['pipe', 'pipe', 'pipe'] : ['ignore', log, log],
    });
    if (isAttached) {
      this.follow(output.onLine);
    } else {
      this.child.unref();
    }
    this.ended = new Promise((resolve) => {
      const finish = (end: ProcessEnd): void => {
        if (log !== undefined) {
          closeSync(log);
        }
        this.endReason ??= end;
        resolve(this.endReason);
      };
      this.child.once('error', (error) =>
        finish({ isClean: false, text: `it could not be started: ${error.message}` }),
      );
      this.child.once(isAttached ? 'close' : 'exit', (code: number | null, signal: NodeJS.Signals | null) => {
        if (log !== undefined) {
          this.readLastWords(log, logStart);
        }
        finish(describeEnd(code, signal, this.lastWords));
      });
    });
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Undefined while it runs. */
  get end(): ProcessEnd | undefined {
    return this.endReason;
  }

  /** Signals it, unless it has ended. */
  signal(name: NodeJS.Signals): void {
    if (this.endReason === undefined) {
      this.child.kill(name);
    }
  }

  private follow(onLine: (line: string) => void): void {
    const { stdin, stdout, stderr } = this.child;
    // Held open for as long as this process lives, and never written to.
    stdin?.on('error', () => undefined);
    for (const stream of [stdout, stderr]) {
      if (stream !== null) {
        createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
          this.remember(line);
          onLine(line);
        });
      }
    }
  }

  private remember(line: string): void {
    const { level, message } = readLogLine(line, PLAIN);
    if (level === 'error' || (level === undefined && message.startsWith('pbft: '))) {
      this.lastWords = message.replace(/^pbft: /, '');
    }
  }

  private readLastWords(log: number, from: number): void {
    const start = Math.max(from, fstatSync(log).size - TAIL_BYTES);
    const bytes = Buffer.alloc(TAIL_BYTES);
    const length = readSync(log, bytes, 0, TAIL_BYTES, start);
    for (const line of bytes.subarray(0, length).toString('utf8').split('\n')) {
      this.remember(line);
    }
  }
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null, lastWords: string): ProcessEnd {
  if (code === 0) {
    return { isClean: true, text: 'it stopped' };
  }
  const how = signal === null ? `it ended with code ${code ?? 'unknown'}` : `it was ended by ${signal}`;
  return { isClean: false, text: signal === null && lastWords !== '' ? `${how}: ${lastWords}` : how };
}
