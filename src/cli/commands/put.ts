/** `pbft put`. */
import type { Command } from 'commander';
import { type Context, writeJson } from '../context.js';
import { jsonOption } from '../input/flags.js';
import { addReachOptions, ask, findTargets, type ReachFlags } from '../input/reach.js';
import { addValueOptions, inputValue, type ValueFlags } from '../input/value-input.js';
import { placeJson, placeText } from '../output/answers.js';

/** The flags of commands that change something. */
export interface WriteFlags extends ReachFlags {
  readonly requestId?: string;
  readonly json?: boolean;
}

/** Adds the flags of commands that change something. */
export function addWriteOptions(command: Command): Command {
  return addReachOptions(command)
    .option(
      '--request-id <id>',
      'a repeat with the same one at the same replica is not executed again, unless that was started again meanwhile',
    )
    .addOption(jsonOption());
}

/** What a call is given of them. */
export function writeOptions({ requestId }: WriteFlags) {
  return requestId === undefined ? {} : { requestId };
}

interface PutFlags extends WriteFlags, ValueFlags {}

/** Adds the command. */
export function addPut(program: Command, context: Context): void {
  const command = addValueOptions(program.command('put').description('set a key').argument('<key>'));
  addWriteOptions(command).action(async (key: string, text: string | undefined, flags: PutFlags) => {
    const value = inputValue(text, flags);
    const answer = await ask(findTargets(flags, context), flags.timeout, (client, call) =>
      client.put(key, value, { ...call, ...writeOptions(flags) }),
    );
    if (flags.json === true) {
      writeJson(context, { version: answer.version, ...placeJson(answer) });
    } else {
      context.out(`Put: version ${answer.version}, ${placeText(answer)}\n`);
    }
  });
}
