/**
 * What a log record may hold: values made small, printable and free of secrets.
 *
 * 1. A field named like a key, secret, password, token or credential shows `[redacted]`, at any depth.
 * 2. Private keys are recognised by what they are too: KeyObjects, PEM text, under any name and in messages.
 * 3. Bytes show their length only: they may be a key, and they may be a caller's data.
 * 4. Depth, length of text and number of entries are bounded; control characters are escaped, so that a record is one
 *    line and no terminal obeys it.
 */
import { KeyObject } from 'node:crypto';

const REDACTED = '[redacted]';
const DEPTH_MAX = 5;
const ENTRIES_MAX = 64;
const TEXT_MAX = 4096;
const STACK_LINES_MAX = 12;

const SECRET_NAME = /key|secret|passw|passphrase|token|credential|authorization|cookie|pem$/i;

/** What says something about a key without being one. */
const HARMLESS_NAME = /public|(fingerprint|file|path|directory|id|pin|bits|bytes|count|type|size|policy)$/i;

const PRIVATE_KEY_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** The fields of a record as they may be written. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactEntries(fields, DEPTH_MAX);
}

/** A text as it may be written: one line, without private keys, at most 4,096 characters. */
export function redactText(text: string): string {
  const open = text.replace(PRIVATE_KEY_TEXT, REDACTED);
  const short = open.length > TEXT_MAX ? `${open.slice(0, TEXT_MAX)}… (${open.length} characters)` : open;
  return short.replace(CONTROL_CHARACTER, escapeCharacter);
}

function redactEntries(fields: object, depth: number): Record<string, unknown> {
  const redacted: Record<string, unknown> = {};
  let count = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (count === ENTRIES_MAX) {
      redacted['more'] = '…';
      break;
    }
    count += 1;
    // A field of that name would replace the prototype instead of being written.
    if (name !== '__proto__') {
      redacted[redactText(name)] = isSecretName(name) ? REDACTED : redactValue(value, depth);
    }
  }
  return redacted;
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}

function redactValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return '[function]';
    case 'object':
      return value === null ? null : redactObject(value, depth);
    default:
      return value;
  }
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof KeyObject) {
    return value.type === 'public' ? '[public key]' : REDACTED;
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `[${value.byteLength} bytes]`;
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? '[no date]' : value.toISOString();
  }
  if (depth === 0) {
    return '[…]';
  }
  if (value instanceof Error) {
    return redactError(value, depth);
  }
  const entries = value instanceof Set || value instanceof Map ? [...value] : value;
  if (Array.isArray(entries)) {
    const shown = entries.slice(0, ENTRIES_MAX).map((entry) => redactValue(entry, depth - 1));
    return entries.length > ENTRIES_MAX ? [...shown, `… (${entries.length} entries)`] : shown;
  }
  return redactEntries(entries, depth - 1);
}

/** Name, message, code, the top of the stack and the cause: an error's other properties may hold anything. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const redacted: Record<string, unknown> = { type: redactText(error.name), message: redactText(error.message) };
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) {
    redacted['code'] = redactValue(error.code, 0);
  }
  if (error.stack !== undefined) {
    const calls = error.stack.split('\n').filter((line) => /^\s+at /.test(line));
    redacted['stack'] = calls.slice(0, STACK_LINES_MAX).map((line) => redactText(line.trim()));
  }
  if (error.cause !== undefined) {
    redacted['cause'] = redactValue(error.cause, depth - 1);
  }
  return redacted;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
