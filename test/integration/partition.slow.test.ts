/**
 * The network and its primary fail a cluster of processes under load, one way after another, and it goes on without
 * them. Each test ends with all replicas at the same header, nobody accused, and everything acknowledged read back at
 * the replica that was hit (cluster-load.ts).
 */
import assert from 'node:assert/strict';
import { ClientError } from '../../src/client/client-error.js';
import {
  assertClear,
  awaitAgreement,
  awaitServingView,
  awaitView,
  readMetric,
  settledSequence,
} from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { ClusterLoad } from '../support/cluster-load.js';
import { type ProxiedCluster, startProxiedCluster } from '../support/proxied-cluster.js';

/** So small that timeouts come back down between two tests, and a window is missed quickly. */
const CHECKPOINT_INTERVAL = 16;
const WINDOW = 2 * CHECKPOINT_INTERVAL;
const PARAMETERS = { checkpointInterval: CHECKPOINT_INTERVAL, windowSize: WINDOW, snapshotInterval: 4_096 };
const REQUEST_TIMEOUT_MS = 2_000;
const WITHIN_MS = 60_000;
/** Long enough for the view changes of a busy machine. */
const CALL_TIMEOUT_MS = 30_000;

/** A load through these replicas that has begun to get answers. */
async function begin({ cluster }: ProxiedCluster, prefix: string, through: readonly number[]): Promise<ClusterLoad> {
  const load = new ClusterLoad(cluster, { prefix, through, callers: 12, timeoutMs: CALL_TIMEOUT_MS });
  await load.progress(50);
  return load;
}

/** Ends the load, and proves it at this replica when all replicas are level. */
async function conclude({ cluster }: ProxiedCluster, load: ClusterLoad, readAt: number): Promise<void> {
  await load.progress(100, WITHIN_MS);
  await load.stop();
  for (const { error } of load.failures) {
    assertClear(error);
  }
  const rows = await awaitAgreement(cluster, undefined, WITHIN_MS);
  for (const { replica, evidence } of rows) {
    assert.deepEqual(evidence, [], `what replica ${replica} holds against others`);
  }
  await load.verify(readAt);
}

/** Tells the reader how long the callers waited after something was done to the cluster. */
async function measureResumption(load: ClusterLoad, what: string): Promise<void> {
  const sinceMs = performance.now();
  await load.progress(50, WITHIN_MS);
  console.log(`      50 puts within ${Math.round(performance.now() - sinceMs)} ms ${what}`);
}

/** A put at a replica that has no quorum; resolves with what its caller is told. */
async function failToPut({ cluster }: ProxiedCluster, replica: number): Promise<ClientError> {
  try {
    await cluster.client(replica).put(`nobody/${replica}`, 'nobody agrees', { timeoutMs: 1_000 });
  } catch (error) {
    assert.ok(error instanceof ClientError);
    return error;
  }
  return assert.fail(`replica ${replica} committed without a quorum`);
}

function changedViews({ cluster }: ProxiedCluster, replica: number, cause?: string): Promise<number> {
  const labels = cause === undefined ? {} : { cause };
  return readMetric(cluster, replica, { name: 'pbft_view_changes_total', labels });
}

describe('a cluster of four whose network and primary fail', function () {
  this.timeout(240_000);
  const REPLICAS = [0, 1, 2, 3] as const;
  const othersOf = (victim: number): readonly number[] => REPLICAS.filter((replica) => replica !== victim);
  let proxied: ProxiedCluster;

  before(async () => {
    proxied = await startProxiedCluster({ replicas: 4, parameters: PARAMETERS });
  });
  afterEach(() => proxied?.network.heal());
  after(() => proxied?.stop());

  it('BP-05: replaces a primary that is paused, which follows when it wakes up', async () => {
    const { cluster } = proxied;
    const { view, primary: victim } = await awaitServingView(cluster);
    const load = await begin(proxied, 'paused', othersOf(victim));
    await cluster.kill(victim, 'SIGSTOP');
    await measureResumption(load, 'of the pause');
    await awaitView(cluster, othersOf(victim), view + 1);
    await cluster.kill(victim, 'SIGCONT');
    await conclude(proxied, load, victim);
  });

  it('BP-05: replaces a primary that is cut off from all others, which commits nothing alone', async () => {
    const { cluster, network } = proxied;
    const { view, primary: victim } = await awaitServingView(cluster);
    const load = await begin(proxied, 'alone', othersOf(victim));
    network.part([victim], othersOf(victim));
    assertClear(await failToPut(proxied, victim));
    await measureResumption(load, 'of the partition');
    await awaitView(cluster, othersOf(victim), view + 1);
    network.heal();
    await conclude(proxied, load, victim);
  });

  it('NET-06: replaces a primary whose outgoing links are cut, and has it back as a backup', async () => {
    const { cluster, network } = proxied;
    const { view, primary: victim } = await awaitServingView(cluster);
    const others = othersOf(victim);
    const load = await begin(proxied, 'mute', others);
    const countTimeouts = async (): Promise<number> =>
      (await Promise.all(others.map((replica) => changedViews(proxied, replica, 'request_timeout')))).reduce(
        (sum, one) => sum + one,
      );
    const timeoutsBefore = await countTimeouts();
    network.set([victim], others, { isCut: true });
    await measureResumption(load, 'of the cut');
    const { primary } = await awaitView(cluster, others, view + 1);
    assert.notEqual(primary, victim);
    assert.ok((await countTimeouts()) > timeoutsBefore, 'nobody left the view because a request waited');
    network.heal();
    await load.progress(50, WITHIN_MS);
    const { primary: last } = await awaitView(cluster, REPLICAS, view + 1);
    assert.notEqual(last, victim);
    await conclude(proxied, load, victim);
  });

  it('NET-03: commits nothing while it is split in halves, without a storm of view changes, and goes on after', async () => {
    const { cluster, network } = proxied;
    const { view, primary } = await awaitServingView(cluster);
    const backups = othersOf(primary);
    const load = await begin(proxied, 'halves', REPLICAS);
    const changesBefore = await Promise.all(REPLICAS.map((replica) => changedViews(proxied, replica)));
    const splitMs = performance.now();
    network.part([0, 1], [2, 3]);
    const haveLeft = async (): Promise<boolean> =>
      (await Promise.all(backups.map((replica) => cluster.status(replica)))).every((status) => status.view > view);
    await eventually(haveLeft, { withinMs: WITHIN_MS, describe: () => 'not all backups have left the view' });
    const executed = await Promise.all(REPLICAS.map((replica) => settledSequence(cluster, replica)));
    const acknowledged = load.acknowledged.size;
    for (const error of await Promise.all(REPLICAS.map((replica) => failToPut(proxied, replica)))) {
      assertClear(error);
    }
    assert.deepEqual(await Promise.all(REPLICAS.map((replica) => settledSequence(cluster, replica))), executed);
    assert.equal(load.acknowledged.size, acknowledged);
    const changesMax = Math.log2((performance.now() - splitMs) / REQUEST_TIMEOUT_MS) + 2;
    for (const replica of REPLICAS) {
      const changes = (await changedViews(proxied, replica)) - (changesBefore[replica] ?? 0);
      assert.ok(changes <= changesMax, `replica ${replica} left ${changes} views, at most ${changesMax.toFixed(1)}`);
    }
    network.heal();
    await measureResumption(load, 'of the healing');
    await conclude(proxied, load, 3);
  });

  it('NET-09: serves through the others while the links of a backup are slow and narrow', async () => {
    const { cluster, network } = proxied;
    const { primary } = await awaitServingView(cluster);
    const victim = (primary + 2) % 4;
    const others = othersOf(victim);
    const slow = { delayMs: 200, bytesPerSecond: 50_000 };
    network.set([victim], others, slow);
    network.set(others, [victim], slow);
    const load = await begin(proxied, 'slow', others);
    await load.progress(300, WITHIN_MS);
    network.heal();
    await conclude(proxied, load, victim);
    assert.deepEqual([...load.unknown], [], 'puts whose callers did not learn what became of them');
  });
});

describe('a cluster of seven with two faults at once', function () {
  this.timeout(240_000);
  const REPLICAS = [0, 1, 2, 3, 4, 5, 6] as const;
  const without = (victims: readonly number[]): readonly number[] =>
    REPLICAS.filter((replica) => !victims.includes(replica));
  let proxied: ProxiedCluster;

  before(async () => {
    proxied = await startProxiedCluster({ replicas: 7, parameters: PARAMETERS });
  });
  afterEach(() => proxied?.network.heal());
  after(() => proxied?.stop());

  it('NET-02: has two backups level again that were cut off for more than a window', async () => {
    const { cluster, network } = proxied;
    const { primary } = await awaitServingView(cluster);
    const victims = [(primary + 2) % 7, (primary + 5) % 7];
    const others = without(victims);
    const load = await begin(proxied, 'isolated', others);
    network.part(victims, others);
    network.part(victims.slice(0, 1), victims.slice(1));
    const missedFrom = Math.max(...(await Promise.all(victims.map((victim) => settledSequence(cluster, victim)))));
    const isFarAhead = async (): Promise<boolean> =>
      (await cluster.status(primary)).stableCheckpoint > missedFrom + WINDOW;
    await eventually(isFarAhead, { withinMs: WITHIN_MS, describe: () => 'the stable checkpoint does not move' });
    network.heal();
    await conclude(proxied, load, victims[0] ?? 0);
    await load.verify(victims[1] ?? 0);
  });

  it('VC-01, BP-05: passes two primaries in a row that are killed together', async () => {
    const { cluster } = proxied;
    const { view, primary } = await awaitServingView(cluster);
    const victims = [primary, (primary + 1) % 7];
    const load = await begin(proxied, 'successive', without(victims));
    await Promise.all(victims.map((victim) => cluster.kill(victim)));
    await measureResumption(load, 'of the kill');
    const after = await awaitView(cluster, without(victims), view + 2);
    assert.ok(!victims.includes(after.primary));
    for (const victim of victims) {
      cluster.start(victim);
    }
    await cluster.waitReady(victims, WITHIN_MS);
    await conclude(proxied, load, victims[0] ?? 0);
  });
});
