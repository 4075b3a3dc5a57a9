/** Starting replicas inside this process, as a program that embeds one does: what it serves, and what a failed start leaves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InitializedCluster, initializeCluster } from '../../src/replica/initialize.js';
import { StartError } from '../../src/replica/start-error.js';
import { type StartedReplica, startReplica } from '../../src/replica/start-replica.js';
import { findBasePort } from '../support/cluster-ports.js';

const PURPOSES = { client: 'callers', peer: 'peers', http: 'metrics and health' } as const;
type PortName = keyof typeof PURPOSES;
const NAMES: readonly PortName[] = ['client', 'peer', 'http'];

describe('a replica started inside a program', function () {
  this.timeout(30_000);
  let directory: string;
  let cluster: InitializedCluster;
  const started: StartedReplica[] = [];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-start-'));
    cluster = await initializeCluster({ directory, replicaCount: 4, basePort: await findBasePort(4) });
  });
  afterEach(async () => {
    for (const replica of started.splice(0)) {
      await replica.stop();
    }
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function start(id: number, flags: Readonly<Record<string, string>> = {}): Promise<StartedReplica> {
    const file = cluster.replicas[id]?.configurationFile ?? assert.fail(`no replica ${id}`);
    const replica = await startReplica({
      file,
      flags: { logLevel: 'error', ...flags },
      onFatal: (reason) => assert.fail(reason),
    });
    started.push(replica);
    return replica;
  }

  const get = async (replica: StartedReplica, path: string) => {
    const response = await fetch(`http://${replica.addresses.http}${path}`);
    return { status: response.status, text: await response.text() };
  };

  it('is alive and not ready without a quorum, and has no link to itself', async () => {
    const replica = await start(1);
    assert.deepEqual((await get(replica, '/livez')).status, 200);
    const readiness = await get(replica, '/readyz');
    assert.deepEqual([readiness.status, /no quorum/.test(readiness.text)], [503, true]);
    const { text } = await get(replica, '/metrics');
    const peers = [...text.matchAll(/^pbft_peer_connected\{peer="(\w+)"\} 0$/gm)].map(([, peer]) => peer);
    assert.deepEqual(peers, ['0', '2', '3']);
    assert.match(text, /^pbft_is_ready 0$/m);
  });

  for (const name of NAMES) {
    it(`says whose port is taken where ${PURPOSES[name]} would be served, and leaves nothing open`, async () => {
      const holder: Server = createServer();
      holder.listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as AddressInfo;
      try {
        const taken = `127.0.0.1:${port}`;
        await assert.rejects(start(2, { [`listen.${name}`]: taken }), (error) => {
          assert.ok(error instanceof StartError);
          assert.equal(
            error.message,
            `can't listen for ${PURPOSES[name]} at ${taken}: another process uses the port (EADDRINUSE); ` +
              `stop it, or choose another port in \`listen.${name}\``,
          );
          return true;
        });
      } finally {
        holder.close();
      }
      // Its data directory is free again, and so are its other ports.
      const replica = await start(2);
      assert.equal(replica.status().replica, 2);
    });
  }

  it('says that its data directory is in use, and harms the replica that uses it as little as its ports', async () => {
    const first = await start(0);
    await assert.rejects(start(0), /is in use by process \d+/);
    assert.equal((await get(first, '/livez')).status, 200);
  });

  it('can be started again when it has stopped', async () => {
    const first = await start(3);
    await first.stop();
    await first.stop();
    assert.equal((await start(3)).name, first.name);
  });
});
