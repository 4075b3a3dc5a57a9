/** Turns what the schema finds into problems that name the place, the value's bounds and the nearest known key. */
import type { z } from 'zod';
import type { ConfigurationProblem } from '../util/configuration-error.js';

/** The number of single-character edits between two words. */
export function computeEditDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** No word of this length is a key; comparing costs with its square. */
const WORD_LENGTH_MAX = 128;

/** The known key that `key` is most like, or undefined where none is near. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  const word = key.slice(0, WORD_LENGTH_MAX).toLowerCase();
  let least = Math.max(2, Math.ceil(word.length / 2));
  for (const candidate of known) {
    const distance = computeEditDistance(word, candidate.toLowerCase());
    if (distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** What to do about an unknown key. */
export function remedyOfUnknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestKey(key, known);
  return nearest === undefined ? `Remove it; known are ${known.join(', ')}` : `Did you mean \`${nearest}\`?`;
}

/** Where an issue is, such as `replicas.2.name`. */
function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

/** A schema's issue as problems. `keysAt` gives the known keys of the object at a path. */
function problemsOfIssue(
  issue: z.core.$ZodIssue,
  file: string,
  keysAt: (path: string) => readonly string[],
): ConfigurationProblem[] {
  const path = pathOf(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        file,
        path: pathOf([...issue.path, key]),
        message: `\`${key}\` is not known here`,
        remedy: remedyOfUnknownKey(key, keysAt(path)),
      }));
    case 'invalid_type': {
      const message = issue.input === undefined ? 'a value is missing' : `this is not ${nameOfType(issue.expected)}`;
      return [{ file, path, message, remedy: `Give ${nameOfType(issue.expected)}` }];
    }
    case 'too_small':
      return [{ file, path, message: 'the value is too small', remedy: `Give at least ${issue.minimum}` }];
    case 'too_big':
      return [{ file, path, message: 'the value is too large', remedy: `Give at most ${issue.maximum}` }];
    case 'invalid_value':
      return [{ file, path, message: 'the value is not allowed', remedy: `Give one of ${issue.values.join(', ')}` }];
    case 'invalid_key':
      return [{ file, path, message: 'this is no id of a replica', remedy: 'Name a peer by its id, such as `2`' }];
    default:
      return [{ file, path, message: issue.message, remedy: '' }];
  }
}

function nameOfType(type: string): string {
  const names = new Map([
    ['int', 'a whole number'],
    ['number', 'a number'],
    ['string', 'a text'],
    ['boolean', 'true or false'],
    ['object', 'a group of settings'],
    ['record', 'a map'],
    ['array', 'a list'],
  ]);
  return names.get(type) ?? type;
}

/** All problems that a schema found. */
export function problemsOf(
  error: z.ZodError,
  file: string,
  keysAt: (path: string) => readonly string[],
): ConfigurationProblem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, file, keysAt));
}
