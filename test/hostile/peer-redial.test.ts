/** What a dialler leaves behind of attempts that are over: nothing that its peer would see. */

import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { replicaId } from '../../src/protocol/identifiers.js';
import { isConnected, TestCluster, until } from '../support/network-cluster.js';

describe('a dialler whose peer does not listen yet', () => {
  let cluster: TestCluster;

  beforeEach(async () => {
    cluster = await TestCluster.create();
  });

  afterEach(() => cluster.stop());

  it('makes no connection for an attempt that is over, when the peer listens at last', async () => {
    const { port } = await new Promise<AddressInfo>((resolve) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const bound = probe.address() as AddressInfo;
        probe.close(() => resolve(bound));
      });
    });
    const listen = { host: '127.0.0.1', port };
    cluster.addresses.set(replicaId(0), listen);
    const dialler = await cluster.start(1);
    const failures = () => dialler.metrics.value('pbft_link_resets_total', { peer: '0', reason: 'unreachable' });
    await until(() => failures() >= 4, 'some attempts in vain');
    const listener = await cluster.start(0, { listen });
    await until(() => isConnected(listener, 1), 'the link');
    // As long as grpc-js waits before it tries again by itself.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(listener.metrics.value('pbft_link_resets_total', { peer: 'unknown', reason: 'closed' }), 0);
  });
});
