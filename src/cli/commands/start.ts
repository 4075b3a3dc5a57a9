/**
 * `pbft start`: one replica in this process. It ends with 0 when it was asked to stop, with 1 when it gives up: after a
 * bug or a fault of the disk a replica never goes on voting.
 */
import { type Command, Option } from 'commander';
import type { Logger } from '../../ports/logger.js';
import { type StartOptions, startReplica } from '../../replica/start-replica.js';
import type { Wrapping } from '../../replica/wrapping.js';
import { STOP_WITH_PARENT } from '../cluster/replica-process.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { type ApplicationFlags, applicationOption } from '../input/application-choice.js';
import { type ConfigurationFlags, configOption, configurationSources, settingOption } from '../input/flags.js';
import { StopSignals } from '../stop-signals.js';

/** Stopping takes no longer than 5 s, whatever hangs. */
const STOP_MAX_MS = 4_500;
const END_MAX_MS = 1_000;

/** The flags of a process that runs a replica. */
export interface StartFlags extends ConfigurationFlags, ApplicationFlags {
  readonly stopWithParent?: boolean;
}

/** Settled when whoever started this process is gone: its end of standard input is closed. */
function parentGone(): Promise<'parent'> {
  return new Promise((resolve) => {
    const gone = (): void => resolve('parent');
    process.stdin.once('end', gone).once('error', gone).once('close', gone).resume();
  });
}

/** Ends this process for good when something goes wrong that nobody expected. */
function endOnBugs(logger: Logger): void {
  const end = (error: unknown): void => {
    logger.error({ error }, 'unexpected error: this replica ends');
    process.exit(EXIT.failed);
  };
  process.prependListener('uncaughtException', end);
  process.prependListener('unhandledRejection', end);
}

function endAfter(durationMs: number, note: (line: string) => void): void {
  const overdue = (): void => {
    note(`pbft: did not stop within ${durationMs / 1_000} s: ends as it is`);
    process.exit(EXIT.failed);
  };
  setTimeout(overdue, durationMs).unref();
}

/** Lets the process end with its failure, even if something that was half started holds on to it. */
function endAnyway(): void {
  process.stdin.destroy();
  setTimeout(() => process.exit(process.exitCode ?? EXIT.failed), END_MAX_MS).unref();
}

/** A replica that is not what every replica is. */
interface Unusual {
  readonly wrapping: Wrapping;
  /** What its log says of it first. */
  readonly warning: string;
}

/** Runs a replica to its end. */
export async function runReplica(flags: StartFlags, context: Context, unusual?: Unusual): Promise<void> {
  const signals = new StopSignals();
  const requests: Promise<string>[] = [signals.requested];
  if (flags.stopWithParent === true) {
    requests.push(parentGone());
  }
  const requested = Promise.race(requests);
  // While it starts there is nothing to finish: it opens the store, which bears being cut short.
  requested.then(() => endAfter(STOP_MAX_MS, context.note));
  const onFatal: StartOptions['onFatal'] = (_reason, kind) =>
    process.exit(kind === 'forgotten' ? EXIT.forgotten : EXIT.failed);
  const replica = await startReplica({
    ...configurationSources(flags, context),
    onFatal,
    ...(unusual === undefined ? {} : { wrapping: unusual.wrapping }),
  }).catch((error: unknown) => {
    endAnyway();
    throw error;
  });
  endOnBugs(replica.logger);
  if (unusual !== undefined) {
    replica.logger.warn({}, unusual.warning);
  }
  replica.logger.info({ ...replica.addresses }, 'serving');
  const reason = await requested;
  replica.logger.info({ reason }, 'stopping');
  await replica.stop();
  replica.logger.info({}, 'stopped');
  process.exit(EXIT.done);
}

/** Adds the options of a process that runs a replica. */
export function addStartOptions(command: Command, context: Context): Command {
  return command
    .addOption(configOption(context))
    .addOption(settingOption())
    .addOption(applicationOption())
    .addOption(new Option(STOP_WITH_PARENT, 'stop when standard input ends').hideHelp());
}

/** What a supervisor goes by. */
const EXIT_CODES = `
Exit codes:
  0  it was asked to stop
  1  it could not start, or gave up
  4  peers showed votes of its own that it does not remember: its data directory is an older copy
     or another one, or another process runs as this replica; do not start it again as it is
  5  this replica runs elsewhere
`;

/** Adds the command. */
export function addStart(program: Command, context: Context): void {
  const command = program
    .command('start')
    .description('run one replica until SIGTERM or SIGINT')
    .addHelpText('after', EXIT_CODES);
  addStartOptions(command, context).action((flags: StartFlags) => runReplica(flags, context));
}
