/** Habits of the code that no linter knows. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCE = resolve(import.meta.dirname, '../../../src');

/** The lines of src, generated code left out, that match. */
function linesWith(pattern: RegExp): readonly string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('wire/gen/'))
    .flatMap((file) =>
      readFileSync(join(SOURCE, file), 'utf8')
        .split('\n')
        .filter((line) => pattern.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
}

describe('the code', () => {
  it('has private members by the keyword, so that a test can look into them by their type', () => {
    assert.deepEqual(linesWith(/\.#[a-z]|^\s+(?:readonly |static |async |get |set )*#[a-z]/), []);
  });

  it('calls a replica it, and a caller too', () => {
    assert.deepEqual(linesWith(/\b(?:[Hh]e|[Hh]im|[Hh]is)\b/), []);
  });
});
