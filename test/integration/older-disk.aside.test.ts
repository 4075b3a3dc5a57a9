/**
 * A replica that starts with an older copy of its data directory (FU-01): its files are whole and of one moment, so that
 * only the others can tell what it forgot. They do before it votes, and serve on without it.
 */
import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';

const OTHERS = [0, 1, 2] as const;
const FORGETFUL = 3;
/** Enough that peers hold some vote of it, and fewer than a checkpoint interval. */
const PUTS = 20;
const EXIT_FORGOTTEN = 4;

describe('a replica with an older copy of its data directory', function () {
  this.timeout(90_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
  });
  after(() => cluster?.stop());

  const put = async (name: string): Promise<void> => {
    for (let index = 0; index < PUTS; index++) {
      await cluster.client(OTHERS[index % OTHERS.length] ?? 0).put(`${name} ${index}`, 'value');
    }
    await awaitAgreement(cluster);
  };

  it('FU-01: votes again after a restart with what it had, and ends with code 4 and the reason with an older copy', async () => {
    const data = join(cluster.directory, `replica-${FORGETFUL}`, 'data');
    await put('before');
    await cluster.kill(FORGETFUL, 'SIGTERM');
    cpSync(data, `${data}.copy`, { recursive: true });
    cluster.start(FORGETFUL);
    await cluster.waitReady([FORGETFUL]);
    await put('after');
    await cluster.kill(FORGETFUL, 'SIGTERM');
    cluster.start(FORGETFUL);
    await cluster.waitReady([FORGETFUL]);
    await cluster.kill(FORGETFUL, 'SIGTERM');
    renameSync(data, `${data}.latest`);
    renameSync(`${data}.copy`, data);
    cluster.start(FORGETFUL);
    await eventually(() => !cluster.isRunning(FORGETFUL), {
      withinMs: 30_000,
      describe: () => cluster.logs(FORGETFUL),
    });
    const end = await cluster.kill(FORGETFUL);
    assert.match(end?.text ?? '', new RegExp(`code ${EXIT_FORGOTTEN}: .*showed a .* doesn't remember`));
    assert.match(cluster.logs(FORGETFUL), /older copy/);
    for (const replica of OTHERS) {
      assert.ok((await cluster.client(replica).put(`without ${replica}`, 'value')).sequence > 0);
    }
  });

  it('FU-01: serves again with the latest data directory in its place', async () => {
    const data = join(cluster.directory, `replica-${FORGETFUL}`, 'data');
    rmSync(data, { recursive: true });
    renameSync(`${data}.latest`, data);
    cluster.start(FORGETFUL);
    await cluster.waitReady([FORGETFUL]);
    await cluster.client(FORGETFUL).put('again', 'value');
    await awaitAgreement(cluster);
  });
});
