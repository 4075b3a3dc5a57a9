/**
 * src/protocol and src/ledger are functions of their inputs: judged by their syntax trees. The judge itself is tested
 * on snippets, one file each in one program.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { findImpurities, projectOptions } from '../../support/purity.js';

const root = resolve(import.meta.dirname, '../../..');
const options = projectOptions(join(root, 'tsconfig.json'));

interface Snippet {
  readonly text: string;
  /** What must be found, in order; nothing for a good one. */
  readonly finds?: readonly string[];
}

const ORDER_OF_ARRAY = 'an array in the order of a Map or Set; sort it';
const given =
  'declare const map: Map<number, string>; declare const set: ReadonlySet<number>; declare function f(x: unknown): void;';

const SNIPPETS: readonly Snippet[] = [
  // Time, chance, place.
  { text: 'export const now = Date.now();', finds: ['Date is forbidden here'] },
  { text: 'export let at: Date;', finds: ['Date is forbidden here'] },
  { text: 'export const now = performance.now();', finds: ['performance is forbidden here'] },
  { text: 'export const chance = Math.random();', finds: ['Math.random is not exact'] },
  { text: "export const chance = Math['random']();", finds: ['Math.random is not exact'] },
  { text: 'const { random } = Math; random();', finds: ['Math is not exact'] },
  { text: 'export const power = Math.pow(2, 0.5);', finds: ['Math.pow is not exact'] },
  { text: 'setTimeout(() => 1, 5);', finds: ['setTimeout is forbidden here'] },
  { text: 'setImmediate(() => 1);', finds: ['setImmediate is forbidden here'] },
  { text: 'queueMicrotask(() => 1);', finds: ['queueMicrotask is forbidden here'] },
  { text: 'process.nextTick(() => 1);', finds: ['process is forbidden here'] },
  { text: "export const bytes = Buffer.from('a');", finds: ['Buffer is forbidden here'] },
  { text: 'export const all = globalThis;', finds: ['globalThis is forbidden here'] },
  { text: "console.log('a');", finds: ['console is forbidden here'] },
  { text: 'export const weak = new WeakRef({});', finds: ['WeakRef is forbidden here'] },
  { text: 'export const id = crypto.randomUUID();', finds: ['crypto is forbidden here'] },
  // Later.
  { text: 'export const later = Promise.resolve(1);', finds: ['Promise is forbidden here'] },
  { text: 'export let later: Promise<number>;', finds: ['Promise is forbidden here'] },
  { text: 'export async function f() {}', finds: ['async'] },
  { text: 'export const f = async () => { await 1; };', finds: ['async', 'await'] },
  {
    text: 'export async function f(x: Iterable<number>) { for await (const y of x) { y; } }',
    finds: ['async', 'await'],
  },
  // Modules.
  { text: "import { createHash } from 'node:crypto'; createHash;", finds: ['import of node:crypto'] },
  { text: "import type { Logger } from 'pino'; export type L = Logger;", finds: ['import of pino'] },
  { text: "export * from 'zod';", finds: ['import of zod'] },
  { text: "export type L = import('pino').Logger;", finds: ['import of pino', 'Logger is forbidden here'] },
  { text: "export const load = () => import('./0.js');", finds: ['import() loads later'] },
  // Locale.
  { text: "export const order = 'a'.localeCompare('b');", finds: ['localeCompare depends on the locale'] },
  { text: 'export const text = (1).toLocaleString();', finds: ['toLocaleString depends on the locale'] },
  { text: "export const text = 'a'['toLocaleUpperCase']();", finds: ['toLocaleUpperCase depends on the locale'] },
  { text: "const { localeCompare } = 'a'; localeCompare;", finds: ['localeCompare depends on the locale'] },
  { text: 'export const format = new Intl.NumberFormat();', finds: ['Intl is forbidden here'] },
  // Order.
  { text: `${given} f([...map.values()]);`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} f([...set]);`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} f([0, ...map.keys()].map((x) => x + 1));`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} f(Array.from(map.entries()));`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} f([...(map.size > 1 ? map.keys() : [])]);`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} declare const m: Map<number, Set<number>>; f([...(m.get(1) ?? [])]);`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} declare const m: Map<1, Set<1>>; f([...(m.get(1)?.keys() ?? [])]);`, finds: [ORDER_OF_ARRAY] },
  { text: `${given} const all = [...set]; f(all.length);`, finds: [ORDER_OF_ARRAY] },
  {
    text: `${given} Math.hypot; f(String.fromCharCode(...set));`,
    finds: ['Math.hypot is not exact', 'arguments in the order of a Map or Set; sort them'],
  },
  { text: `${given} map.forEach((x) => f(x));`, finds: ['forEach in the order of a Map or Set; write a loop'] },
  {
    text: `${given} for (const x of set) { f(x); }`,
    finds: ['a loop in the order of a Map or Set that calls for an effect; sort before it'],
  },
  {
    text: `${given} const all: number[] = []; for (const [x] of map) { if (x > 1) { all.push(x); } }`,
    finds: ['a loop in the order of a Map or Set that calls for an effect; sort before it'],
  },
  {
    text: `${given} let text = ''; for (const x of map.values()) { text += x; }`,
    finds: ['a loop in the order of a Map or Set that builds a text; sort before it'],
  },
  {
    text: `${given} export function* g() { for (const x of set) { yield x; } }`,
    finds: ['a loop in the order of a Map or Set that yields; sort before it'],
  },
  {
    text: `${given} export function g() { for (const x of set) { if (x > 1) { return x; } } return 0; }`,
    finds: ['a loop in the order of a Map or Set that returns what it found first; sort before it'],
  },
  {
    text: `${given} let y = 0; for (const x of set) { y = x; break; } f(y);`,
    finds: ['a loop in the order of a Map or Set that breaks at what it found first; sort before it'],
  },
  // Good ones.
  { text: 'export const top = Math.max(1, Math.floor(2.5));' },
  { text: 'export function f(process: number, performance: number) { return process + performance; }' },
  { text: 'export interface Limits { readonly Date: number; process: string }' },
  { text: "import type { Limits } from './45.js'; export const limits: Limits = { Date: 1, process: 'a' };" },
  { text: 'export const bytes = new Uint8Array(4); export const view = new DataView(bytes.buffer);' },
  { text: `${given} f([...map.keys()].sort((left, right) => left - right));` },
  { text: `${given} f([...map].filter(([x]) => x > 1).map(([, y]) => y).toSorted());` },
  { text: `${given} f(Array.from(set).sort());` },
  { text: `${given} f([...set].some((x) => x > 1)); f([...set].filter((x) => x > 1).length); f(new Set([...set]));` },
  { text: `${given} f(Math.max(...set)); f(Math.min(0, ...[...map.keys()].map((x) => x - 1)));` },
  {
    text: `${given} let sum = 0; let best = 0; for (const x of set) { sum += x; best = Math.max(best, x); } f(sum + best);`,
  },
  { text: `${given} for (const x of map.keys()) { if (x < 5) { map.delete(x); } }` },
  { text: `${given} export function g() { for (const x of set) { if (x > 1) { return true; } } return false; }` },
  { text: `${given} const all: number[] = []; for (const x of set) { all.push(x); } f(all.sort());` },
  { text: `${given} for (const x of [...map.keys()]) { if (x < 5) { map.delete(x); } }` },
  { text: `${given} for (const x of [...set].sort()) { f(x); }` },
  { text: `${given} for (const x of [1, 2]) { f([x, ...[3]]); }` },
  { text: `${given}\n// order: of arrival, which the events fix.\nfor (const x of set) {\n  f(x);\n}` },
  { text: `${given}\n// order: of arrival, which the events fix.\nconst all = [...set];\nf(all);` },
];

/** The program of all snippets, as files that stand beside each other and need not exist. */
function snippetProgram(): { program: ts.Program; paths: string[] } {
  const texts = new Map(SNIPPETS.map(({ text }, index) => [join(root, 'src/protocol', `${index}.ts`), text]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  };
  const paths = [...texts.keys()];
  return { program: ts.createProgram({ rootNames: paths, options, host }), paths };
}

function sourceFiles(room: string): string[] {
  return readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(root, 'src', room, path))
    .sort();
}

describe('the purity of protocol and ledger', function () {
  this.timeout(60_000);

  describe('is judged by a checker that', () => {
    let program: ts.Program;
    let paths: readonly string[];

    before(() => {
      ({ program, paths } = snippetProgram());
    });

    for (const [index, { text, finds = [] }] of SNIPPETS.entries()) {
      it(`${finds.length === 0 ? 'lets pass' : 'refuses'}: ${text.replace(given, '').trim()}`, () => {
        const path = paths[index];
        assert.ok(path !== undefined);
        assert.deepEqual(
          findImpurities(program, [path]).map(({ what }) => what),
          finds,
        );
      });
    }
  });

  it('holds in src/protocol and src/ledger', () => {
    const files = ['protocol', 'ledger'].flatMap(sourceFiles);
    assert.ok(files.length > 0);
    const program = ts.createProgram({ rootNames: files, options });
    const found = findImpurities(program, files);
    assert.deepEqual(
      found.map(({ file, line, what }) => `${file.slice(root.length + 1)}:${line}: ${what}`),
      [],
    );
  });
});
