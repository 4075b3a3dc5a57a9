/** Values and operations as they come from the command line, a file, or standard input. */
import { readFileSync } from 'node:fs';
import { CommandError } from './command-error.js';
import { EXIT } from './exit-code.js';

const STANDARD_INPUT = 0;

/** Reads a file, or standard input for `-`. */
export function readInput(file: string): Uint8Array {
  return readFileSync(file === '-' ? STANDARD_INPUT : file);
}

/** A value: the text on the command line, or the bytes of a file. Throws a CommandError unless exactly one is given. */
export function inputValue(text: string | undefined, file: string | undefined): string | Uint8Array {
  if (text !== undefined && file === undefined) {
    return text;
  }
  if (text === undefined && file !== undefined) {
    return readInput(file);
  }
  throw new CommandError('give a value: either as text or with --file', EXIT.usage);
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
