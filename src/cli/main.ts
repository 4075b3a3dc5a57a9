/**
 * `pbft`: one program for operators and for those who try it. Results go to standard output, everything else to
 * standard error. It ends with 0, 1 (failed), 2 (usage), 3 (the outcome of an operation is not known) or 5 (the
 * replica runs elsewhere).
 */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../replica/version.js';
import { addCas } from './commands/cas.js';
import { addCluster } from './commands/cluster.js';
import { addConfig } from './commands/config.js';
import { addConvert } from './commands/convert.js';
import { addDelete } from './commands/delete.js';
import { addGet } from './commands/get.js';
import { addInit } from './commands/init.js';
import { addKeys } from './commands/keys.js';
import { addPut } from './commands/put.js';
import { addRange } from './commands/range.js';
import { addStart } from './commands/start.js';
import { addStatus } from './commands/status.js';
import { addSubmit } from './commands/submit.js';
import { addTraitor } from './commands/traitor.js';
import { addVersion } from './commands/version.js';
import { type Context, createProcessContext } from './context.js';
import { EXIT, type ExitCode } from './exit.js';
import { refuseRepeats } from './input/flags.js';
import { describeFailure } from './output/failure.js';

const COMMANDS = [
  addInit,
  addStart,
  addCluster,
  addTraitor,
  addStatus,
  addPut,
  addGet,
  addDelete,
  addCas,
  addRange,
  addSubmit,
  addConfig,
  addConvert,
  addKeys,
  addVersion,
];

function createProgram(context: Context): Command {
  const program = new Command('pbft')
    .description('Byzantine fault tolerant state machine replication')
    .version(VERSION, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: (text) => context.note(text.trimEnd()) })
    .showHelpAfterError('(--help shows what there is)');
  for (const add of COMMANDS) {
    add(program, context);
  }
  refuseRepeats(program);
  return program;
}

function reportFailure(error: unknown, { note, environment }: Context): ExitCode {
  const { lines, exitCode } = describeFailure(error, environment['DEBUG'] === 'pbft');
  for (const line of lines) {
    note(`pbft: ${line}`);
  }
  return exitCode;
}

/** Runs a command line, `argv` as in process.argv; the process should end with what it returns. Never rejects. */
export async function run(argv: readonly string[], context: Context): Promise<ExitCode> {
  try {
    await createProgram(context).parseAsync([...argv]);
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said what is wrong already; asked for help or version, nothing is.
      return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    }
    return reportFailure(error, context);
  }
}

/** Runs this process's command line. */
export async function main(argv: readonly string[]): Promise<void> {
  // Node.js's advice to programmers is no news for who types commands: the RPC library names IP addresses in TLS.
  process.noDeprecation = true;
  const context = createProcessContext();
  const end = (error: unknown): void => {
    process.exit(reportFailure(error, context));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads the output has read enough.
    process.exit(error.code === 'EPIPE' ? EXIT.done : reportFailure(error, context));
  });
  const exitCode = await run(argv, context);
  // A replica that hangs in the middle of a handshake would hold this process open.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
}
