/** A traitor among real processes, as primary: the others serve their callers, agree, and know what they can know. */
import assert from 'node:assert/strict';
import type { TraitorKind } from '../../src/cli/cluster/byzantine.js';
import { makeCluster, startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, readMetric } from '../support/cluster-checks.js';
import { pbft } from '../support/cluster-command.js';
import { eventually } from '../support/cluster-deadline.js';

const HONEST = [1, 2, 3] as const;
const WITHIN_MS = 30_000;

/** What a replica shows of the proofs that it holds; 0 while it shows nothing. */
async function evidenceAt(cluster: TestCluster, replica: number): Promise<number> {
  const shown = await readMetric(cluster, replica, { name: 'pbft_evidence' }).catch(() => 0);
  return Number.isNaN(shown) ? 0 : shown;
}

describe('a primary that is a traitor', function () {
  this.timeout(120_000);

  for (const kind of ['silent', 'corrupt', 'equivocate'] satisfies readonly TraitorKind[]) {
    it(`is no hindrance to callers of the others: ${kind}`, async () => {
      const cluster = await startCluster({ byzantine: { 0: kind } });
      try {
        assert.match(cluster.logs(0), /"level":"warn".*a traitor: /);
        for (const replica of HONEST) {
          await cluster.client(replica).put(`of-${replica}`, kind, { timeoutMs: WITHIN_MS });
        }
        for (const replica of HONEST) {
          const read = await cluster.client(replica).get('of-1', { timeoutMs: WITHIN_MS });
          assert.equal(read.value, kind);
        }
        const rows = await awaitAgreement(cluster, HONEST);
        const accused = new Set(rows.flatMap(({ evidence }) => evidence.map(({ replica }) => replica)));
        assert.deepEqual([...accused], kind === 'equivocate' ? [0] : []);
        if (kind === 'equivocate') {
          // Also after a restart: proof is in the store, and what a process counts is not.
          for (const isRestarted of [false, true]) {
            if (isRestarted) {
              await cluster.kill(1, 'SIGTERM');
              cluster.start(1);
            }
            const isShown = async () => (await evidenceAt(cluster, 1)) > 0;
            await eventually(isShown, {
              withinMs: WITHIN_MS,
              describe: () => `no evidence, restarted: ${isRestarted}`,
            });
          }
        }
      } finally {
        await cluster.stop();
      }
    });
  }
});

describe('traitors where others could be hurt', function () {
  this.timeout(60_000);

  it('are refused by the cluster command and by the process itself', async () => {
    const cluster = await makeCluster({
      configure: (replica, yaml) => (replica === 3 ? yaml.replace('peer: "127.0.0.1:', 'peer: "0.0.0.0:') : yaml),
    });
    try {
      const file = cluster.configurationFile(3);
      const whole = await pbft('cluster', '--dir', cluster.directory, '--byzantine', '2=silent');
      assert.equal(whole.code, 1, whole.out);
      assert.match(whole.errors, /--byzantine is for loopback only, and replicas here use 0\.0\.0\.0:\d+/);
      const one = await pbft('traitor', 'start', '--kind', 'silent', '--config', file);
      assert.equal(one.code, 1, one.out);
      assert.match(one.errors, /loopback only/);
    } finally {
      await cluster.stop();
    }
  });
});
