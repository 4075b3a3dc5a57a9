/** A replica as a process of an operating system: the signals it gets, and how it ends. */
import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { ClusterLoad } from '../support/cluster-load.js';

const REPLICAS = [0, 1, 2, 3] as const;
const CALLERS = 32;
const PUTS = 300;
const ROUNDS = 2;

describe('the process of a replica', function () {
  this.timeout(120_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
  });
  after(() => cluster?.stop());

  it('goes on at SIGUSR1, and opens no debugger to whoever is on the machine', async () => {
    await cluster.kill(2, 'SIGUSR1');
    await cluster.client(2).put('after', 'the signal');
    assert.ok(cluster.isRunning(2));
    assert.doesNotMatch(cluster.logs(2), /[Dd]ebugger/);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`FU-12: ends with code 0 when ${signal} stops all under load, and loses nothing, ${ROUNDS} times`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const prefix = `${signal}-${round}`;
        const load = new ClusterLoad(cluster, { prefix, through: REPLICAS, callers: CALLERS, timeoutMs: 5_000 });
        await load.progress(PUTS, 60_000);
        const ends = await Promise.all(REPLICAS.map((replica) => cluster.kill(replica, signal)));
        assert.deepEqual(
          ends.map((end) => end?.text),
          REPLICAS.map(() => 'it stopped'),
        );
        for (const replica of REPLICAS) {
          cluster.start(replica);
        }
        await cluster.waitReady();
        await load.stop();
        await awaitAgreement(cluster);
        await load.verify(round);
      }
    });
  }
});
