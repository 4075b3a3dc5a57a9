/**
 * The cases of faults that must be proven before a first release: each has a test whose title bears its id, or a
 * scenario whose first line does. What a title says is for its reader to judge; that nobody loses a case is judged here.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../..');

/** By group: networks, crashes, Byzantine primaries, backups and clients, view changes, exhaustion, gRPC, found in use. */
const CASES: Readonly<Record<string, readonly number[]>> = {
  NET: [1, 2, 3, 4, 6],
  CR: [1, 2, 3, 5, 6],
  BP: [1, 2, 3, 4, 5, 7],
  BB: [1, 2, 3, 4, 5, 7],
  CL: [1, 3, 4],
  VC: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  RX: [1, 2],
  GR: [2, 3],
  FU: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
};

const IDS = Object.entries(CASES).flatMap(([group, numbers]) =>
  numbers.map((number) => `${group}-${String(number).padStart(2, '0')}`),
);

/** The titles in the text of a test file; what is skipped is none. */
function titlesOf(text: string): string[] {
  return [...text.matchAll(/(?<![.\w])(?:it|describe)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(
    ([, , title]) => title ?? '',
  );
}

/** Of these cases those that no title bears. */
function casesWithout(titles: readonly string[], ids: readonly string[]): string[] {
  return ids.filter((id) => !titles.some((title) => new RegExp(`\\b${id}\\b`).test(title)));
}

/** All titles of tests, and the first lines of all scenarios. */
function allTitles(): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  return [
    ...files.filter((path) => path.endsWith('.test.ts')).flatMap((path) => titlesOf(read(path))),
    ...files
      .filter((path) => path.startsWith('scenario/') && path.endsWith('.txt'))
      .map((path) => read(path).split('\n')[0] ?? ''),
  ];
}

describe('the fault cases', () => {
  it('are found by id in titles, and not in tests that are skipped or in comments', () => {
    const text = "describe('XX-01: a', () => {\n it.skip('XX-02', f);\n // XX-03\n it(\n `XX-04, XX-05: b`, g) });";
    assert.deepEqual(titlesOf(text), ['XX-01: a', 'XX-04, XX-05: b']);
    const ids = ['XX-01', 'XX-02', 'XX-03', 'XX-04', 'XX-05', 'XX-0'];
    assert.deepEqual(casesWithout(titlesOf(text), ids), ['XX-02', 'XX-03', 'XX-0']);
  });

  it('of a first release have a test each', () => {
    assert.equal(IDS.length, 50);
    assert.deepEqual(casesWithout(allTitles(), IDS), []);
  });
});
