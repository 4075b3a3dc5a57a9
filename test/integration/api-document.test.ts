/** docs/api.md and the docstrings of the public face: every command and every snippet is run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { status } from '@grpc/grpc-js';
import ts from 'typescript';
import { answerToFailure, type CallFailure } from '../../src/api/failures.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { RunningCommand } from '../support/cluster-command.js';
import { normalizeOutput, readConsoleSteps } from '../support/cluster-console.js';
import { findBasePort } from '../support/cluster-ports.js';
import { skip } from '../support/skip.js';
import { expectedOf, runSnippets, type Snippet } from '../support/snippets.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');

/** Exported names with their docstrings, as the compiler sees them. */
interface PublicName {
  readonly name: string;
  readonly isValue: boolean;
  readonly text: string;
  readonly examples: readonly string[];
}

function readPublicNames(): readonly PublicName[] {
  const file = join(ROOT, 'src/index.ts');
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  assert.ok(module !== undefined);
  return checker.getExportsOfModule(module).map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const tags = symbol.getJsDocTags(checker).filter(({ name }) => name === 'example');
    return {
      name: exported.name,
      isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(exported),
      text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
      examples: tags.map(({ text }) => /```ts\n([\s\S]*?)```/.exec(ts.displayPartsToString(text))?.[1] ?? ''),
    };
  });
}

function isTypeOnly({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((one) => ts.isExportSpecifier(one) && (one.isTypeOnly || one.parent.parent.isTypeOnly));
}

function readSnippets(): readonly Snippet[] {
  return [...PAGE.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ''], index) => ({
    title: `docs/api.md, snippet ${index + 1}`,
    code,
  }));
}

/** Every failure that there is. */
const FAILURES = {
  malformed: { code: 'malformed', fault: 'text' },
  messageTooLong: { code: 'messageTooLong', limitBytes: 1 },
  invalid: { code: 'invalid', field: 'key', description: 'is wrong' },
  queueFull: { code: 'queueFull', retryAfterMs: 1 },
  requestIdsExhausted: { code: 'requestIdsExhausted', retryAfterMs: 1 },
  callsExhausted: { code: 'callsExhausted', retryAfterMs: 1 },
  watchersExhausted: { code: 'watchersExhausted', retryAfterMs: 1 },
  answersExhausted: { code: 'answersExhausted', retryAfterMs: 1 },
  answersUnread: { code: 'answersUnread', retryAfterMs: 1 },
  notReady: { code: 'notReady', reasons: [], retryAfterMs: 1 },
  deadlineTooShort: { code: 'deadlineTooShort' },
  readTimedOut: { code: 'readTimedOut' },
  outcomeUnknown: { code: 'outcomeUnknown', reason: '' },
  resultDropped: { code: 'resultDropped', sequence: 1 },
  requestIdReused: { code: 'requestIdReused' },
  serviceUnknown: { code: 'serviceUnknown' },
  bug: { code: 'bug' },
} as const satisfies { readonly [Code in CallFailure['code']]: Extract<CallFailure, { readonly code: Code }> };

describe('the API', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let directory: string;
  let basePort: number;
  const names = readPublicNames();

  before(async () => {
    basePort = await findBasePort(4);
    cluster = await startCluster({ basePort });
    directory = mkdtempSync(join(tmpdir(), 'pbft-snippets-'));
  });
  after(async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const here = (text: string): string =>
    text.replace(/127\.0\.0\.1:7(\d{3})/g, (_, port: string) => `127.0.0.1:${basePort + Number(port) - 400}`);
  const normalize = (text: string): string => normalizeOutput(text).replace(/"version": "\d+"/g, '"version": <number>');

  for (const { command, output } of readConsoleSteps(PAGE)) {
    it(`prints what its page says: ${command}`, async function () {
      if (spawnSync('grpcurl', ['-version']).error !== undefined) {
        skip(this, 'grpcurl is not installed');
      }
      const { code, out, errors } = await new RunningCommand('sh', ['-c', here(command)]).ended;
      assert.equal(code, 0, `${out}\n${errors}`);
      if (output !== '…') {
        assert.equal(normalize(out), normalize(output));
      }
    });
  }

  it('has a page and docstrings whose snippets compile, and print what they say', async () => {
    const free = await findBasePort(8);
    const examples = names.flatMap(({ name, examples: codes }) =>
      codes.map((code) => ({
        title: `the example of ${name}`,
        // Each at ports of its own.
        code: code.replaceAll('9400', String(free)).replace(/940(\d)/g, (_, id: string) => String(free + Number(id))),
      })),
    );
    const snippets = [...readSnippets(), ...examples].map(({ title, code }, index) => ({
      title,
      // Relative folders too: several make a cluster called alike.
      code: here(code).replace(/directory: '([\w-]+)'/g, `directory: '$1-${index}'`),
    }));
    const runs = await runSnippets(snippets, directory);
    for (const [index, { title, printed, error }] of runs.entries()) {
      assert.equal(error, undefined, `${title}: ${error}`);
      const snippet = snippets[index];
      assert.deepEqual(printed, snippet === undefined ? [] : expectedOf(snippet), title);
    }
  });

  it('has a docstring on each public name, and an example on each that is more than a type', () => {
    assert.ok(names.length > 40);
    const bare = names.filter(({ text }) => text === '').map(({ name }) => name);
    assert.deepEqual(bare, []);
    const without = names.filter(({ isValue, examples }) => isValue && examples.length === 0).map(({ name }) => name);
    assert.deepEqual(without, []);
    assert.equal(names.find(({ name }) => name === 'StateMachine')?.examples.length, 1);
  });

  it('has a page that lists every error', () => {
    for (const failure of Object.values(FAILURES)) {
      const { status: code, reason, fate } = answerToFailure(failure);
      const row = PAGE.split('\n').find((line) => line.startsWith(`| \`${status[code]}\` | \`${reason}\` |`));
      assert.ok(row !== undefined, `${status[code]} ${reason}`);
      const words = { not_taken: /was not taken|changes nothing/, executed: /was executed/, unknown: /may have been/ };
      assert.match(row, words[fate], reason);
    }
    const rows = PAGE.match(/^\| `[A-Z_]+` \| `[A-Z_]+` \|/gm);
    assert.equal(rows?.length, Object.keys(FAILURES).length);
  });
});
