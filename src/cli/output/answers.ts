/** Answers of replicas as they are printed. */
import type { ClientValue, Place } from '../../client/client.js';
import type { Context } from '../context.js';
import { harmless } from './colours.js';

const DIGEST_DIGITS = 12;

/** The first digits of a digest: enough to compare by eye. */
export function shortDigest(digest: string | undefined): string {
  return digest === undefined ? '–' : digest.slice(0, DIGEST_DIGITS);
}

/** Where in the order an answer belongs, for JSON. */
export function placeJson({ sequence, view, headerDigest }: Place) {
  return { sequence, view, headerDigest: headerDigest ?? null };
}

/** Where in the order an answer belongs, in words. */
export function placeText({ sequence, view, headerDigest }: Place): string {
  return `sequence ${sequence}, view ${view}, header ${shortDigest(headerDigest)}`;
}

/** A value for JSON: text as it is, bytes as base64, in the names of the schema. */
export function valueJson(value: ClientValue | undefined) {
  if (value === undefined) {
    return {};
  }
  return typeof value === 'string' ? { text: value } : { data: Buffer.from(value).toString('base64') };
}

const CELL_CHARACTERS_MAX = 120;

/** A value in a table: its beginning, on one line. */
export function valueCell(value: ClientValue): string {
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('base64');
  const isShort = text.length <= CELL_CHARACTERS_MAX;
  const shown = isShort ? text : `${text.slice(0, CELL_CHARACTERS_MAX)}… (${text.length} characters)`;
  return harmless(shown).replace(/[\t\n]/g, ' ');
}

/** A value on a line: bytes as base64. A terminal does not obey it. */
export function valueText(value: ClientValue, { isInteractive }: Context): string {
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('base64');
  return isInteractive ? harmless(text) : text;
}
