/** What all replicas of a run share: time, chance, network, keys, and those who watch. */
import type { Coalition } from '../../../src/adversary/strategy.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer, Violations } from '../checks/observer.js';
import type { MessageReader } from '../checks/seen-message.js';
import type { EventLoop } from '../kernel/event-loop.js';
import type { Random } from '../kernel/random.js';
import type { Trace } from '../kernel/trace.js';
import type { SimulatedNetwork } from '../machine/network.js';
import type { SignatureRegistry } from '../machine/signatures.js';
import type { ClusterParameters } from './parameters.js';
import type { Counters } from './watched-metrics.js';

/** The surroundings of the replicas of one run. */
export interface World {
  readonly parameters: ClusterParameters;
  readonly clusterId: Digest;
  readonly loop: EventLoop;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: SimulatedNetwork;
  readonly reader: MessageReader;
  readonly signatures: SignatureRegistry;
  readonly violations: Violations;
  readonly observer: Required<Observer>;
  readonly counters: Counters;
  /** What the replicas that are not correct know of each other. */
  readonly coalition: Coalition;
  readonly isCorrect: (replica: ReplicaId) => boolean;
  /** When each replica's disk was replaced last, of those that it happened to. */
  readonly forgotten: Map<ReplicaId, number>;
  /** Whether replicas wait for their disks. */
  readonly syncs: boolean;
}
