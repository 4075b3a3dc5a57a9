/** `pbft submit`: an operation of any application as bytes. */
import { type Command, Option } from 'commander';
import { type Context, writeJson } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { ask, findTargets } from '../input/reach.js';
import { bytesOfBase64, bytesOfHex, readInput } from '../input/value-input.js';
import { placeJson, placeText } from '../output/answers.js';
import { addWriteOptions, type WriteFlags, writeOptions } from './put.js';

interface SubmitFlags extends WriteFlags {
  readonly file?: string;
  readonly hex?: boolean;
  readonly raw?: boolean;
}

function operationOf(text: string | undefined, { file, hex }: SubmitFlags): Uint8Array {
  if ((text === undefined) === (file === undefined)) {
    throw new CommandError('give an operation: either in base64 or with --file', EXIT.usage);
  }
  if (file !== undefined) {
    return readInput(file);
  }
  return hex === true ? bytesOfHex(text ?? '') : bytesOfBase64(text ?? '');
}

/** Adds the command. */
export function addSubmit(program: Command, context: Context): void {
  const command = program
    .command('submit')
    .description("have an operation of the cluster's application ordered and executed")
    .argument('[operation]', 'in base64')
    .option('--hex', 'the operation stands there in hexadecimal digits')
    .addOption(new Option('--file <file>', 'the operation as bytes; - is standard input').conflicts('hex'))
    .addOption(new Option('--raw', "the result's bytes as they are").conflicts('json'));
  addWriteOptions(command).action(async (text: string | undefined, flags: SubmitFlags) => {
    const operation = operationOf(text, flags);
    const answer = await ask(findTargets(flags, context), flags.timeout, (client, call) =>
      client.submit(operation, { ...call, ...writeOptions(flags) }),
    );
    const result = Buffer.from(answer.result).toString('base64');
    if (flags.json === true) {
      writeJson(context, { result, ...placeJson(answer) });
    } else if (flags.raw === true) {
      context.out(answer.result);
    } else {
      context.out(`${result}\n`);
      context.note(`Executed: ${placeText(answer)}`);
    }
  });
}
