/**
 * One thing a file, in 80 to 300 lines: above 350 a file is refused. That functions stay under 60 lines is the linter's
 * business.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const LINES_MAX = 350;

/** TypeScript files below `folder` that were not generated, from the project's root. */
function handwritten(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith('.ts') && !/^(?:src\/wire|test)\/gen\//.test(path));
}

/** How many lines a text has; a newline at its end begins no further one. */
function countLines(text: string): number {
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length;
}

/** The texts that are too long, as `path: lines`. */
function tooLong(texts: ReadonlyMap<string, string>): string[] {
  return [...texts]
    .map(([path, text]) => ({ path, lines: countLines(text) }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}

describe('the sizes of files', () => {
  it(`are judged by lines: ${LINES_MAX} pass, one more is refused`, () => {
    const texts = new Map([
      ['empty.ts', ''],
      ['passes.ts', 'a\n'.repeat(LINES_MAX)],
      ['long.ts', 'a\n'.repeat(LINES_MAX + 1)],
      ['long-without-newline.ts', `${'a\n'.repeat(LINES_MAX)}a`],
    ]);
    assert.deepEqual(tooLong(texts), ['long.ts: 351 lines', 'long-without-newline.ts: 351 lines']);
  });

  it('stay within the limit in src/, test/ and proto/', () => {
    const files = ['src', 'test', 'proto'].flatMap(handwritten);
    assert.ok(files.includes('test/unit/house/sizes.test.ts'));
    const texts = new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
    assert.deepEqual(tooLong(texts), []);
  });
});
