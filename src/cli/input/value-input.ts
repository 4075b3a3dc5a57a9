/** Values and operations as they come from the command line, a file, or standard input. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { CommandError, EXIT } from '../exit.js';

const STANDARD_INPUT = 0;

/** Reads a file, or standard input for `-`. */
export function readInput(file: string): Uint8Array {
  return readFileSync(file === '-' ? STANDARD_INPUT : file);
}

/** How a value stands on the command line: at most one of them, else as text. */
export interface ValueFlags {
  readonly file?: string;
  readonly hex?: boolean;
  readonly base64?: boolean;
}

/** The flags for a value. */
export function addValueOptions(command: Command): Command {
  return command
    .argument('[value]', 'as text')
    .option('--file <file>', 'the value as bytes; - is standard input')
    .addOption(
      new Option('--hex', 'the value stands there as bytes in hexadecimal digits').conflicts(['file', 'base64']),
    )
    .addOption(new Option('--base64', 'the value stands there as bytes in base64').conflicts('file'));
}

/** A value: the text on the command line, or bytes. Throws a CommandError unless exactly one is given. */
export function inputValue(text: string | undefined, { file, hex, base64 }: ValueFlags): string | Uint8Array {
  if (text === undefined && file !== undefined) {
    return readInput(file);
  }
  if (text === undefined || file !== undefined) {
    throw new CommandError('give a value: either as text or with --file', EXIT.usage);
  }
  if (hex === true) {
    return bytesOfHex(text);
  }
  return base64 === true ? bytesOfBase64(text) : text;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX = /^(?:[0-9A-Fa-f]{2})*$/;

/** The bytes of base64. Throws a CommandError. */
export function bytesOfBase64(text: string): Uint8Array {
  if (!BASE64.test(text)) {
    throw new CommandError('this is not base64: give it whole, with its padding', EXIT.usage);
  }
  return Buffer.from(text, 'base64');
}

/** The bytes of hexadecimal digits. Throws a CommandError. */
export function bytesOfHex(text: string): Uint8Array {
  if (!HEX.test(text)) {
    throw new CommandError('these are not hexadecimal digits, two a byte', EXIT.usage);
  }
  return Buffer.from(text, 'hex');
}
