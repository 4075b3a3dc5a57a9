/** One replica of a local cluster is started again by hand, in a folder with a blank in its name. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterFile } from '../../src/cli/cluster/cluster-file.js';
import { pbft, type RunningCommand, startPbft } from '../support/cluster-command.js';
import { findBasePort } from '../support/cluster-ports.js';

describe('a replica that is started again by hand', function () {
  this.timeout(120_000);
  let base: string;
  let directory: string;
  let byHand: RunningCommand | undefined;

  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'pbft-by-hand-'));
    directory = join(base, 'a cluster');
  });
  after(async () => {
    await pbft('cluster', '--dir', directory, '--stop');
    rmSync(base, { recursive: true, force: true });
  });

  it('is started by the command that the cluster names, belongs to it, and is stopped with it', async () => {
    const basePort = await findBasePort(4);
    const made = await pbft('cluster', '--dir', directory, '--base-port', `${basePort}`, '--detach');
    assert.equal(made.code, 0, made.errors);
    const [, words] = /^Start one that ended again: (.+)$/m.exec(made.out) ?? [];
    // As a shell takes the words apart.
    const parts = execFileSync('sh', ['-c', `printf '%s\\n' ${words}`])
      .toString('utf8')
      .trim()
      .split('\n');
    assert.deepEqual(parts.slice(-3), ['start', '--config', join(directory, 'replica-0', 'config.yaml')]);
    const { replicas } = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')) as ClusterFile;
    process.kill(replicas[2]?.pid ?? 0, 'SIGKILL');
    byHand = startPbft(['start', '--config', join(directory, 'replica-2', 'config.yaml')]);
    await byHand.says(/"serving"/);
    const again = await pbft('cluster', '--dir', directory, '--detach');
    assert.match(again.errors, /runs already: .*replica-2 \(process \d+\)/);
    assert.match(again.errors, /cluster --dir '.*a cluster' --stop/);
    assert.equal((await pbft('cluster', '--dir', directory, '--stop')).out, 'Stopped 4 replicas\n');
    assert.equal((await byHand.ended).code, 0);
  });

  it('is no stranger in its port where nothing else of the cluster runs, and is stopped then too', async () => {
    byHand = startPbft(['start', '--config', join(directory, 'replica-1', 'config.yaml')]);
    await byHand.says(/"serving"/);
    const again = await pbft('cluster', '--dir', directory, '--detach');
    assert.equal(again.code, 1);
    assert.match(again.errors, /^pbft: this cluster runs already: replica-1 \(process \d+\)$/m);
    assert.doesNotMatch(again.errors, /in use by another process/);
    assert.equal((await pbft('cluster', '--dir', directory, '--stop')).out, 'Stopped 1 replica\n');
    assert.equal((await byHand.ended).code, 0);
  });

  it('is not found by an id that a data directory names and that is of another process', async () => {
    writeFileSync(join(directory, 'replica-1', 'data', 'process-id'), `${process.pid}\n`);
    const stopped = await pbft('cluster', '--dir', directory, '--stop');
    assert.equal(stopped.code, 0);
    assert.match(stopped.errors, /^No cluster runs in /);
  });
});
