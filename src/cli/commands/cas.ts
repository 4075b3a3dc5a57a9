/** `pbft cas`: sets a key if it is as expected; 1 where it isn't. */
import { type Command, Option } from 'commander';
import type { ClientExpectation } from '../../client/client.js';
import { placeJson, placeText } from '../answers.js';
import { ask } from '../ask.js';
import { CommandError } from '../command-error.js';
import { type Context, writeJson } from '../context.js';
import { EXIT } from '../exit-code.js';
import { integerBetween } from '../flags.js';
import { findTargets } from '../reach.js';
import { inputValue } from '../value-input.js';
import { addWriteOptions, type WriteFlags, writeOptions } from './put.js';

interface CasFlags extends WriteFlags {
  readonly file?: string;
  readonly absent?: boolean;
  readonly expectVersion?: number;
  readonly expect?: string;
}

const VERSION_MAX = 999_999_999_999_999;

function expectationOf({ absent, expectVersion, expect }: CasFlags): ClientExpectation {
  const given: ClientExpectation[] = [
    ...(absent === true ? [{ absent: true } as const] : []),
    ...(expectVersion === undefined ? [] : [{ version: expectVersion }]),
    ...(expect === undefined ? [] : [{ value: expect }]),
  ];
  const [first] = given;
  if (first === undefined || given.length > 1) {
    throw new CommandError('say what the key must be: one of --absent, --expect-version, --expect', EXIT.usage);
  }
  return first;
}

/** Adds the command. */
export function addCas(program: Command, context: Context): void {
  const command = program
    .command('cas')
    .description('set a key if it is as expected (compare and swap)')
    .argument('<key>')
    .argument('[value]', 'as text')
    .option('--file <file>', 'the value as bytes; - is standard input')
    .option('--absent', 'the key must not be there')
    .addOption(
      new Option('--expect-version <version>', 'the key must have this version').argParser(
        integerBetween(0, VERSION_MAX),
      ),
    )
    .option('--expect <text>', 'the key must hold this text');
  addWriteOptions(command).action(async (key: string, text: string | undefined, flags: CasFlags) => {
    const change = { expected: expectationOf(flags), value: inputValue(text, flags.file) };
    const answer = await ask(findTargets(flags, context), flags.timeout, (client, call) =>
      client.compareAndSwap(key, change, { ...call, ...writeOptions(flags) }),
    );
    const { swapped, version } = answer;
    context.exitCode = swapped ? EXIT.done : EXIT.failed;
    if (flags.json === true) {
      writeJson(context, { swapped, version, ...placeJson(answer) });
    } else {
      const state = version === 0 ? 'it is absent' : `version ${version}`;
      context.out(`${swapped ? 'Swapped' : 'Not as expected'}: ${state}, ${placeText(answer)}\n`);
    }
  });
}
