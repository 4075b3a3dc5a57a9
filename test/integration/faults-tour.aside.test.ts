import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RunningCommand } from '../support/cluster-command.js';
import { normalizeOutput, readConsoleSteps } from '../support/cluster-console.js';
import { findBasePort } from '../support/cluster-ports.js';
import { skip } from '../support/skip.js';

const ROOT = resolve(import.meta.dirname, '../..');
const STEPS = readConsoleSteps(readFileSync(join(ROOT, 'docs/faults-tour.md'), 'utf8'));

/** What is asked again until it is as told: links come back, and the last to execute does so, a moment later. */
const IS_QUESTION = /pbft (?:status|get)|^curl/;
const SETTLE_MAX_MS = 40_000;
const ASK_INTERVAL_MS = 300;

/** A busy machine may need a view more, and evidence comes in any order: both are alike, as is what differs anyway. */
function normalizeTour(output: string): string {
  return normalizeOutput(output)
    .replace(/\/\S*pbft-tour-\w+|\/\S*\.cluster|\.cluster/g, '<dir>')
    .replace(/\b(view|sequence) \d+/g, '$1 <number>')
    .replace(/^(\d replica-\d) \d+ (?:primary|backup) \S+ (<digest>) \d+/gm, '$1 <view> <role> <number> $2 <number>')
    .replace(/\b3: (?:(?:pre_prepare|prepare|commit|checkpoint|view_change|new_view)(?:, )?)+/g, '3: <kinds>')
    .replace(/two different \w+ messages (?:at|for) view <number>(?:, sequence <number>)?/g, '<two statements>')
    .replace(/^(pbft_evidence)\{kind="\w+",peer="3"\} \d+$/gm, '$1')
    .replace(/\d+(?:\.\d+)? s\b/g, '<time>')
    .replace(/\bwaits for .*$/gm, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line, index, lines) => line !== lines[index - 1])
    .join('\n');
}

/** Whether this is what the document shows; a line `…` of it stands for any lines. */
function isAsShown(output: string, shown: string): boolean {
  const parts = normalizeTour(shown)
    .split('…')
    .map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`).test(normalizeTour(output));
}

describe('the commands of the faults tour', function () {
  this.timeout(120_000);
  let directory: string;
  let basePort: number;
  let hasFailed = false;

  /** The command for the cluster of this test instead of the one in `.cluster`. */
  const here = (command: string): string =>
    command
      .replace(/\b7([4-6]\d\d)\b/g, (_, port: string) => `${basePort + Number(port) - 400}`)
      .replace(/^make (cluster(?:-stop)?)/, `make --no-print-directory $1 DIR='${directory}' BASE_PORT=${basePort}`)
      .replace(/npx --no pbft (cluster)?/, (_, isCluster?: string) =>
        isCluster === undefined ? `node bin/pbft.js ` : `node bin/pbft.js cluster --dir '${directory}'`,
      )
      .replace(/(?:\.\/)?\.cluster\//g, `${directory}/`);
  const run = async (command: string): Promise<string> => {
    const { out } = await new RunningCommand('sh', ['-c', `{ ${here(command)}\n} 2>&1`], { PBFT_CLUSTER: directory })
      .ended;
    return out;
  };

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-tour-'));
    basePort = await findBasePort(4);
  });
  after(async () => {
    // A paused replica can't stop.
    await run(
      `for pid in $(node -p "require('./.cluster/cluster.json').replicas.map((each) => each.pid).join(' ')"); do kill -CONT $pid; done`,
    );
    await run('make cluster-stop');
    await run('kill $(cat .cluster/proxy.pid)');
    rmSync(directory, { recursive: true, force: true });
  });

  it('are those of a whole tour', () => {
    assert.ok(STEPS.length >= 30);
  });

  for (const [index, { command, output }] of STEPS.entries()) {
    it(`print what it says: ${index + 1}. ${command}`, async function () {
      if (hasFailed) {
        skip(this, 'a step before it failed');
      }
      if (command.startsWith('curl') && spawnSync('curl', ['--version']).error !== undefined) {
        skip(this, 'curl is not installed');
      }
      const untilMs = Date.now() + (IS_QUESTION.test(command) ? SETTLE_MAX_MS : 0);
      let printed = await run(command);
      while (!isAsShown(printed, output) && Date.now() < untilMs) {
        await delay(ASK_INTERVAL_MS);
        printed = await run(command);
      }
      hasFailed = !isAsShown(printed, output);
      assert.ok(!hasFailed, `printed\n${normalizeTour(printed)}\nand the document says\n${normalizeTour(output)}`);
    });
  }
});
