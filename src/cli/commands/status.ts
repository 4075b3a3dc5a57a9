/** `pbft status`: what all replicas say of themselves, side by side; 0 where a quorum answers. */
import type { Command } from 'commander';
import { ClientError } from '../../client/client-error.js';
import { askOne } from '../ask.js';
import { type Context, writeJson } from '../context.js';
import { EXIT } from '../exit-code.js';
import { jsonOption } from '../flags.js';
import { addReachOptions, findTargets, type ReachFlags, type Target } from '../reach.js';
import { type Answer, statusJson, statusText, summarize } from '../status-report.js';

const TIMEOUT_MS = 3_000;

interface StatusFlags extends ReachFlags {
  readonly json?: boolean;
}

async function ask(target: Target, timeoutMs: number): Promise<Answer> {
  const { label, address } = target;
  try {
    return { label, address, status: await askOne(target, timeoutMs, (client, call) => client.status(call)) };
  } catch (error) {
    if (error instanceof ClientError) {
      return { label, address, error: error.message };
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
      const answers = await Promise.all(targets.map((target) => ask(target, flags.timeout)));
      const isOne = flags.address !== undefined || flags.replica !== undefined;
      const summary = summarize(answers, isOne);
      context.exitCode = summary.isEnough ? EXIT.done : EXIT.failed;
      if (flags.json === true) {
        writeJson(context, statusJson(answers, summary));
      } else {
        context.out(statusText(answers, summary, context.colours));
      }
    });
}
