/** FU-02: a second process with a replica's identity, as after its data was copied to another machine. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ReplicaProcess } from '../../src/cli/cluster/replica-process.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { findBasePort } from '../support/cluster-ports.js';

const TWIN = 2;

describe('a second process with the identity of a replica', function () {
  this.timeout(90_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
    await cluster.client(0).put('before', 'the copy');
    await cluster.kill(TWIN, 'SIGTERM');
    cpSync(join(cluster.directory, `replica-${TWIN}`), join(cluster.directory, 'twin'), { recursive: true });
    cluster.start(TWIN);
    await cluster.waitReady();
  });
  after(() => cluster?.stop());

  /** Starts the copy on ports of its own. */
  async function startTwin(): Promise<{ readonly process: ReplicaProcess; readonly lines: string[] }> {
    const port = await findBasePort(4);
    const lines: string[] = [];
    const configurationFile = join(cluster.directory, 'twin', 'config.yaml');
    const flags = ['client', 'peer', 'http'].flatMap((name, index) => [
      '--set',
      `listen.${name}=127.0.0.1:${port + index}`,
    ]);
    const options = { configurationFile, environment: process.env, flags };
    return { process: new ReplicaProcess({ ...options, output: { onLine: (line) => lines.push(line) } }), lines };
  }

  it('FU-02: does not start, says where the other is, and ends with code 5; the cluster serves on', async () => {
    const { process, lines } = await startTwin();
    const end = await process.ended;
    assert.match(end.text, /^it ended with code 5: another process runs as replica 2: replica \d has its link from/);
    assert.match(lines.join('\n'), /never run two with one identity/);
    const metric = { name: 'pbft_identity_conflicts_total', labels: { peer: `${TWIN}` } };
    const counts = await Promise.all([0, 1, 3].map((replica) => readMetric(cluster, replica, metric)));
    assert.ok(counts.filter((count) => count >= 1).length >= 2, `${counts}`);
    assert.match(cluster.logs(0) + cluster.logs(1) + cluster.logs(3), /two processes run as one replica/);
    await cluster.client(TWIN).put('after', 'the twin');
    await awaitAgreement(cluster);
    assert.equal((await cluster.status(0)).view, 0);
  });

  it('FU-02: and the replica itself starts again as soon as it was killed', async () => {
    await cluster.kill(TWIN, 'SIGKILL');
    const startMs = performance.now();
    cluster.start(TWIN);
    await cluster.waitReady();
    assert.ok(performance.now() - startMs < 20_000);
    await cluster.kill(TWIN, 'SIGTERM');
    rmSync(join(cluster.directory, 'twin'), { recursive: true });
    cpSync(join(cluster.directory, `replica-${TWIN}`), join(cluster.directory, 'twin'), { recursive: true });
    const { process, lines } = await startTwin();
    await eventually(() => lines.some((line) => line.includes('"serving"')), {
      withinMs: 30_000,
      describe: () => `with the first one stopped the copy is that replica:\n${lines.join('\n')}`,
    });
    process.signal('SIGTERM');
    assert.equal((await process.ended).text, 'it stopped', lines.join('\n'));
  });
});
