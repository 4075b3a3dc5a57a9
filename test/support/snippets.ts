/**
 * TypeScript that stands in documents and docstrings: compiled as a user of the package would, and run. What a snippet
 * prints is what its `//> …` say, in their order.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');
const EXECUTE_MAX_MS = 120_000;

/** A snippet. */
export interface Snippet {
  /** Where it stands. */
  readonly title: string;
  readonly code: string;
}

/** What a snippet printed, or how it failed. */
export interface SnippetRun {
  readonly title: string;
  readonly printed: readonly string[];
  readonly error: string | undefined;
}

/** What the snippet says it prints. */
export function expectedOf({ code }: Snippet): readonly string[] {
  return [...code.matchAll(/\/\/> (.*)$/gm)].map(([, text = '']) => text);
}

const COMPILER_OPTIONS = {
  target: 'ES2022',
  module: 'NodeNext',
  outDir: 'out',
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  types: ['node'],
  skipLibCheck: true,
};

const RUNNER = `
const [, , ...files] = process.argv;
const runs = [];
for (const file of files) {
  const printed = [];
  console.log = (...words) => printed.push(words.map(String).join(' '));
  const error = await import(file).then(() => undefined, (failure) => failure?.stack ?? String(failure));
  runs.push({ printed, error });
}
process.stdout.write(JSON.stringify(runs), () => process.exit());
`;

function execute(parameters: readonly string[], directory: string): Promise<string> {
  return new Promise((done, fail) => {
    const options = { cwd: directory, timeout: EXECUTE_MAX_MS };
    execFile(process.execPath, parameters, options, (error, stdout, stderr) =>
      error === null ? done(stdout) : fail(new Error(`${stdout}\n${stderr}`)),
    );
  });
}

/** Compiles and runs snippets, one after another, in an empty folder. Rejects with what the compiler says. */
export async function runSnippets(snippets: readonly Snippet[], directory: string): Promise<readonly SnippetRun[]> {
  mkdirSync(join(directory, 'node_modules/@types'), { recursive: true });
  symlinkSync(ROOT, join(directory, 'node_modules/pbft'));
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(directory, 'node_modules/@types/node'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(directory, 'runner.mjs'), RUNNER);
  const config = { compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
  const names = snippets.map(({ code }, index) => {
    // Everything is a module of its own.
    writeFileSync(join(directory, `snippet-${index}.ts`), `${code}\nexport {};\n`);
    return `snippet-${index}`;
  });
  await execute([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], directory);
  const files = names.map((name) => pathToFileURL(join(directory, 'out', `${name}.js`)).href);
  const runs = JSON.parse(await execute(['runner.mjs', ...files], directory)) as readonly Omit<SnippetRun, 'title'>[];
  return runs.map((run, index) => ({ ...run, title: snippets[index]?.title ?? '' }));
}
