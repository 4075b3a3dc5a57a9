/** One replica's links on the simulated network: the Transport port. */
import type { Transport } from '../../../src/ports/transport.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import type { SimulatedNetwork } from './network.js';
import type { ProcessLife } from './process-life.js';

/** What a transport stands on. */
export interface SimulatedTransportOptions {
  readonly network: SimulatedNetwork;
  readonly own: ReplicaId;
  readonly replicaCount: number;
  readonly life: ProcessLife;
}

/** The transport of one life of a replica. */
export function createSimulatedTransport({ network, own, replicaCount, life }: SimulatedTransportOptions): Transport {
  const peers = Array.from({ length: replicaCount }, (_, id) => replicaId(id)).filter((id) => id !== own);
  let isListening = false;
  return {
    start: (handlers, started) => {
      if (life.act()) {
        isListening = true;
        network.attach({ replica: own, life, handlers });
        started(undefined);
      }
    },
    send: (peer, message) => isListening && life.act() && network.send(own, peer, message),
    setReading: (peer, reading) => {
      if (isListening && life.act()) {
        network.setReading(own, peer, reading);
      }
    },
    links: () =>
      peers.map((peer) => ({
        peer,
        connected: isListening && network.isUp(own, peer),
        lastError: '',
        ...queuedOf(network, own, peer),
        roomBytes: isListening ? network.roomBytes(own, peer) : 0,
      })),
    stop: (done) => {
      if (isListening && life.act()) {
        isListening = false;
        network.detach(own);
      }
      done();
    },
  };
}

function queuedOf(network: SimulatedNetwork, own: ReplicaId, peer: ReplicaId) {
  const { queuedMessages, queuedBytes } = network.queued(own, peer);
  return { queuedMessages, queuedBytes };
}
