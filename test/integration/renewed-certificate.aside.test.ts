/** The recipe for certificates in the operations guide, with real processes: renew, restart, nobody else has to know. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';

const PROGRAM = new URL('../../bin/pbft.js', import.meta.url).pathname;

describe('certificates of a running cluster', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ replicas: 4 });
  });
  after(() => cluster?.stop());

  const expiryOf = (replica: number, certificate: string): Promise<number> =>
    readMetric(cluster, replica, { name: 'pbft_certificate_expiry_timestamp_seconds', labels: { certificate } });

  function renew(...flags: string[]): string {
    const line = [PROGRAM, 'keys', 'renew', '--dir', cluster.directory, ...flags];
    return execFileSync(process.execPath, line, { encoding: 'utf8' });
  }

  async function isLinkedToAll(replica: number): Promise<boolean> {
    try {
      const { peers } = await cluster.status(replica);
      return peers.length === 3 && peers.every(({ connected }) => connected);
    } catch {
      // It doesn't listen yet.
      return false;
    }
  }

  it('are told by their end, renewed under the same key, and used after a restart by all links', async () => {
    const [peerBefore, authority] = [await expiryOf(2, 'peer'), await expiryOf(2, 'authority')];
    const file = join(cluster.directory, 'replica-2', 'tls.crt');
    assert.equal(peerBefore * 1_000, Date.parse(new X509Certificate(readFileSync(file)).validTo));
    assert.ok(authority > peerBefore);
    await cluster.client(0).put('before', 'renewal');
    // A certificate counts whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.match(renew('--replica', '2'), /Restart replica-2: until then the old certificate is used\./);
    assert.equal(await expiryOf(2, 'peer'), peerBefore, 'what is in use is told, not what lies in the file');
    await cluster.kill(2, 'SIGTERM');
    await cluster.start(2);
    await eventually(() => isLinkedToAll(2), { withinMs: 20_000, describe: () => 'replica 2 is not linked to all' });
    const peerAfter = await expiryOf(2, 'peer');
    assert.ok(peerAfter > peerBefore, `${peerAfter} after ${peerBefore}`);
    await cluster.client(2).put('after', 'renewal');
    await awaitAgreement(cluster);
  });

  it('go on under a renewed authority, whichever replicas have started with it already', async () => {
    const before = await expiryOf(0, 'authority');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.match(renew('--authority'), /one after the other, each when the last is ready/);
    for (const replica of [1, 3]) {
      await cluster.kill(replica, 'SIGTERM');
      await cluster.start(replica);
      await eventually(() => isLinkedToAll(replica), { withinMs: 20_000, describe: () => `${replica} is not linked` });
    }
    assert.ok((await expiryOf(1, 'authority')) > before);
    assert.equal(await expiryOf(0, 'authority'), before);
    await cluster.client(1).put('mixed', 'authorities');
    await awaitAgreement(cluster);
  });
});
