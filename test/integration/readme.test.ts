import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { RunningCommand } from '../support/cluster-command.js';
import { normalizeOutput, readConsoleSteps, readShellCommands } from '../support/cluster-console.js';
import { findBasePort } from '../support/cluster-ports.js';
import { skip } from '../support/skip.js';

const ROOT = resolve(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const STEPS = readConsoleSteps(README);

describe("the README's commands", function () {
  this.timeout(120_000);
  let directory: string;
  let basePort: number;

  const run = (command: string) => new RunningCommand('sh', ['-c', command], { PBFT_CLUSTER: directory }).ended;
  const make = (target: string) => `make --no-print-directory ${target} DIR='${directory}'`;

  /** The command for the cluster of this test instead of the one in `.cluster`. */
  const here = (command: string): string =>
    command
      .replace(/127\.0\.0\.1:7(\d{3})/g, (_, port: string) => `127.0.0.1:${basePort + Number(port) - 400}`)
      .replace('./.cluster/', `${directory}/`)
      .replace(/^make cluster-stop$/, make('cluster-stop'));

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-readme-'));
    basePort = await findBasePort(4);
    const { code, errors } = await run(make(`cluster DETACH=1 BASE_PORT=${basePort}`));
    assert.equal(code, 0, errors);
  });
  after(async () => {
    await run(make('cluster-stop'));
    rmSync(directory, { recursive: true, force: true });
  });

  it('begin with the two that start a cluster', () => {
    assert.deepEqual(readShellCommands(README), ['make proto && make cluster']);
    assert.ok(STEPS.length >= 10);
  });

  for (const [index, { command, output }] of STEPS.entries()) {
    it(`print what it says: ${index + 1}. ${command}`, async function () {
      if (command.startsWith('grpcurl') && spawnSync('grpcurl', ['-version']).error !== undefined) {
        skip(this, 'grpcurl is not installed');
      }
      if (command.startsWith('npx buf') && output.includes('hello')) {
        // Where grpcurl is missing, nobody has put it yet.
        await run('npx --no pbft put greeting hello');
      }
      const result = await run(here(command));
      assert.equal(result.code, 0, `${result.out}\n${result.errors}`);
      assert.equal(normalizeOutput(result.out), normalizeOutput(output));
    });
  }

  it('are among files that are there', () => {
    for (const document of ['README.md', 'docs/getting-started.md']) {
      const text = readFileSync(join(ROOT, document), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        assert.ok(existsSync(join(ROOT, dirname(document), target)), `${document} links to ${target}`);
      }
    }
  });
});
