/** `pbft get`: prints the value and nothing else; 1 where the key is absent. */
import { type Command, Option } from 'commander';
import { type Context, writeJson } from '../context.js';
import { EXIT } from '../exit.js';
import { jsonOption } from '../input/flags.js';
import { addReachOptions, ask, findTargets, type ReachFlags } from '../input/reach.js';
import { placeJson, valueJson, valueText } from '../output/answers.js';

/** The flags of commands that read. */
export interface ReadFlags extends ReachFlags {
  readonly local?: boolean;
  readonly json?: boolean;
}

/** Adds the flags of commands that read. */
export function addReadOptions(command: Command): Command {
  return addReachOptions(command)
    .option('--local', 'what the replica asked has executed, which may be old, instead of a read in the total order')
    .addOption(jsonOption());
}

/** What a call is given of them. */
export function readOptions({ local }: ReadFlags) {
  return { consistency: local === true ? ('local' as const) : ('ordered' as const) };
}

/** Adds the command. */
export function addGet(program: Command, context: Context): void {
  const command = program
    .command('get')
    .description('print the value of a key: text as it is, bytes in base64 with a word about it')
    .argument('<key>');
  addReadOptions(command)
    .addOption(new Option('--raw', "the value's bytes as they are, and no line feed").conflicts('json'))
    .action(async (key: string, flags: ReadFlags & { readonly raw?: boolean }) => {
      const answer = await ask(findTargets(flags, context), flags.timeout, (client, call) =>
        client.get(key, { ...call, ...readOptions(flags) }),
      );
      const { value, version } = answer;
      const found = value !== undefined;
      context.exitCode = found ? EXIT.done : EXIT.failed;
      if (flags.json === true) {
        writeJson(context, { found, ...valueJson(value), version, ...placeJson(answer) });
      } else if (!found) {
        context.note('not found');
      } else if (flags.raw === true) {
        context.out(value);
      } else {
        context.out(`${valueText(value, context)}\n`);
        if (typeof value !== 'string') {
          context.note('these are bytes, in base64: --raw writes them as they are');
        }
      }
    });
}
