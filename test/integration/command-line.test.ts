import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterFile } from '../../src/cli/cluster/cluster-file.js';
import { isReplicaProcess } from '../../src/cli/cluster/process-identity.js';
import { pbft, startPbft } from '../support/cluster-command.js';
import { eventually } from '../support/cluster-deadline.js';
import { findBasePort } from '../support/cluster-ports.js';

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'pbft-command-'));
}

function clusterFileOf(directory: string): ClusterFile {
  return JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')) as ClusterFile;
}

/** Ends whatever a test has left of a cluster, then the folder. */
async function removeCluster(directory: string): Promise<void> {
  await pbft('cluster', '--dir', directory, '--stop');
  rmSync(directory, { recursive: true, force: true });
}

describe('a detached cluster', function () {
  this.timeout(120_000);
  let directory: string;
  let basePort: number;

  before(async () => {
    directory = newFolder();
    basePort = await findBasePort(4);
    const { code, out, errors } = await pbft('cluster', '--dir', directory, '--base-port', `${basePort}`, '--detach');
    assert.equal(code, 0, errors);
    assert.match(out, /All 4 replicas serve; 1 of them may fail/);
    assert.match(
      out,
      new RegExp(`replica-3 +127\\.0\\.0\\.1:${basePort + 3} .*http://127\\.0\\.0\\.1:${basePort + 203}`),
    );
  });
  after(() => removeCluster(directory));

  const ask = (...parameters: readonly string[]) => pbft(...parameters, '--cluster', directory);

  it('puts at one replica and gets at another, for people and for programs', async () => {
    const put = await ask('put', 'greeting', 'hello', '--replica', '0');
    assert.match(put.out, /^Put: version \d+, sequence \d+, view 0, header [0-9a-f]{12}\n$/);
    assert.equal((await ask('get', 'greeting', '--replica', 'replica-3')).out, 'hello\n');
    const json = JSON.parse((await ask('get', 'greeting', '--json')).out) as Record<string, unknown>;
    assert.equal(json['text'], 'hello');
    assert.equal(json['found'], true);
    assert.match(String(json['headerDigest']), /^[0-9a-f]{64}$/);
  });

  it('says by the code that a key is absent or not as expected', async () => {
    const absent = await ask('get', 'nobody');
    assert.deepEqual([absent.code, absent.out, absent.errors], [1, '', 'not found\n']);
    assert.equal((await ask('cas', 'once', 'first', '--absent')).code, 0);
    assert.equal((await ask('cas', 'once', 'second', '--absent')).code, 1);
    assert.equal((await ask('cas', 'once', 'second', '--expect', 'first')).code, 0);
    assert.equal((await ask('delete', 'once')).code, 0);
    assert.equal((await ask('get', 'once')).code, 1);
  });

  it('keeps bytes as they are, and reads keys in order', async () => {
    const file = join(directory, 'bytes');
    writeFileSync(file, Buffer.from([0, 255, 10, 27]));
    assert.equal((await ask('put', 'list/b', '--file', file)).code, 0);
    assert.equal((await ask('put', 'list/a', 'text')).code, 0);
    const bytes = await ask('get', 'list/b');
    assert.deepEqual([bytes.out, /bytes, in base64/.test(bytes.errors)], ['AP8KGw==\n', true]);
    assert.equal((await ask('get', 'list/a')).errors, '');
    assert.match((await ask('range', 'list/')).out, /^list\/a +\d+ +text +text\nlist\/b +\d+ +base64 +AP8KGw==$/m);
    const range = JSON.parse((await ask('range', 'list/', '--json')).out) as { entries: Record<string, unknown>[] };
    assert.deepEqual(
      range.entries.map(({ key, text, data }) => [key, text, data]),
      [
        ['list/a', 'text', undefined],
        ['list/b', undefined, 'AP8KGw=='],
      ],
    );
    const cut = await ask('range', 'list/', '--limit', '1');
    assert.match(cut.out, /list\/a/);
    assert.match(cut.errors, /more follow/);
  });

  it('expects bytes, and tells them from the same text', async () => {
    assert.equal((await ask('put', 'form', '6162', '--hex')).code, 0);
    assert.equal((await ask('cas', 'form', 'x', '--expect', 'ab')).code, 1);
    assert.equal((await ask('cas', 'form', 'YWI=', '--base64', '--expect-hex', '6162')).code, 0);
    assert.equal((await ask('cas', 'form', 'text', '--expect-base64', 'YWI=')).code, 0);
    assert.equal((await ask('get', 'form')).out, 'text\n');
  });

  it('takes the operations of the application as bytes', async () => {
    const { code, out } = await ask('submit', '0a0a0a036b6579120376616c', '--hex');
    assert.equal(code, 0);
    assert.match(out, /^[A-Za-z0-9+/]+=*\n$/);
    assert.equal((await ask('get', 'key')).out, 'val\n');
  });

  it('shows all replicas in one table, without colours in a pipe', async () => {
    const { code, out } = await ask('status');
    assert.equal(code, 0);
    assert.equal(out.match(/ready$/gm)?.length, 4);
    assert.equal(out.match(/ primary /g)?.length, 1);
    assert.match(out, /4 of 4 asked answer; a quorum is 3/);
    assert.ok(!out.includes(String.fromCharCode(27)));
  });

  it('refuses to be started again, or to be of another size', async () => {
    const again = await pbft('cluster', '--dir', directory);
    assert.equal(again.code, 1);
    assert.match(again.errors, /runs already: replica-0 \(process \d+\).*\n.*--stop/);
    const other = await pbft('cluster', '--dir', directory, '--replicas', '7');
    assert.equal(other.code, 1);
    assert.match(other.errors, /has 4 replicas, not 7/);
  });

  it('refuses to start a replica whose data is in use, without a stack trace', async () => {
    const { code, errors } = await pbft('start', '--config', join(directory, 'replica-0', 'config.yaml'));
    assert.equal(code, 1);
    assert.match(errors, /in use by process \d+/);
    assert.doesNotMatch(errors, /\n\s+at /);
  });

  it('names every port that is taken, and makes nothing', async () => {
    const folder = join(directory, 'second');
    const { code, errors } = await pbft('cluster', '--dir', folder, '--base-port', `${basePort}`, '--detach');
    assert.equal(code, 1);
    assert.equal(errors.match(/is in use by another process/g)?.length, 12);
    assert.match(errors, /--base-port/);
    assert.equal(existsSync(join(folder, 'genesis.json')), false);
  });

  it('goes on with its data after a stop that names processes of the cluster alone', async () => {
    const { replicas } = clusterFileOf(directory);
    assert.ok(replicas.every(isReplicaProcess));
    const stopped = await pbft('cluster', '--dir', directory, '--stop');
    assert.deepEqual([stopped.code, stopped.out], [0, 'Stopped 4 replicas\n']);
    assert.ok(!replicas.some(isReplicaProcess));
    assert.equal(existsSync(join(directory, 'cluster.json')), false);
    assert.match(readFileSync(join(directory, 'replica-1', 'replica.log'), 'utf8'), /"stopped"/);
    assert.equal((await pbft('cluster', '--dir', directory, '--detach')).code, 0);
    assert.equal((await ask('get', 'greeting')).out, 'hello\n');
  });

  it('answers through the others while one replica is away', async () => {
    const [, , , last] = clusterFileOf(directory).replicas;
    process.kill(last?.pid ?? 0, 'SIGKILL');
    assert.equal((await ask('put', 'without', 'one')).code, 0);
    const status = await ask('status');
    assert.equal(status.code, 0);
    assert.match(status.out, /replica-3 .*unreachable/);
    const refused = await ask('put', 'a', 'b', '--replica', '3');
    assert.equal(refused.code, 1);
    assert.match(refused.errors, /^pbft: nobody answers at \S+: connect ECONNREFUSED\n$/);
  });

  it('never signals a process that has the id of a replica and is none', async () => {
    await pbft('cluster', '--dir', directory, '--stop');
    const file = { format: 'pbft-cluster/1', clusterId: '', clusterName: '', startedAt: '', supervisor: null };
    const configurationFile = join(directory, 'replica-0', 'config.yaml');
    const replica = { id: 0, name: 'replica-0', pid: process.pid, client: '', peer: '', http: '', logFile: null };
    writeFileSync(
      join(directory, 'cluster.json'),
      JSON.stringify({ ...file, replicas: [{ ...replica, configurationFile }] }),
    );
    const { code, out } = await pbft('cluster', '--dir', directory, '--stop');
    assert.deepEqual([code, out], [0, 'No replica was running\n']);
  });
});

describe('a detached cluster that can not serve', function () {
  this.timeout(90_000);

  it('says which replica has ended and why, and leaves none running', async () => {
    const directory = newFolder();
    const basePort = await findBasePort(4);
    try {
      assert.equal((await pbft('init', '--dir', directory, '--base-port', `${basePort}`)).code, 0);
      rmSync(join(directory, 'replica-2', 'signing.key'));
      const { code, errors } = await pbft('cluster', '--dir', directory, '--detach');
      assert.equal(code, 1);
      assert.match(errors, /replica-2 has ended: it ended with code 1: .*signing\.key/);
      assert.match(errors, /No replica was left running/);
      assert.equal(existsSync(join(directory, 'cluster.json')), false);
    } finally {
      await removeCluster(directory);
    }
  });
});

describe('a cluster in the foreground', function () {
  this.timeout(120_000);
  let directory: string;
  let basePort: number;

  beforeEach(async () => {
    directory = newFolder();
    basePort = await findBasePort(4);
  });
  afterEach(() => removeCluster(directory));

  const start = () =>
    startPbft(['cluster', '--dir', directory, '--names', 'Apple,MS,Google,IBM', '--base-port', `${basePort}`]);

  it('prefixes the log of each replica, reports one that dies, and stops all on SIGINT', async () => {
    const cluster = start();
    await cluster.says(/Stop: Ctrl-C/);
    assert.match(cluster.out, /^Google \| .*serving/m);
    const { replicas } = clusterFileOf(directory);
    process.kill(replicas[2]?.pid ?? 0, 'SIGKILL');
    await cluster.says(/^Google \| has ended: it was ended by SIGKILL/m);
    assert.equal((await pbft('put', 'still', 'there', '--cluster', directory)).code, 0);
    cluster.signal('SIGINT');
    const { code, out } = await cluster.ended;
    assert.equal(code, 0);
    assert.equal(out.match(/INFO {2}stopped/g)?.length, 3);
    assert.ok(!replicas.some(isReplicaProcess));
    assert.equal(existsSync(join(directory, 'cluster.json')), false);
  });

  it('leaves no replica behind when it is killed itself', async () => {
    const cluster = start();
    await cluster.says(/Stop: Ctrl-C/);
    const { replicas } = clusterFileOf(directory);
    assert.ok(replicas.every(isReplicaProcess));
    cluster.signal('SIGKILL');
    await cluster.ended;
    await eventually(() => !replicas.some(isReplicaProcess), { withinMs: 10_000, describe: () => 'they still run' });
  });

  it('is stopped from elsewhere by cluster --stop', async () => {
    const cluster = start();
    await cluster.says(/Stop: Ctrl-C/);
    assert.equal((await pbft('cluster', '--dir', directory, '--stop')).out, 'Stopped 4 replicas\n');
    assert.equal((await cluster.ended).code, 0);
  });
});

describe('the outcome of an operation', function () {
  this.timeout(30_000);

  it('is not known where the connection is lost after the operation was sent: code 3', async () => {
    // Takes the connection and what is sent, and hangs up.
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received > 200) {
          socket.destroy();
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    try {
      const { code, errors } = await pbft('put', 'key', 'x'.repeat(400), '--address', `127.0.0.1:${port}`);
      assert.equal(code, 3, errors);
      assert.match(errors, /outcome is not known/);
      assert.match(errors, /--request-id/);
    } finally {
      server.close();
    }
  });
});
