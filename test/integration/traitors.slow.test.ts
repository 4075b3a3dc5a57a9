/**
 * Primaries that betray a cluster of processes, whose callers are served all the same: what they ask is executed, once,
 * and only the traitor is accused.
 */
import assert from 'node:assert/strict';
import type { TraitorKind } from '../../src/cli/cluster/byzantine.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { assertClear, awaitAgreement, awaitView } from '../support/cluster-checks.js';
import { ClusterLoad } from '../support/cluster-load.js';

/** The primary of view 0. */
const TRAITOR = 0;
const CORRECT = [1, 2, 3] as const;
const WITHIN_MS = 60_000;
const PARAMETERS = { checkpointInterval: 32, windowSize: 64, snapshotInterval: 4_096 };

const startBetrayedBy = (kind: TraitorKind): Promise<TestCluster> =>
  startCluster({ parameters: PARAMETERS, byzantine: { [TRAITOR]: kind } });

/** Callers at all correct replicas, until all of them are served by another primary; resolves with who is accused. */
async function serveAll(cluster: TestCluster, prefix: string): Promise<readonly number[]> {
  const load = new ClusterLoad(cluster, { prefix, through: CORRECT, callers: 9, timeoutMs: WITHIN_MS });
  // One that the traitor may leave out at each of them.
  await Promise.all(
    CORRECT.map((replica) =>
      cluster.client(replica).put(`${prefix}-at-${replica}`, 'served', { timeoutMs: WITHIN_MS }),
    ),
  );
  await awaitView(cluster, CORRECT, 1);
  await load.progress(100, WITHIN_MS);
  await load.stop();
  for (const { error } of load.failures) {
    assertClear(error);
  }
  const rows = await awaitAgreement(cluster, CORRECT, WITHIN_MS);
  await load.verify(CORRECT[0]);
  return rows.flatMap(({ evidence }) => evidence.map(({ replica }) => replica));
}

describe('a primary that betrays a cluster of four processes', function () {
  this.timeout(180_000);
  let cluster: TestCluster;

  afterEach(() => cluster?.stop());

  it('BP-07: is left when it censors the callers of one replica, who are served', async () => {
    cluster = await startBetrayedBy('censor');
    assert.deepEqual(await serveAll(cluster, 'censored'), []);
  });

  it('BP-01: is left and accused when it equivocates, and nobody else is', async () => {
    cluster = await startBetrayedBy('equivocate');
    assert.deepEqual([...new Set(await serveAll(cluster, 'equivocated'))], [TRAITOR]);
  });
});
