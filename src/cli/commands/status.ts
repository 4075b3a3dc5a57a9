/** `pbft status`: what all replicas say of themselves, side by side; 0 where a quorum answers. */
import type { Command } from 'commander';
import { ClientError } from '../../client/client-error.js';
import { type Context, writeJson } from '../context.js';
import { EXIT } from '../exit.js';
import { jsonOption } from '../input/flags.js';
import { addReachOptions, ask, findTargets, type ReachFlags, type Target } from '../input/reach.js';
import { type Answer, statusJson, statusText, summarize } from '../output/status-report.js';

const TIMEOUT_MS = 3_000;

interface StatusFlags extends ReachFlags {
  readonly json?: boolean;
}

async function askOne(target: Target, timeoutMs: number): Promise<Answer> {
  const { name, address } = target;
  try {
    return { label: name, address, status: await ask([target], timeoutMs, (client, call) => client.status(call)) };
  } catch (error) {
    if (error instanceof ClientError) {
      return { label: name, address, error: error.message };
    }
    throw error;
  }
}

/** Adds the command. */
export function addStatus(program: Command, context: Context): void {
  const command = program.command('status').description('show the state of all replicas');
  addReachOptions(command, TIMEOUT_MS)
    .addOption(jsonOption())
    .action(async (flags: StatusFlags) => {
      const targets = findTargets(flags, context);
      const answers = await Promise.all(targets.map((target) => askOne(target, flags.timeout)));
      const summary = summarize(answers);
      context.exitCode = summary.isEnough ? EXIT.done : EXIT.failed;
      if (flags.json === true) {
        writeJson(context, statusJson(answers, summary));
      } else {
        context.out(statusText(answers, summary, context.colours));
      }
    });
}
