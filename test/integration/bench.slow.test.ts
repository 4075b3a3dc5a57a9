import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../bench/main.ts', import.meta.url));
/** Choices that whoever runs the tests may have made for a benchmark. */
const CHOICES = ['CALLERS', 'SECONDS', 'ROUNDS', 'VALUE_BYTES', 'N', 'RATE'];

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function runBench(...flags: readonly string[]): Promise<Outcome> {
  const environment = { ...process.env };
  for (const name of CHOICES) {
    delete environment[name];
  }
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...flags], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

interface Document {
  readonly format: string;
  readonly cluster: { readonly replicaCount: number; readonly signingKeyBits: number; readonly isSynced: boolean };
  readonly measurements: readonly {
    readonly kind: string;
    readonly acknowledged: number;
    readonly unsent: number;
    readonly lateness: unknown;
    readonly uses: readonly { readonly operations: number; readonly cpuSeconds: number }[];
  }[];
  readonly verification: { readonly acknowledged: number; readonly readBack: number; readonly faults: unknown };
}

describe('the benchmark', function () {
  this.timeout(120_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-bench-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function document(): Document {
    const [file = ''] = readdirSync(directory);
    return JSON.parse(readFileSync(join(directory, file), 'utf8')) as Document;
  }

  it('measures a fresh cluster with all replicas and without one, and finds everything it put', async () => {
    const { code, output } = await runBench('--smoke', '--results', directory);
    assert.equal(code, 0, output);
    const { format, cluster, measurements, verification } = document();
    assert.equal(format, 'pbft-bench/1');
    assert.deepEqual([cluster.replicaCount, cluster.signingKeyBits, cluster.isSynced], [4, 2_048, true]);
    assert.deepEqual(
      measurements.map(({ kind }) => kind),
      ['one caller', 'all replicas', 'one backup dead'],
    );
    assert.deepEqual(
      measurements.map(({ uses }) => uses.length),
      [4, 4, 3],
    );
    const many = measurements[1];
    assert.ok(many !== undefined && many.acknowledged > 0, output);
    assert.ok(many.uses.every(({ operations, cpuSeconds }) => operations > 0 && cpuSeconds > 0));
    assert.ok(verification.acknowledged >= many.acknowledged && verification.readBack > 0);
    assert.deepEqual(verification.faults, []);
    assert.match(output, /RSA-2048[\s\S]*mutual TLS[\s\S]*all replicas at sequence \d+/);
  });

  it('sends at a given rate, through a cluster of one too', async () => {
    const { code, output } = await runBench('--smoke', '--results', directory, '--replicas', '1', '--rate', '50');
    assert.equal(code, 0, output);
    const [alone, open, ...others] = document().measurements;
    assert.equal(alone?.lateness, null);
    assert.ok(open !== undefined && open.lateness !== null, output);
    assert.equal(others.length, 0);
  });

  it('ends with 2 for a wrong choice, and starts nothing', async () => {
    const { code, output } = await runBench('--rate', 'fast');
    assert.equal(code, 2);
    assert.match(output, /--rate is a number[\s\S]*usage: make bench/);
    assert.doesNotMatch(output, /starting/);
  });
});
