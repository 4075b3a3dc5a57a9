/**
 * A cluster of four processes under load from all sides, while replicas are killed. Each load proves in the end that
 * nothing acknowledged was lost and nothing was done twice (cluster-load.ts).
 *
 * PBFT_TEST_PUTS: the puts of the first test; 2,000 where it is not set.
 */
import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { assertClear, awaitAgreement, awaitView, primaryOf, settledSequence } from '../support/cluster-checks.js';
import { ClusterLoad, type LoadOptions } from '../support/cluster-load.js';

const REPLICAS = [0, 1, 2, 3] as const;
const PUTS = Number(process.env['PBFT_TEST_PUTS'] ?? 2_000);
const CALL_TIMEOUT_MS = 3_000;

describe('a cluster of four processes under load', function () {
  this.timeout(60_000 + PUTS * 20);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
  });
  after(() => cluster?.stop());

  const begin = async (options: Partial<LoadOptions> & { readonly prefix: string }): Promise<ClusterLoad> => {
    const load = new ClusterLoad(cluster, { through: REPLICAS, callers: 16, ...options });
    await load.progress(50);
    return load;
  };

  const restart = async (...replicas: number[]): Promise<void> => {
    for (const replica of replicas) {
      cluster.start(replica);
    }
    await cluster.waitReady(replicas);
  };

  it(`does ${PUTS} puts of 64 callers at all replicas once each, and all four replicas agree`, async () => {
    const load = new ClusterLoad(cluster, { prefix: 'all', through: REPLICAS, callers: 64, puts: PUTS });
    await load.done;
    assert.deepEqual(load.failures, []);
    assert.equal(load.acknowledged.size, PUTS);
    const rows = await awaitAgreement(cluster);
    assert.deepEqual(
      rows.map(({ evidence }) => evidence),
      [[], [], [], []],
    );
    await load.verify(2);
    const { tookMs, history } = load;
    const rate = Math.round((history.entries.length / tookMs) * 1_000);
    console.log(`      ${PUTS} puts, ${history.entries.length} calls in ${Math.round(tookMs)} ms: ${rate} a second`);
  });

  it('CR-01: fails no call when a backup is killed, which comes level when it is back', async () => {
    const victim = ((await primaryOf(cluster)) + 3) % 4;
    const load = await begin({ prefix: 'backup', through: REPLICAS.filter((replica) => replica !== victim) });
    await cluster.kill(victim);
    await load.progress(300);
    await restart(victim);
    await load.progress(100);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await awaitAgreement(cluster);
    await load.verify(victim);
  });

  it('CR-02: goes on without the primary within seconds when it is killed, and tells its callers clearly', async () => {
    const victim = await primaryOf(cluster);
    const load = await begin({ prefix: 'primary', timeoutMs: CALL_TIMEOUT_MS });
    await cluster.kill(victim);
    const killedMs = performance.now();
    const before = load.acknowledged.size;
    await load.progress(1);
    const resumedMs = performance.now() - killedMs;
    await load.progress(50);
    assert.ok(load.failures.some(({ replica }) => replica === victim));
    const others = await awaitView(
      cluster,
      REPLICAS.filter((replica) => replica !== victim),
    );
    assert.notEqual(others.primary, victim);
    await restart(victim);
    await load.progress(100);
    await load.stop();
    assertInTime(load);
    await awaitAgreement(cluster);
    await load.verify(victim);
    console.log(
      `      goes on ${Math.round(resumedMs)} ms after the kill in view ${others.view}; ${load.acknowledged.size - before} puts since`,
    );
  });

  it('NET-03: commits nothing with two replicas killed, says so, and goes on when they are back', async () => {
    const load = await begin({ prefix: 'outage', timeoutMs: CALL_TIMEOUT_MS });
    await Promise.all([cluster.kill(1), cluster.kill(2)]);
    const executed = await Promise.all([0, 3].map((replica) => settledSequence(cluster, replica)));
    const error = await cluster
      .client(0)
      .put('nobody', 'agrees', { timeoutMs: 1_000 })
      .then(
        () => assert.fail('two of four replicas committed'),
        (failure) => failure,
      );
    assertClear(error);
    assert.deepEqual(await Promise.all([0, 3].map((replica) => settledSequence(cluster, replica))), executed);
    await restart(1, 2);
    await load.progress(100);
    await load.stop();
    assertInTime(load);
    await awaitAgreement(cluster);
    await load.verify(1);
  });
});

/** Nobody waited longer than the deadline, and everybody was told clearly. */
function assertInTime(load: ClusterLoad): void {
  for (const { error, tookMs } of load.failures) {
    assertClear(error);
    // An increment is two calls.
    assert.ok(tookMs < 2 * CALL_TIMEOUT_MS + 2_000, `${error.message} after ${tookMs} ms`);
  }
}
