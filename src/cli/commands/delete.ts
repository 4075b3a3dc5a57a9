/** `pbft delete`. */
import type { Command } from 'commander';
import { type Context, writeJson } from '../context.js';
import { ask, findTargets } from '../input/reach.js';
import { placeJson, placeText } from '../output/answers.js';
import { addWriteOptions, type WriteFlags, writeOptions } from './put.js';

/** Adds the command. */
export function addDelete(program: Command, context: Context): void {
  const command = program.command('delete').description('remove a key').argument('<key>');
  addWriteOptions(command).action(async (key: string, flags: WriteFlags) => {
    const answer = await ask(findTargets(flags, context), flags.timeout, (client, call) =>
      client.delete(key, { ...call, ...writeOptions(flags) }),
    );
    if (flags.json === true) {
      writeJson(context, { found: answer.found, ...placeJson(answer) });
    } else {
      context.out(`${answer.found ? 'Deleted' : 'It was not there'}: ${placeText(answer)}\n`);
    }
  });
}
