/** The simulator's transport, its virtual time moved on as the suite waits: what it stands for must behave the same. */
import assert from 'node:assert/strict';
import { describeMessage, MessageReader } from '../simulation/checks/seen-message.js';
import { EventLoop } from '../simulation/kernel/event-loop.js';
import { Random } from '../simulation/kernel/random.js';
import { Trace } from '../simulation/kernel/trace.js';
import { SimulatedNetwork } from '../simulation/machine/network.js';
import { ProcessLife } from '../simulation/machine/process-life.js';
import { createSimulatedTransport } from '../simulation/machine/transport.js';
import { CONSENSUS } from '../support/core-cluster.js';
import { describeTransport } from '../support/network-transport-contract.js';

const REPLICA_COUNT = 3;
const LIMITS = { messageBytesMax: 64 * 1024, queueBytesMax: 256 * 1024 };
const WAIT_MS = 10_000;

describeTransport('simulated', async () => {
  const loop = new EventLoop();
  const reader = new MessageReader({ ...CONSENSUS, replicaCount: REPLICA_COUNT });
  const network = new SimulatedNetwork({
    ...LIMITS,
    loop,
    random: new Random('transport contract'),
    trace: new Trace(loop, false),
    replicaCount: REPLICA_COUNT,
    onSent: () => undefined,
    describe: (message) => describeMessage(reader.read(message)),
  });
  return {
    ...LIMITS,
    make: (own) => {
      const life = new ProcessLife(
        () => assert.fail('nothing crashes here'),
        (error) => {
          throw error;
        },
      );
      return createSimulatedTransport({ network, own, replicaCount: REPLICA_COUNT, life });
    },
    until: async (condition, what) => {
      const deadlineMs = loop.nowMs + WAIT_MS;
      while (!condition()) {
        assert.ok(loop.nowMs < deadlineMs && loop.step(), `waited for ${what}`);
      }
    },
    close: async () => undefined,
  };
});
