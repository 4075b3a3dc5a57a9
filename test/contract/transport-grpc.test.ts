/** The transport over gRPC with real TLS, on free ports of the loopback. */
import type { Transport } from '../../src/ports/transport.js';
import type { ReplicaId } from '../../src/protocol/identifiers.js';
import { keysOfCluster, LIMITS, TestCluster, until } from '../support/network-cluster.js';
import { describeTransport } from '../support/network-transport-contract.js';

describeTransport('gRPC', async () => {
  const cluster = await TestCluster.create();

  /** Tells the others the port as soon as there is one. */
  function announced(
    transport: Transport,
    replica: ReplicaId,
    address: () => { host: string; port: number },
  ): Transport {
    return {
      start: (handlers, started) =>
        transport.start(handlers, (error) => {
          if (error === undefined) {
            cluster.addresses.set(replica, address());
          }
          started(error);
        }),
      send: (peer, message, priority) => transport.send(peer, message, priority),
      setReading: (peer, reading) => transport.setReading(peer, reading),
      links: () => transport.links(),
      stop: (done) => transport.stop(done),
    };
  }

  return {
    ...LIMITS,
    make: (replica) => {
      const { transport } = cluster.make(replica);
      return announced(transport, replica, () => transport.address() ?? { host: '127.0.0.1', port: 0 });
    },
    until,
    close: () => cluster.stop(),
  };
});

before(() => keysOfCluster());
