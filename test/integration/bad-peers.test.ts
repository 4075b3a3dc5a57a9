/** A replica that starts, and whose peers are not who it takes them for: who refuses whom, and what both say of it. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/crypto/hash.js';
import { makeCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { makeOddCertificate } from '../support/network-hostile-peer.js';

const OTHERS = [0, 1, 2] as const;
const WITHIN_MS = 20_000;

describe('a replica whose peers are not who it takes them for', function () {
  this.timeout(60_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await makeCluster({ replicas: 4 });
    for (const replica of OTHERS) {
      cluster.start(replica);
    }
    await cluster.waitReady();
  });
  after(() => cluster?.stop());
  afterEach(async () => {
    if (cluster.isRunning(3)) {
      await cluster.kill(3, 'SIGTERM');
    }
  });

  const logged = (replica: number, words: RegExp): Promise<void> =>
    eventually(() => words.test(cluster.logs(replica)), { withinMs: WITHIN_MS, describe: () => cluster.logs(replica) });

  it('OP-01: has no link where its genesis differs; both sides log both values, and the metric is 1', async () => {
    const { environment, own, theirs } = makeOtherGenesis(cluster);
    cluster.start(3, environment);
    const atPeer = new RegExp(`(?=.*peer link ended)(?=.*"mismatch")(?=.*${own})(?=.*${theirs})`);
    await logged(3, atPeer);
    for (const replica of OTHERS) {
      await logged(replica, atPeer);
      const labels = { peer: '3' };
      assert.equal(await readMetric(cluster, replica, { name: 'pbft_config_mismatch', labels }), 1);
      assert.equal(await readMetric(cluster, replica, { name: 'pbft_peer_connected', labels }), 0);
      assert.equal(await readMetric(cluster, 3, { name: 'pbft_config_mismatch', labels: { peer: `${replica}` } }), 1);
    }
    assert.equal((await cluster.client(0).put('without', 'replica 3')).view, 0);
  });

  it('OP-03: names both replicas where the addresses of two peers are swapped, and is served by neither', async () => {
    const [first, second] = cluster.peerPorts;
    cluster.start(3, { PBFT_PEERS_0: `127.0.0.1:${second}`, PBFT_PEERS_1: `127.0.0.1:${first}` });
    await logged(3, /(?=.*peer link ended)(?=.*"identity")(?=.*replica 0)(?=.*replica 1)/);
    assert.equal(await readMetric(cluster, 3, { name: 'pbft_peer_connected', labels: { peer: '0' } }), 0);
    assert.equal(await readMetric(cluster, 3, { name: 'pbft_peer_connected', labels: { peer: '1' } }), 0);
  });

  it('takes part as soon as it is put right', async () => {
    cluster.start(3);
    await cluster.waitReady([3]);
    await cluster.client(3).put('with', 'replica 3');
    await awaitAgreement(cluster);
    for (const replica of OTHERS) {
      assert.equal(await readMetric(cluster, replica, { name: 'pbft_config_mismatch', labels: { peer: '3' } }), 0);
    }
  });
});

/**
 * Replica 3 with its own keys, a genesis of another checkpoint interval, and a certificate of the same authority that names
 * it. (With the certificate that it had it doesn't even start.)
 */
function makeOtherGenesis(cluster: TestCluster) {
  const bytes = readFileSync(join(cluster.directory, 'genesis.json'));
  const genesis = JSON.parse(bytes.toString('utf8'));
  const parameters = { ...genesis.parameters, checkpointInterval: 64 };
  const genesisFile = join(cluster.directory, 'other-genesis.json');
  writeFileSync(genesisFile, JSON.stringify({ ...genesis, parameters }));
  const own = sha256(readFileSync(genesisFile));
  const theirs = sha256(bytes);
  const readKey = (...path: string[]) => createPrivateKey(readFileSync(join(cluster.directory, ...path)));
  const certificateFile = join(cluster.directory, 'other-tls.crt');
  const certificate = makeOddCertificate({
    key: readKey('replica-3', 'tls.key'),
    issuerKey: readKey('ca', 'ca.key'),
    issuerName: `pbft authority ${theirs.slice(0, 16)}`,
    commonName: 'pbft replica 3',
    uris: [`pbft://${own}/replica/3`],
  });
  writeFileSync(certificateFile, certificate);
  // As its own `init` would have left it.
  const dataDirectory = join(cluster.directory, 'other-data');
  const mark: object = JSON.parse(readFileSync(join(cluster.directory, 'replica-3', 'data', 'birth.json'), 'utf8'));
  mkdirSync(dataDirectory, { mode: 0o700 });
  writeFileSync(join(dataDirectory, 'birth.json'), JSON.stringify({ ...mark, clusterId: own }));
  const environment = {
    PBFT_GENESIS_FILE: genesisFile,
    PBFT_TLS_CERTIFICATE_FILE: certificateFile,
    PBFT_DATA_DIRECTORY: dataDirectory,
  };
  return { environment, own, theirs };
}
