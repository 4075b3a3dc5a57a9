/** FU-07: replicas that may open few files, under floods of connections. `sh -c 'ulimit -n …'` sets the limit. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askReadiness } from '../../src/cli/cluster/readiness.js';
import { makeCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';

const PROGRAM = fileURLToPath(new URL('../../bin/pbft.js', import.meta.url));
const LIMITED = 3;

interface Limited {
  readonly ended: Promise<number | null>;
  readonly pid: number;
  readonly lines: () => string;
  readonly stop: () => void;
}

describe('a replica that may open few files', function () {
  this.timeout(90_000);
  let cluster: TestCluster;
  const running: Limited[] = [];
  const sockets = new Set<Socket>();
  let isFlooding = true;

  before(async () => {
    cluster = await makeCluster({ replicas: 4 });
    for (const replica of [0, 1, 2]) {
      cluster.start(replica);
    }
    await cluster.waitReady();
  });
  after(async () => {
    isFlooding = false;
    for (const socket of sockets) {
      socket.destroy();
    }
    for (const { stop, ended } of running) {
      stop();
      await ended;
    }
    await cluster?.stop();
  });

  function startLimited(files: number): Limited {
    const command = `ulimit -n ${files}; exec "$@"`;
    const configuration = cluster.configurationFile(LIMITED);
    const args = ['-c', command, 'sh', process.execPath, PROGRAM, 'start', '--config', configuration];
    const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
    });
    child.stderr.on('data', (bytes) => {
      text += bytes;
    });
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    const started = { ended, pid: child.pid ?? 0, lines: () => text, stop: () => void child.kill('SIGTERM') };
    running.push(started);
    return started;
  }

  /** A connection that says nothing, and comes again when it is closed. */
  function flood(port: number): void {
    const open = (): void => {
      if (isFlooding) {
        const socket = connect(port, '127.0.0.1');
        sockets.add(socket);
        socket.on('error', () => undefined).resume();
        socket.once('close', () => {
          sockets.delete(socket);
          setTimeout(open, 50);
        });
      }
    };
    open();
  }

  it('FU-07: does not start where not even the least fits: both numbers and the remedy', async () => {
    const { ended, lines } = startLimited(200);
    assert.equal(await ended, 1, lines());
    assert.match(lines(), /may open 200 files, and a replica needs \d+ at the least.*LimitNOFILE/);
  });

  it('FU-07: lowers its connections, says so once, and serves consensus under a flood at all its ports', async () => {
    const { pid, lines } = startLimited(256);
    const http = `127.0.0.1:${cluster.httpPorts[LIMITED]}`;
    const isReady = async (): Promise<boolean> => (await askReadiness(http)).length === 0;
    await eventually(isReady, { withinMs: 30_000, describe: lines });
    assert.equal(lines().match(/may open 256 files.*is lowered to \d+/g)?.length, 1);
    for (const ports of [cluster.clientPorts, cluster.peerPorts, cluster.httpPorts]) {
      for (let index = 0; index < 300; index++) {
        flood(ports[LIMITED] ?? 0);
      }
    }
    // With it, of three others only two are needed: it has to vote, or nothing is agreed on.
    await cluster.kill(0);
    let most = 0;
    const untilMs = Date.now() + 6_000;
    for (let count = 0; Date.now() < untilMs; count++) {
      await cluster.client(1).put(`under/${count}`, 'flood', { timeoutMs: 30_000 });
      most = Math.max(most, readdirSync(`/proc/${pid}/fd`).length);
      await delay(20);
    }
    assert.ok(most < 256, `${most} descriptors`);
    assert.equal(await isReady(), true, 'the operator gets in');
    const metric = { name: 'pbft_connections_closed_total', labels: { port: 'client', reason: 'displaced' } };
    assert.ok((await readMetric(cluster, LIMITED, metric)) > 0);
    assert.doesNotMatch(lines(), /EMFILE|disk|store failed/i);
    await awaitAgreement(cluster, [1, 2, LIMITED]);
  });
});
