/** A replica's key and one message, ten thousand times a second to each of the others: each kind is an attack (FU-08, FU-09). */
import { connect } from '../../../src/client/client.js';
import { Intruder } from '../../support/cluster-intruder.js';
import { flood } from '../../support/flood.js';
import { FLOOD_MESSAGES } from '../../support/flood-messages.js';
import type { Attack } from './attack.js';

/** Attacks by the replica that doesn't run, at all others. */
export const peerFloods: readonly Attack[] = Object.keys(FLOOD_MESSAGES).map((kind) => ({
  name: `peer-${kind}`,
  fault: kind.startsWith('fetch-') ? 'FU-09' : 'FU-08',
  title: `${kind}, 10,000 times a second to each replica`,
  by: 'peer',
  async run(cluster, isOver) {
    const targets = cluster.peerPorts.map((_, replica) => replica).slice(0, -1);
    const client = connect(`127.0.0.1:${cluster.clientPorts[0]}`);
    try {
      const intruder = new Intruder(cluster, targets.length);
      return { written: await flood({ intruder, kind, targets, status: () => client.status(), isOver }) };
    } finally {
      client.close();
    }
  },
}));
