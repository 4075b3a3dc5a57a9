/**
 * Starts that an operator got wrong: each ends with code 1 and one line that names what is wrong and what to do, and
 * harms nothing. After all of them the cluster goes on with what it had.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ReplicaProcess } from '../../src/cli/cluster/replica-process.js';
import { generatePrivateKey, privatePem } from '../../src/crypto/keys.js';
import { assertRefused, type Refusal } from '../support/bad-start.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';

const REPLICAS = [0, 1, 2, 3] as const;

describe('a start that the operator got wrong', function () {
  this.timeout(60_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
    await Promise.all(REPLICAS.map((replica) => cluster.client(replica).put(`before-${replica}`, 'kept')));
    await Promise.all(REPLICAS.map((replica) => cluster.kill(replica, 'SIGTERM')));
  });
  after(() => cluster?.stop());

  const fileOf = (name: string, replica = 3): string => join(cluster.directory, `replica-${replica}`, name);

  const refuse = (says: readonly RegExp[], refusal: Partial<Refusal> = {}): Promise<void> =>
    assertRefused(cluster, { replica: 3, says, ...refusal });

  /** Runs with a file that is another one, and puts it back. */
  const withFile = async (name: string, change: (file: string) => void, run: () => Promise<void>): Promise<void> => {
    const file = fileOf(name);
    renameSync(file, `${file}.kept`);
    try {
      copyFileSync(`${file}.kept`, file);
      chmodSync(file, 0o600);
      change(file);
      await run();
    } finally {
      renameSync(`${file}.kept`, file);
    }
  };

  it('is refused for a key of config.yaml that is not known', () =>
    withFile(
      'config.yaml',
      (file) => writeFileSync(file, `${readFileSync(file, 'utf8')}\nagrement:\n  pipeline: 4\n`),
      () => refuse([/config\.yaml: agrement: /, /agreement/]),
    ));

  it('is refused for a value that is out of bounds', () =>
    withFile(
      'config.yaml',
      (file) => writeFileSync(file, `${readFileSync(file, 'utf8')}\nagreement:\n  pipeline: 0\n`),
      () => refuse([/config\.yaml: agreement\.pipeline: /, /1/]),
    ));

  it('MK-02: is refused for a key of 1024 bits', async () => {
    const weak = privatePem(await generatePrivateKey(1_024));
    await withFile(
      'signing.key',
      (file) => writeFileSync(file, weak),
      () => refuse([/signing\.key: /, /1024 bits/, /openssl genpkey/]),
    );
  });

  it('MK-02: is refused for a key that is none', () =>
    withFile(
      'tls.key',
      (file) => writeFileSync(file, 'no key'),
      () => refuse([/tls\.key: /, /PKCS #8/]),
    ));

  it('is refused for a key that is not there', () =>
    withFile('signing.key', rmSync, () => refuse([/signing\.key: the file is missing/])));

  it('MK-06: is refused for a key that others may read', () =>
    withFile(
      'signing.key',
      (file) => chmodSync(file, 0o644),
      () => refuse([/signing\.key: .*0644/, /chmod 600 /]),
    ));

  it("OP-03: is refused for another replica's signing key", () =>
    withFile(
      'signing.key',
      (file) => copyFileSync(fileOf('signing.key', 1), file),
      () =>
        refuse([/signing\.key: this is not the signing key of replica 3/, /Give the key that belongs to replica 3/]),
    ));

  it("OP-03: is refused for another replica's TLS key and certificate", () =>
    withFile(
      'tls.key',
      (file) => copyFileSync(fileOf('tls.key', 1), file),
      () =>
        withFile(
          'tls.crt',
          (file) => copyFileSync(fileOf('tls.crt', 1), file),
          () => refuse([/tls\.(?:key|crt): /, /replica 3/]),
        ),
    ));

  it('is refused for a replica that the genesis does not have', () =>
    refuse([/has replicas 0 to 3, not 7/, /Correct `replica` or `genesisFile`/], {
      environment: { PBFT_REPLICA: '7' },
    }));

  it('OP-01: is refused for a genesis that differs from the one of its data', async () => {
    const genesis = JSON.parse(readFileSync(join(cluster.directory, 'genesis.json'), 'utf8'));
    const file = fileOf('other-genesis.json');
    const parameters = { ...genesis.parameters, checkpointInterval: 64 };
    writeFileSync(file, JSON.stringify({ ...genesis, parameters }));
    await refuse([/cluster/, /[0-9a-f]{16}/], { environment: { PBFT_GENESIS_FILE: file } });
    rmSync(file);
  });

  it("OP-02: is refused for another replica's data directory, with both named", () =>
    refuse([/replica/, /\b2\b/, /\b3\b/], {
      environment: { PBFT_DATA_DIRECTORY: fileOf('data', 2) },
      folder: fileOf('data', 2),
    }));

  it('is refused for a data directory that a running replica has open', async () => {
    const { pid } = cluster.start(2);
    const opened = fileOf('data/process-id', 2);
    await eventually(() => existsSync(opened), { withinMs: 20_000, describe: () => cluster.logs(2) });
    const lines: string[] = [];
    const second = new ReplicaProcess({
      configurationFile: cluster.configurationFile(2),
      environment: process.env,
      output: { onLine: (line) => lines.push(line) },
    });
    const end = await second.ended;
    await cluster.kill(2, 'SIGTERM');
    assert.match(end.text, /^it ended with code 1: /, lines.join('\n'));
    assert.match(end.text, new RegExp(`replica-2/data is in use by process ${pid}; stop it first`));
  });

  for (const port of ['CLIENT', 'PEER', 'HTTP'] as const) {
    it(`is refused for a port that is in use: ${port.toLowerCase()}`, async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const bound = other.address();
      const inUse = typeof bound === 'object' && bound !== null ? bound.port : 0;
      try {
        const end = await cluster.start(3, { [`PBFT_LISTEN_${port}`]: `127.0.0.1:${inUse}` }).ended;
        assert.match(end.text, /^it ended with code 1: /, cluster.logs(3));
        assert.match(end.text, new RegExp(`127\\.0\\.0\\.1:${inUse}: another process uses the port`));
        assert.match(end.text, new RegExp(`listen\\.${port.toLowerCase()}`));
      } finally {
        other.close();
      }
    });
  }

  it('OP-02: harms nothing: the cluster goes on with what it had', async () => {
    for (const replica of REPLICAS) {
      cluster.start(replica);
    }
    await cluster.waitReady();
    for (const replica of REPLICAS) {
      assert.equal((await cluster.client(3 - replica).get(`before-${replica}`)).value, 'kept');
    }
    await awaitAgreement(cluster);
  });
});
