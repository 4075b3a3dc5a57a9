import assert from 'node:assert/strict';
import { copyFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeCluster, startCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/cluster-deadline.js';

const REPLICAS = [0, 1, 2, 3] as const;

async function agree(cluster: TestCluster, withinMs = 20_000): Promise<void> {
  let seen = '';
  const isEqual = async (): Promise<boolean> => {
    const statuses = await Promise.all(REPLICAS.map((replica) => cluster.status(replica)));
    const places = statuses.map((status) => `${status.lastExecutedSequence} ${status.headerDigest.toString('hex')}`);
    seen = places.join('; ');
    return new Set(places).size === 1;
  };
  await eventually(isEqual, { withinMs, describe: () => `replicas are at ${seen}` });
}

describe('a cluster of four processes', function () {
  this.timeout(90_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
  });
  after(() => cluster?.stop());

  it('reads at any replica what was put at another', async () => {
    const put = await cluster.client(0).put('greeting', 'hello');
    for (const replica of REPLICAS) {
      const read = await cluster.client(replica).get('greeting');
      assert.equal(read.value, 'hello');
      assert.equal(read.version, put.version);
      assert.ok(read.sequence > put.sequence);
    }
  });

  it('has one order of what is put everywhere at the same time', async () => {
    const puts = Array.from({ length: 40 }, (_, index) => cluster.client(index % 4).put(`key-${index}`, `${index}`));
    const versions = new Set((await Promise.all(puts)).map(({ version }) => version));
    assert.equal(versions.size, 40);
    await agree(cluster);
  });

  it('goes on without one backup, which catches up when it is back', async () => {
    await cluster.kill(3);
    for (let index = 0; index < 20; index++) {
      await cluster.client(index % 3).put('without', `${index}`);
    }
    cluster.start(3);
    await cluster.waitReady([3]);
    assert.equal((await cluster.client(3).get('without')).value, '19');
    await agree(cluster);
  });

  it('has every acknowledged write after all were killed at once', async () => {
    const acknowledged: string[] = [];
    for (let index = 0; index < 20; index++) {
      await cluster.client(index % 4).put(`kept-${index}`, `${index}`);
      acknowledged.push(`kept-${index}`);
    }
    await Promise.all(REPLICAS.map((replica) => cluster.kill(replica)));
    for (const replica of REPLICAS) {
      cluster.start(replica);
    }
    await cluster.waitReady();
    for (const [index, key] of acknowledged.entries()) {
      assert.equal((await cluster.client(index % 4).get(key)).value, `${index}`);
    }
    await agree(cluster);
  });

  it('loses nothing that it acknowledged when all are asked to stop under load, and ends with 0 within 5 s', async () => {
    const acknowledged: number[] = [];
    let isOver = false;
    const write = async (replica: number): Promise<void> => {
      for (let index = replica; !isOver; index += 4) {
        try {
          await cluster.client(replica).put(`loaded-${index}`, `${index}`);
          acknowledged.push(index);
        } catch {
          return;
        }
      }
    };
    const writers = REPLICAS.map(write);
    await eventually(() => acknowledged.length >= 50, { withinMs: 20_000, describe: () => 'too few writes' });
    const startMs = Date.now();
    const ends = await Promise.all(REPLICAS.map((replica) => cluster.kill(replica, 'SIGTERM')));
    const tookMs = Date.now() - startMs;
    isOver = true;
    await Promise.all(writers);
    assert.deepEqual(
      ends.map((end) => end?.isClean),
      [true, true, true, true],
    );
    assert.ok(tookMs < 5_000, `took ${tookMs} ms`);
    for (const replica of REPLICAS) {
      cluster.start(replica);
    }
    await cluster.waitReady();
    for (const index of acknowledged) {
      assert.equal((await cluster.client(index % 4).get(`loaded-${index}`)).value, `${index}`);
    }
  });
});

describe('a replica with what belongs to another', function () {
  this.timeout(60_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
    await cluster.kill(2, 'SIGTERM');
    await cluster.kill(3, 'SIGTERM');
  });
  after(() => cluster?.stop());

  it("refuses another replica's data directory and names both (OP-02)", async () => {
    const own = join(cluster.directory, 'replica-3', 'data');
    rmSync(own, { recursive: true });
    cpSync(join(cluster.directory, 'replica-2', 'data'), own, { recursive: true });
    const end = await cluster.start(3).ended;
    assert.equal(end.isClean, false);
    assert.match(end.text, /its replica is 2 and the configuration's is 3/);
  });

  it("refuses another replica's signing key before it listens (OP-03)", async () => {
    const file = join(cluster.directory, 'replica-2', 'signing.key');
    copyFileSync(join(cluster.directory, 'replica-1', 'signing.key'), file);
    const end = await cluster.start(2).ended;
    assert.equal(end.isClean, false);
    assert.match(end.text, /signing\.key/);
    assert.doesNotMatch(cluster.logs(2), /\bat .*\.js:\d+/);
  });
});

describe('a cluster of one replica', function () {
  this.timeout(30_000);

  it('serves by itself', async () => {
    const cluster = await startCluster({ replicas: 1 });
    try {
      await cluster.client(0).put('alone', 'yes');
      assert.equal((await cluster.client(0).get('alone')).value, 'yes');
    } finally {
      await cluster.stop();
    }
  });
});

describe('a replica in which something unexpected happens', function () {
  this.timeout(60_000);

  for (const [what, code] of [
    ['an unhandled rejection', 'Promise.reject(new Error("planted"))'],
    ['an exception that nothing catches', 'queueMicrotask(() => { throw new Error("planted"); })'],
  ] as const) {
    it(`ends with 1 at ${what}, and logs it: it never goes on voting`, async () => {
      const planted = encodeURIComponent(`process.on("SIGUSR2", () => { ${code}; })`);
      const environment = { NODE_OPTIONS: `--import=data:text/javascript,${planted}` };
      const cluster = await startCluster({ replicas: 1, environment });
      try {
        const end = await cluster.kill(0, 'SIGUSR2');
        assert.equal(end?.isClean, false);
        assert.match(end?.text ?? '', /ended with code 1: unexpected error: this replica ends .*planted/);
      } finally {
        await cluster.stop();
      }
    });
  }
});

describe('replicas of different genesis files', function () {
  this.timeout(60_000);

  it('have no link with each other, and say why (OP-01)', async () => {
    const cluster = await makeCluster({ replicas: 4 });
    const other = await makeCluster({ replicas: 4, basePort: (cluster.clientPorts[0] ?? 0) + 10 });
    try {
      for (const replica of [0, 1, 2]) {
        cluster.start(replica);
      }
      // It dials the ports of the first cluster, with everything else of the second.
      const peers = cluster.peerPorts.map((port, id) => [`PBFT_PEERS_${id}`, `127.0.0.1:${port}`] as const);
      other.start(3, Object.fromEntries(peers));
      await cluster.waitReady();
      await eventually(() => /"level":"error".*"reason":"(?:mismatch|identity)"/.test(other.logs(3)), {
        withinMs: 20_000,
        describe: () => other.logs(3),
      });
      const status = await cluster.status(0);
      assert.equal(status.peers.find(({ replica }) => replica === 3)?.connected, false);
    } finally {
      await cluster.stop();
      await other.stop();
    }
  });
});
