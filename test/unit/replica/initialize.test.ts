/** Making a cluster: what is written, that nothing is overwritten, and what an error leaves. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { sha256 } from '../../../src/crypto/hash.js';
import { loadPrivateKey } from '../../../src/crypto/key-files.js';
import { computeClientId } from '../../../src/crypto/keys.js';
import {
  type InitializedCluster,
  type InitializeProgress,
  initializeCluster,
  isInitialized,
} from '../../../src/replica/initialize.js';
import { loadClusterGenesis, loadReplicaFiles } from '../../../src/replica/initialize-check.js';
import type { InitializeOptions } from '../../../src/replica/initialize-plan.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';

const NAMES = ['Apple', 'MS', 'Google', 'IBM'];

/** All files and folders below a folder, by relative path, with their modes. */
function listTree(directory: string): Map<string, number> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(names.map((name) => [name, statSync(join(directory, name)).mode & 0o777]));
}

async function refusalOf(options: InitializeOptions): Promise<ConfigurationError> {
  try {
    await initializeCluster(options);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.notEqual(error.remedy, '');
    return error;
  }
  return assert.fail('it was made');
}

describe('a new cluster', () => {
  let base: string;
  let directory: string;
  let cluster: InitializedCluster;
  const progress: InitializeProgress[] = [];

  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'pbft-initialize-'));
    directory = join(base, 'deep', 'cluster');
    const options = { directory, names: NAMES, clusterName: 'four friends', basePort: 9_000 };
    cluster = await initializeCluster(options, (step) => progress.push(step));
  });

  after(() => {
    rmSync(base, { recursive: true });
  });

  it('has a genesis, an authority, a folder a replica and one for a client, private where it matters', () => {
    const expected = new Map([
      ['ca', 0o700],
      ['ca/ca.crt', 0o644],
      ['ca/ca.key', 0o600],
      ['client-0', 0o700],
      ['client-0/ca.crt', 0o644],
      ['client-0/client.key', 0o600],
      ['genesis.json', 0o644],
    ]);
    for (const id of NAMES.keys()) {
      expected.set(`replica-${id}`, 0o700);
      expected.set(`replica-${id}/data`, 0o700);
      expected.set(`replica-${id}/data/birth.json`, 0o600);
      for (const [name, mode] of [
        ['ca.crt', 0o644],
        ['config.yaml', 0o644],
        ['signing.key', 0o600],
      ] as const) {
        expected.set(`replica-${id}/${name}`, mode);
      }
      expected.set(`replica-${id}/tls.crt`, 0o644);
      expected.set(`replica-${id}/tls.key`, 0o600);
    }
    assert.deepEqual(listTree(directory), expected);
    assert.equal(isInitialized(directory), true);
  });

  it('has a genesis with the names, the default parameters and the client', () => {
    const genesis = loadClusterGenesis(directory);
    assert.deepEqual(
      genesis.replicas.map(({ name }) => name),
      NAMES,
    );
    assert.equal(genesis.clusterName, 'four friends');
    assert.equal(genesis.application, 'key-value');
    assert.equal(genesis.parameters.checkpointInterval, 128);
    assert.equal(genesis.clusterId, sha256(readFileSync(cluster.genesisFile)));
    assert.equal(genesis.clusterId, cluster.clusterId);
    const clientKey = loadPrivateKey(join(cluster.clientDirectory, 'client.key'));
    assert.equal(genesis.clients[0]?.id, computeClientId(clientKey));
    assert.ok(!readFileSync(cluster.genesisFile, 'utf8').includes('127.0.0.1'));
  });

  it('has replicas that load, each with its own ports and every address', () => {
    for (const [id, replica] of cluster.replicas.entries()) {
      const { configuration, genesis, keys, clientTls } = loadReplicaFiles({ file: replica.configurationFile });
      assert.equal(configuration.replica, id);
      assert.equal(genesis.clusterId, cluster.clusterId);
      assert.deepEqual(configuration.listen, {
        client: { host: '127.0.0.1', port: 9_000 + id },
        peer: { host: '127.0.0.1', port: 9_100 + id },
        http: { host: '127.0.0.1', port: 9_200 + id },
      });
      assert.deepEqual(configuration.listen, replica.listen);
      assert.deepEqual(Object.keys(configuration.peers), ['0', '1', '2', '3']);
      assert.equal(configuration.dataDirectory, join(replica.directory, 'data'));
      assert.equal(configuration.genesisFile, cluster.genesisFile);
      assert.match(keys.tls.keyPem, /PRIVATE KEY/);
      assert.equal(clientTls, undefined);
    }
  });

  it('OP-03 has replicas that refuse the key, certificate or id of another', () => {
    const [first, second] = cluster.replicas;
    assert.ok(first && second);
    const file = first.configurationFile;
    const cases: readonly Record<string, string>[] = [
      { signingKeyFile: join(second.directory, 'signing.key') },
      { 'tls.keyFile': join(second.directory, 'tls.key') },
      { 'tls.certificateFile': join(second.directory, 'tls.crt') },
      { 'tls.keyFile': join(second.directory, 'tls.key'), 'tls.certificateFile': join(second.directory, 'tls.crt') },
      { replica: '1' },
      { replica: '4' },
    ];
    for (const flags of cases) {
      assert.throws(() => loadReplicaFiles({ file, flags }), ConfigurationError, JSON.stringify(flags));
    }
    loadReplicaFiles({ file });
  });

  it('has a configuration whose commented defaults are the real ones', () => {
    const file = cluster.replicas[0]?.configurationFile ?? '';
    const text = readFileSync(file, 'utf8');
    const [head = '', tail = ''] = text.split('# What follows are the defaults.');
    const lines = tail.split('\n').slice(1);
    const uncommented = lines.map((line) => line.replace(/^# (?=\w+:$| )/, '')).filter((line) => !/File:$/.test(line));
    const whole = join(base, 'whole.yaml');
    writeFileSync(whole, `${head}\n${uncommented.join('\n')}`);
    const given = loadConfiguration({ file: whole });
    assert.ok([...given.origins.keys()].filter((path) => path.startsWith('agreement.')).length >= 7);
    assert.deepEqual(given.configuration.agreement, loadConfiguration({ file }).configuration.agreement);
    assert.deepEqual(given.configuration.queues, loadConfiguration({ file }).configuration.queues);
    assert.deepEqual(given.configuration.storage, loadConfiguration({ file }).configuration.storage);
    assert.ok(text.split('\n').every((line) => line.length <= 120));
    assert.match(text, /1: "127\.0\.0\.1:9101" {2}# MS/);
  });

  it('tells how far it is, up to the end of every step', () => {
    const steps = ['keys', 'certificates', 'files', 'checks'] as const;
    for (const step of steps) {
      const own = progress.filter((one) => one.step === step);
      assert.deepEqual(own.at(-1)?.completed, own.at(-1)?.total, step);
      assert.deepEqual(
        own.map(({ completed }) => completed),
        own.map((_, index) => index + 1),
      );
    }
  });

  it('is never overwritten: the error names the genesis', async () => {
    const before = readFileSync(cluster.genesisFile);
    const error = await refusalOf({ directory });
    assert.equal(error.file, cluster.genesisFile);
    assert.match(error.message, /a cluster in this folder already/);
    assert.deepEqual(readFileSync(cluster.genesisFile), before);
    loadReplicaFiles({ file: cluster.replicas[3]?.configurationFile ?? '' });
  });
});

describe('making a cluster', () => {
  let base: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'pbft-initialize-'));
  });

  afterEach(() => {
    chmodSync(base, 0o700);
    rmSync(base, { recursive: true });
  });

  it('takes an empty folder, and makes one replica for development', async () => {
    mkdirSync(join(base, 'lost+found'));
    const cluster = await initializeCluster({ directory: base, replicaCount: 1, parameters: { clockDriftMs: 500 } });
    const { genesis } = loadReplicaFiles({ file: cluster.replicas[0]?.configurationFile ?? '' });
    assert.equal(genesis.replicas[0]?.name, 'replica-0');
    assert.equal(genesis.parameters.clockDriftMs, 500);
  });

  it('leaves a folder with anything else in it alone', async () => {
    writeFileSync(join(base, 'notes.txt'), 'mine');
    const error = await refusalOf({ directory: base });
    assert.equal(error.file, join(base, 'notes.txt'));
    assert.deepEqual([...listTree(base).keys()], ['notes.txt']);
    const file = await refusalOf({ directory: join(base, 'notes.txt') });
    assert.equal(file.file, join(base, 'notes.txt'));
  });

  it('tells a folder whose making was cut short, and leaves it', async () => {
    writeFileSync(join(base, '.initializing'), '');
    mkdirSync(join(base, 'replica-0'));
    const error = await refusalOf({ directory: base });
    assert.match(error.message, /did not finish/);
    assert.match(error.remedy, new RegExp(`rm -r -- ${base}`));
    assert.equal(isInitialized(base), false);
    assert.ok(existsSync(join(base, 'replica-0')));
  });

  it('refuses a second one in the same folder at the same time', async () => {
    const directory = join(base, 'both');
    const results = await Promise.allSettled([
      initializeCluster({ directory, replicaCount: 1 }),
      initializeCluster({ directory, replicaCount: 1 }),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    loadReplicaFiles({ file: join(directory, 'replica-0', 'config.yaml') });
  });

  it('removes what it made when a step fails, and nothing else', async () => {
    const directory = join(base, 'new', 'cluster');
    const tooNarrow = { batchBytesMax: 128 * 1024 * 1024 };
    const error = await refusalOf({ directory, replicaCount: 1, parameters: tooNarrow });
    assert.match(error.message, /bytes/);
    assert.deepEqual(readdirSync(base), []);
    mkdirSync(directory, { recursive: true });
    await refusalOf({ directory, replicaCount: 1, parameters: tooNarrow });
    assert.deepEqual([...listTree(base).keys()], ['new', 'new/cluster']);
  });

  it('refuses options that do not fit before it makes anything', async () => {
    const directory = join(base, 'cluster');
    const cases: readonly [Partial<InitializeOptions>, string, RegExp][] = [
      [{ replicaCount: 3 }, 'replicaCount', /not 3/],
      [{ names: ['a', 'b'] }, 'replicaCount', /not 2/],
      [{ names: ['a', 'b', 'c', 'a'] }, 'names', /`a` stands there twice/],
      [{ names: ['a', 'b', 'c', 'd\n'] }, 'names', /no name/],
      [{ names: ['a', 'b', 'c', 'd'], replicaCount: 5 }, 'names', /4 names for 5/],
      [{ basePort: 0 }, 'basePort', /base port 0/],
      [{ basePort: 65_333 }, 'basePort', /65333/],
      [{ host: '0.0.0.0' }, 'host', /0\.0\.0\.0/],
      [{ host: 'a b' }, 'host', /a b/],
    ];
    for (const [options, path, message] of cases) {
      const error = await refusalOf({ directory, ...options });
      assert.equal(error.path, path);
      assert.match(error.message, message);
      assert.equal(existsSync(directory), false);
    }
  });

  it('beyond loopback serves callers with TLS, by a certificate with the name of the host', async () => {
    const options = { directory: join(base, 'cluster'), replicaCount: 1, host: 'pbft.example' };
    const cluster = await initializeCluster(options);
    const { configuration, clientTls } = loadReplicaFiles({ file: cluster.replicas[0]?.configurationFile ?? '' });
    assert.equal(configuration.listen.client.host, 'pbft.example');
    assert.equal(configuration.listen.http.host, '127.0.0.1');
    assert.equal(configuration.clients.allowPlaintext, false);
    assert.ok(clientTls);
    assert.equal(new X509Certificate(clientTls.certificatePem).checkHost('pbft.example'), 'pbft.example');
  });
});
