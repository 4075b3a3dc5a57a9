import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/cli/context.js';
import { run } from '../../../src/cli/main.js';
import { createColours } from '../../../src/cli/output/colours.js';
import { initializeCluster } from '../../../src/replica/initialize.js';

/** Runs a command line in this process. */
async function runLine(line: readonly string[], environment: Context['environment'] = {}) {
  let out = '';
  let errors = '';
  const context: Context = {
    out: (text) => {
      out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
    },
    note: (text) => {
      errors += `${text}\n`;
    },
    colours: createColours(false),
    isInteractive: false,
    environment,
    exitCode: 0,
  };
  const code = await run(['node', 'pbft', ...line], context);
  return { code, out, errors };
}

describe('the command line', () => {
  it('lists all commands on request, and says its version', async () => {
    const { code, out } = await runLine(['--help']);
    assert.equal(code, 0);
    for (const name of 'init start cluster status put get delete cas range submit version config keys'.split(' ')) {
      assert.match(out, new RegExp(`^  ${name}\\b`, 'm'));
    }
    assert.match((await runLine(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
    const json = JSON.parse((await runLine(['version', '--json'])).out) as Record<string, unknown>;
    assert.deepEqual(Object.keys(json), ['version', 'protocolVersion', 'node']);
  });

  const MISUSED: readonly (readonly string[])[] = [
    ['frobnicate'],
    ['put'],
    ['put', 'key', '--address', '127.0.0.1:1'],
    ['put', 'key', 'value', '--file', 'x', '--address', '127.0.0.1:1'],
    ['put', 'key', 'value', '--address', 'nowhere'],
    ['put', 'key', 'value', '--address', '127.0.0.1:1', '--cluster', 'x'],
    ['put', 'key', 'value', '--address', '127.0.0.1:1', '--server-name', 'x'],
    ['put', 'key', 'value', '--timeout', '0', '--address', '127.0.0.1:1'],
    ['get', 'key', '--raw', '--json', '--address', '127.0.0.1:1'],
    ['cas', 'key', 'value', '--address', '127.0.0.1:1'],
    ['cas', 'key', 'value', '--absent', '--expect', 'x', '--address', '127.0.0.1:1'],
    ['cas', 'key', 'value', '--expect', 'x', '--expect-hex', '00', '--address', '127.0.0.1:1'],
    ['cas', 'key', '--file', '-', '--expect-file', '-', '--address', '127.0.0.1:1'],
    ['cas', 'key', 'value', '--expect-version', '9007199254740992', '--address', '127.0.0.1:1'],
    ['put', 'key', 'xyz', '--hex', '--address', '127.0.0.1:1'],
    ['put', 'key', '6162', '--hex', '--base64', '--address', '127.0.0.1:1'],
    ['init', '--host', 'a', '--host', 'b'],
    ['init', '--host', 'replica-0=a'],
    ['range', '--limit', '0', '--address', '127.0.0.1:1'],
    ['submit', 'not base64!', '--address', '127.0.0.1:1'],
    ['submit', 'abc', '--hex', '--address', '127.0.0.1:1'],
    ['submit', '--address', '127.0.0.1:1'],
    ['init', '--replicas', '3'],
    ['init', '--base-port', '70000'],
    ['cluster', '--stop', '--detach'],
    ['cluster', '--byzantine', '2'],
    ['cluster', '--byzantine', '2=charming'],
    ['cluster', '--byzantine', '2=silent=delay'],
    ['cluster', '--byzantine', '9=silent'],
    ['cluster', '--byzantine', '2=silent', '--byzantine', '2=delay'],
    ['cluster', '--byzantine', '1=silent,2=delay'],
    ['cluster', '--byzantine', '2=silent', '--stop'],
    ['traitor', 'start', '--kind', 'charming'],
    ['start', '--byzantine', '2=silent'],
    ['start'],
    ['config', 'print'],
    ['config', 'print', '--set', 'nothing'],
    ['get', 'key', '--address', '127.0.0.1:1', '--timeout', '1', '--timeout', '2'],
    ['put', 'key', '--file', 'x', '--file', 'y', '--address', '127.0.0.1:1'],
    ['start', '--config', 'x', '--config', 'y'],
    ['init', '--base-port', '8000', '--base-port', '9000'],
  ];
  for (const line of MISUSED) {
    it(`ends with 2 for: pbft ${line.join(' ')}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'pbft-misused-'));
      try {
        const where = line[0] === 'init' || line[0] === 'cluster' ? ['--dir', join(directory, 'new')] : [];
        const { code, out, errors } = await runLine([...line, ...where]);
        assert.equal(code, 2, errors);
        assert.equal(out, '');
        assert.notEqual(errors, '');
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  it('lists the kinds of traitors where it does not know one, and makes no cluster', async () => {
    const directory = join(tmpdir(), 'pbft-never-made');
    const { errors } = await runLine(['cluster', '--dir', directory, '--byzantine', '2=charming']);
    for (const kind of ['silent', 'equivocate', 'delay', 'corrupt', 'lie-to-clients', 'censor', 'slow']) {
      assert.match(errors, new RegExp(`^  ${kind} +[a-z]`, 'm'));
    }
    assert.equal(existsSync(directory), false);
  });

  it('names the folder in which there is no cluster', async () => {
    const { code, errors } = await runLine(['status', '--cluster', '/nowhere/at-all']);
    assert.equal(code, 1);
    assert.match(errors, /^pbft: there is no cluster in \/nowhere\/at-all/);
    const preset = await runLine(['get', 'key'], { PBFT_CLUSTER: '/nowhere/else' });
    assert.match(preset.errors, /\/nowhere\/else/);
  });
});

describe("commands about a replica's configuration", () => {
  let directory: string;
  let file: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-configured-'));
    const { replicas } = await initializeCluster({ directory });
    file = replicas[1]?.configurationFile ?? '';
  });
  after(() => rmSync(directory, { recursive: true }));

  it('print each setting with where it comes from: flags over the environment over the file', async () => {
    const line = ['config', 'print', '--json', '--config', file, '--set', 'agreement.pipeline=3'];
    const environment = { PBFT_AGREEMENT_PIPELINE: '5', PBFT_LOG_LEVEL: 'debug' };
    const { code, out } = await runLine(line, environment);
    assert.equal(code, 0);
    const settings = JSON.parse(out) as { path: string; value: unknown; source: string }[];
    const found = (wanted: string) => settings.find(({ path }) => path === wanted);
    assert.deepEqual([found('agreement.pipeline')?.value, found('agreement.pipeline')?.source], [3, 'flag']);
    assert.deepEqual([found('logLevel')?.value, found('logLevel')?.source], ['debug', 'environment']);
    assert.equal(found('replica')?.source, 'file');
  });

  it('validate what a start would check, and say all that is wrong', async () => {
    const valid = await runLine(['config', 'validate'], { PBFT_CONFIG: file });
    assert.equal(valid.code, 0);
    assert.match(valid.out, /^Valid: replica 1 \(replica-1\)/);
    const invalid = await runLine(['config', 'validate', '--config', file], { PBFT_LOG_LEVEL: 'loud', PBFT_X: '1' });
    assert.equal(invalid.code, 1);
    assert.match(invalid.errors, /PBFT_LOG_LEVEL/);
    assert.match(invalid.errors, /PBFT_X/);
  });

  it('make nothing over what is there', async () => {
    const { code, errors } = await runLine(['init', '--dir', directory]);
    assert.equal(code, 1);
    assert.match(errors, /there is a cluster in this folder already/);
  });
});
