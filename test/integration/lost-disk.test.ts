/**
 * FU-01: a replica whose disk was lost, as operators lose disks: the data moved away, the volume not mounted, a part of it
 * deleted. It doesn't start, says why, and makes nothing; the others serve; with its data back it goes on.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assertRefused } from '../support/bad-start.js';
import { makeCluster, startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';

const PROGRAM = join(import.meta.dirname, '../../bin/pbft.js');
const LOST = [/Is the volume mounted/, /Don't make it anew/];

/** What `pbft config validate` says of a replica, and how it ends. */
function validate(file: string): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'config', 'validate', '--config', file], {
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

describe('a replica that lost its disk', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let data: string;
  let kept: string;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
    await cluster.client(0).put('before', 'kept');
    await awaitAgreement(cluster);
    await cluster.kill(3, 'SIGTERM');
    data = join(cluster.directory, 'replica-3', 'data');
    kept = join(cluster.directory, 'replica-3', 'kept');
    renameSync(data, kept);
  });
  after(() => cluster?.stop());

  it('FU-01: is refused where its data directory is missing, and none is made', async () => {
    await assertRefused(cluster, { replica: 3, says: [/replica-3\/data is missing/, ...LOST] });
    assert.equal(existsSync(data), false);
  });

  it('FU-01: is refused where its data directory is empty, and stays empty', async () => {
    mkdirSync(data);
    try {
      await assertRefused(cluster, { replica: 3, says: [/replica-3\/data is empty/, ...LOST] });
      assert.deepEqual(readdirSync(data), []);
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  it('FU-01: is told the same by `pbft config validate`, which ends as a start does', () => {
    const { status, text } = validate(cluster.configurationFile(3));
    assert.equal(status, 1, text);
    for (const words of [/replica-3\/data is missing/, ...LOST]) {
      assert.match(text, words);
    }
    assert.equal(existsSync(data), false);
  });

  it('FU-01: leaves the others serving, and goes on with its data back', async () => {
    await cluster.client(1).put('meanwhile', 'served');
    renameSync(kept, data);
    assert.equal(validate(cluster.configurationFile(3)).status, 0);
    cluster.start(3);
    await cluster.waitReady([3]);
    assert.equal((await cluster.client(3).get('before')).value, 'kept');
    await awaitAgreement(cluster);
  });

  it('FU-01: is refused where its store is gone, as a replica of one is', async () => {
    const single = await makeCluster({ replicas: 1 });
    try {
      single.start(0);
      await single.waitReady();
      await single.client(0).put('key', 'value');
      await single.kill(0, 'SIGTERM');
      const store = join(single.directory, 'replica-0', 'data', 'store');
      renameSync(store, `${store}-kept`);
      await assertRefused(single, { replica: 0, says: [/CURRENT is missing/, /Don't make it anew/] });
      rmSync(join(single.directory, 'replica-0', 'data'), { recursive: true });
      await assertRefused(single, { replica: 0, says: [/replica-0\/data is missing/, ...LOST] });
    } finally {
      await single.stop();
    }
  });
});
