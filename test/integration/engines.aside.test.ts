/**
 * Engines and what loads them: the program works without native addons for all but a start, which says one sentence; a
 * replica's data moves to another engine while the others serve.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeRocksDb } from '../../src/storage/engine-choice.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { findBasePort } from '../support/cluster-ports.js';
import { skip } from '../support/skip.js';

const PROGRAM = join(import.meta.dirname, '../../bin/pbft.js');

/** As where neither native addon has a binary for this machine. */
const WITHOUT_ADDONS = `
const Module = require('node:module');
const { _load: load, _resolveFilename: resolveFilename } = Module;
Module._load = function (request, ...rest) {
  if (request === 'node-gyp-build') {
    throw new Error('No native build was found for platform=test');
  }
  return load.call(this, request, ...rest);
};
Module._resolveFilename = function (request, ...rest) {
  if (request === 'rocksdb') {
    throw Object.assign(new Error("Cannot find module 'rocksdb'"), { code: 'MODULE_NOT_FOUND' });
  }
  return resolveFilename.call(this, request, ...rest);
};
`;

function run(line: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...line], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  return { status, text: stdout + stderr };
}

describe('the program where no native addon can be loaded', function () {
  this.timeout(60_000);
  let folder: string;
  let environment: Readonly<Record<string, string>>;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'pbft-addons-'));
    const hook = join(folder, 'without-addons.cjs');
    writeFileSync(hook, WITHOUT_ADDONS);
    environment = { NODE_OPTIONS: `--require ${hook}` };
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('tells its version, helps, makes a cluster and asks for its state', async () => {
    const dir = join(folder, 'cluster');
    const basePort = String(await findBasePort(1));
    for (const line of [['version'], ['--help'], ['init', '--dir', dir, '--replicas', '1', '--base-port', basePort]]) {
      const { status, text } = run(line, environment);
      assert.equal(status, 0, text);
    }
    const asked = run(['status', '--cluster', dir], environment);
    assert.equal(asked.status, 1);
    assert.doesNotMatch(asked.text, /No native build/);
  });

  it('says in one sentence why it does not start, and the validation does too', () => {
    const config = join(folder, 'cluster', 'replica-0', 'config.yaml');
    for (const line of [['start'], ['config', 'validate']]) {
      const { status, text } = run([...line, '--config', config], environment);
      assert.equal(status, 1);
      assert.match(
        text,
        /^pbft: \S+data: LevelDB can't be loaded \(the package classic-level: No native build was found/,
      );
      assert.equal(text.trim().split('\n').length, 1, text);
    }
    assert.deepEqual(readdirSync(join(folder, 'cluster', 'replica-0', 'data')), ['birth.json']);
  });
});

describe('a replica whose data moves to another engine', function () {
  this.timeout(90_000);
  let cluster: TestCluster;

  before(async function () {
    const reason = await probeRocksDb();
    if (reason !== undefined) {
      skip(this, reason);
    }
    cluster = await startCluster({ replicas: 4 });
    await Promise.all(Array.from({ length: 50 }, (_, index) => cluster.client(index % 4).put(`key-${index}`, 'value')));
    await awaitAgreement(cluster);
  });
  after(() => cluster?.stop());

  it('is refused while it runs', () => {
    const { status, text } = run(['convert', '--config', cluster.configurationFile(3), '--engine', 'leveldb']);
    assert.equal(status, 1);
    assert.match(text, /in use by process \d+; stop it first/);
  });

  it('goes on with what it had, agrees with the others, and the status says that engines differ', async () => {
    await cluster.kill(3, 'SIGTERM');
    const { status, text } = run(['convert', '--config', cluster.configurationFile(3), '--engine', 'leveldb']);
    assert.equal(status, 0, text);
    assert.match(text, /^Converted \S+replica-3\/data from rocksdb to leveldb: \d+ entries, \d+ bytes\n$/);
    await cluster.client(0).put('meanwhile', 'value');
    cluster.start(3);
    await cluster.waitReady([3]);
    assert.equal((await cluster.client(3).get('key-7')).value, 'value');
    await awaitAgreement(cluster);
    assert.equal((await cluster.status(3)).storageEngine, 'leveldb');
    const shown = run(['status', '--cluster', cluster.directory]);
    assert.match(shown.text, /Replicas keep their data in different engines: .*replica-3 with leveldb/);
  });
});
