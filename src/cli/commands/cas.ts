/** `pbft cas`: sets a key if it is as expected; 1 where it isn't. */
import { type Command, Option } from 'commander';
import type { ClientExpectation } from '../../client/client.js';
import { type Context, writeJson } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { integerBetween } from '../input/flags.js';
import { ask, findTargets } from '../input/reach.js';
import {
  addValueOptions,
  bytesOfBase64,
  bytesOfHex,
  inputValue,
  readInput,
  type ValueFlags,
} from '../input/value-input.js';
import { placeJson, placeText } from '../output/answers.js';
import { addWriteOptions, type WriteFlags, writeOptions } from './put.js';

interface CasFlags extends WriteFlags, ValueFlags {
  readonly absent?: boolean;
  readonly expectVersion?: number;
  readonly expect?: string;
  readonly expectFile?: string;
  readonly expectHex?: string;
  readonly expectBase64?: string;
}

function expectationOf(flags: CasFlags): ClientExpectation {
  const { absent, expectVersion, expect, expectFile, expectHex, expectBase64 } = flags;
  const given: ClientExpectation[] = [
    ...(absent === true ? [{ absent: true } as const] : []),
    ...(expectVersion === undefined ? [] : [{ version: expectVersion }]),
    ...(expect === undefined ? [] : [{ value: expect }]),
    ...(expectFile === undefined ? [] : [{ value: readInput(expectFile) }]),
    ...(expectHex === undefined ? [] : [{ value: bytesOfHex(expectHex) }]),
    ...(expectBase64 === undefined ? [] : [{ value: bytesOfBase64(expectBase64) }]),
  ];
  const [first] = given;
  if (first === undefined || given.length > 1) {
    const ways = '--absent, --expect-version, --expect, --expect-file, --expect-hex, --expect-base64';
    throw new CommandError(`say what the key must be: one of ${ways}`, EXIT.usage);
  }
  if (expectFile === '-' && flags.file === '-') {
    throw new CommandError('standard input can be the value or what is expected, not both', EXIT.usage);
  }
  return first;
}

/** Adds the command. */
export function addCas(program: Command, context: Context): void {
  const command = addValueOptions(
    program.command('cas').description('set a key if it is as expected (compare and swap)').argument('<key>'),
  )
    .option('--absent', 'the key must not be there')
    .addOption(
      new Option('--expect-version <version>', 'the key must have this version').argParser(
        integerBetween(0, Number.MAX_SAFE_INTEGER),
      ),
    )
    .option('--expect <text>', 'the key must hold this, put as text')
    .option('--expect-file <file>', 'the key must hold the bytes of this file, put as bytes; - is standard input')
    .option('--expect-hex <digits>', 'the key must hold these bytes, put as bytes')
    .option('--expect-base64 <text>', 'the same in base64');
  addWriteOptions(command).action(async (key: string, text: string | undefined, flags: CasFlags) => {
    const change = { expected: expectationOf(flags), value: inputValue(text, flags) };
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
