/**
 * Replicas that are killed again and again, and one that missed more than the others keep: the long ones. Every round
 * ends with all four at the same header and everything acknowledged read back (cluster-load.ts).
 *
 * PBFT_TEST_ROUNDS: rounds in which all are killed; 2 where it is not set.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { assertClear, awaitAgreement, primaryOf } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { ClusterLoad } from '../support/cluster-load.js';

const REPLICAS = [0, 1, 2, 3] as const;
const ROUNDS = Number(process.env['PBFT_TEST_ROUNDS'] ?? 2);
const RANDOM_KILLS = 8;
const CALL_TIMEOUT_MS = 3_000;
const PROGRESS_WITHIN_MS = 30_000;

async function startAll(cluster: TestCluster): Promise<number> {
  const startMs = performance.now();
  for (const replica of REPLICAS) {
    cluster.start(replica);
  }
  await cluster.waitReady(REPLICAS);
  return performance.now() - startMs;
}

/** Ends the load and proves it, with every replica at the same place. */
async function conclude(cluster: TestCluster, load: ClusterLoad, readAt: number): Promise<void> {
  await load.stop();
  for (const { error } of load.failures) {
    assertClear(error);
  }
  await awaitAgreement(cluster);
  await load.verify(readAt);
}

describe('a cluster whose replicas are killed again and again', function () {
  this.timeout(120_000 + ROUNDS * 30_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
  });
  after(() => cluster?.stop());

  it(`CR-03: keeps all that it acknowledged when all four are killed under load, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const load = new ClusterLoad(cluster, {
        prefix: `round-${round}`,
        through: REPLICAS,
        callers: 32,
        timeoutMs: CALL_TIMEOUT_MS,
      });
      await load.progress(100 + randomInt(200));
      await Promise.all(REPLICAS.map((replica) => cluster.kill(replica)));
      const tookMs = await startAll(cluster);
      await load.progress(20);
      await conclude(cluster, load, round % 4);
      console.log(
        `      round ${round}: ${load.acknowledged.size} puts; serves ${Math.round(tookMs)} ms after the start`,
      );
    }
  });

  it(`CR-01, CR-02: keeps all that it acknowledged when random replicas are killed, ${RANDOM_KILLS} times`, async () => {
    const load = new ClusterLoad(cluster, {
      prefix: 'random',
      through: REPLICAS,
      callers: 16,
      timeoutMs: CALL_TIMEOUT_MS,
    });
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      await load.progress(20 + randomInt(60));
      const victim = randomInt(4);
      await cluster.kill(victim);
      const startMs = performance.now();
      cluster.start(victim);
      await cluster.waitReady([victim]);
      console.log(`      replica ${victim} serves ${Math.round(performance.now() - startMs)} ms after its start`);
    }
    await load.progress(50);
    await conclude(cluster, load, randomInt(4));
  });
});

describe('a backup that missed several checkpoints', function () {
  this.timeout(120_000);
  const CHECKPOINT_INTERVAL = 8;
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({
      replicas: 4,
      parameters: {
        checkpointInterval: CHECKPOINT_INTERVAL,
        windowSize: 2 * CHECKPOINT_INTERVAL,
        snapshotInterval: 4096,
      },
    });
  });
  after(() => cluster?.stop());

  it('NET-02, CK-01: fetches the ledger and comes level, under load', async () => {
    const victim = ((await primaryOf(cluster)) + 2) % 4;
    const others = REPLICAS.filter((replica) => replica !== victim);
    const [asked = 0] = others;
    const load = new ClusterLoad(cluster, { prefix: 'behind', through: others, callers: 8 });
    await load.progress(50);
    const { lastExecutedSequence: missedFrom } = await cluster.status(victim);
    await cluster.kill(victim);
    const farAhead = async (): Promise<boolean> =>
      (await cluster.status(asked)).stableCheckpoint > missedFrom + 6 * CHECKPOINT_INTERVAL;
    await eventually(farAhead, { withinMs: PROGRESS_WITHIN_MS, describe: () => 'the stable checkpoint does not move' });
    const startMs = performance.now();
    cluster.start(victim);
    await cluster.waitReady([victim]);
    const readyMs = performance.now() - startMs;
    const target = (await cluster.status(asked)).lastExecutedSequence;
    const isLevel = async (): Promise<boolean> => (await cluster.status(victim)).lastExecutedSequence >= target;
    await eventually(isLevel, { withinMs: PROGRESS_WITHIN_MS, describe: () => cluster.logs(victim) });
    const levelMs = performance.now() - startMs;
    await load.stop();
    assert.deepEqual(load.failures, []);
    await awaitAgreement(cluster);
    await load.verify(victim);
    console.log(
      `      ${target - missedFrom} sequences missed; serves after ${Math.round(readyMs)} ms, level after ${Math.round(levelMs)} ms`,
    );
  });

  it('comes level when nothing else happens', async () => {
    const victim = ((await primaryOf(cluster)) + 1) % 4;
    const others = REPLICAS.filter((replica) => replica !== victim);
    const load = new ClusterLoad(cluster, { prefix: 'idle', through: others, callers: 4 });
    await load.progress(20);
    await cluster.kill(victim);
    await load.progress(300);
    await load.stop();
    cluster.start(victim);
    await cluster.waitReady([victim]);
    await awaitAgreement(cluster);
    await load.verify(victim);
  });
});
