/**
 * What the code cites stands in the documents that come with it, and what the documents link to is there: a section of the
 * protocol by its number, a document by its name, a decision by its number, a heading by its anchor.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const THIS_FILE = relative(ROOT, import.meta.filename);
const CODE = ['src', 'test', 'proto/pbft', 'bin', 'examples'];
const DOCUMENTS = ['docs', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'examples'];

/** The files under these places with one of these endings. */
function filesIn(places: readonly string[], endings: readonly string[]): readonly string[] {
  return places
    .flatMap((place) =>
      place.includes('.')
        ? [place]
        : readdirSync(join(ROOT, place), { recursive: true, encoding: 'utf8' }).map((name) => join(place, name)),
    )
    .filter((file) => endings.some((ending) => file.endsWith(ending)) && !/wire\/gen\/|node_modules/.test(file))
    .sort();
}

/** Its text; a line break within a string counts as one. */
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8').replaceAll('\\n', '\n');

/** The anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function headingsOf(file: string): readonly string[] {
  return [...read(file).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => heading.replaceAll('`', ''));
}

/** Each match of a pattern in these files that does not resolve. */
function dangling(
  files: readonly string[],
  pattern: RegExp,
  resolves: (match: readonly string[], file: string) => boolean,
): readonly string[] {
  return files.flatMap((file) =>
    [...read(file).matchAll(pattern)].filter((match) => !resolves(match, file)).map(([text]) => `${file}: ${text}`),
  );
}

const code = filesIn(CODE, ['.ts', '.js', '.mjs', '.proto', '.patch', '.txt']).filter((file) => file !== THIS_FILE);
const documents = filesIn(DOCUMENTS, ['.md']);

describe('what is cited', () => {
  it('is a section of the protocol that there is', () => {
    const sections = new Set(headingsOf('docs/protocol.md').map((heading) => heading.match(/^(\d+a?)\. /)?.[1]));
    assert.ok(sections.size > 10, 'the protocol has numbered sections');
    const all = code.concat(documents);
    assert.deepEqual(
      dangling(all, /protocol\.md (\d+\w?)(?:(?:, | and )(\d+\w?)\b)?/g, ([, ...numbers]) =>
        numbers.every((number) => number === undefined || sections.has(number)),
      ),
      [],
    );
  });

  it('is a document that comes with the code', () => {
    const names = new Set(documents.flatMap((file) => [file, file.replace(/^docs\//, ''), file.replace(/^.*\//, '')]));
    assert.deepEqual(
      dangling(code, /(?<![\w./:-])((?:docs\/)?[\w/-]+\.md)(?![\w.])(?:#([\w-]+))?/g, ([, name = '', anchor]) => {
        const isThere = names.has(name);
        return isThere && (anchor === undefined || headingsOf(name).some((heading) => anchorOf(heading) === anchor));
      }),
      [],
    );
  });

  it('is a decision that was written down', () => {
    const numbers = new Set(readdirSync(join(ROOT, 'docs/decisions')).map((name) => name.slice(0, 4)));
    assert.deepEqual(
      dangling(code.concat(documents), /decisions?[ /](\d{4})\b/gi, ([, number = '']) => numbers.has(number)),
      [],
    );
  });

  it('is a file that there is, in the glossary', () => {
    assert.deepEqual(
      dangling(['docs/glossary.md'], /`([\w-]+\/[\w/.-]+)`/g, ([, path = '']) => existsSync(join(ROOT, 'src', path))),
      [],
    );
  });

  it('is there where a document links to it', () => {
    assert.deepEqual(
      dangling(documents, /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g, ([, path = '', anchor], file) => {
        const target = path === '' ? file : join(dirname(file), path);
        return (
          existsSync(join(ROOT, target)) &&
          (anchor === undefined || headingsOf(target).some((heading) => anchorOf(heading) === anchor))
        );
      }),
      [],
    );
  });
});
