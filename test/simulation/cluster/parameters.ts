/** The parameters of a simulated cluster: small ones, so that windows fill and checkpoints come often. */
import type { ConsensusParameters, LocalParameters } from '../../../src/protocol/parameters.js';
import { computeQuorumSizes, type QuorumSizes } from '../../../src/protocol/quorum.js';
import type { QueueBounds } from '../../../src/runtime/replica-runtime-options.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import type { Random } from '../kernel/random.js';

/** What a cluster is configured with. */
export interface ClusterParameters {
  readonly sizes: QuorumSizes;
  readonly consensus: ConsensusParameters;
  readonly local: LocalParameters;
  readonly queues: QueueBounds;
  readonly limits: WireLimits;
  readonly messageBytesMax: number;
  readonly linkQueueBytesMax: number;
}

/** Of each size, how often out of the sum it is drawn. */
const SIZES = [4, 4, 4, 4, 4, 4, 5, 5, 6, 7, 7, 10] as const;

const KIB = 1_024;

/** The parameters of a seed. */
export function drawParameters(random: Random): ClusterParameters {
  const replicaCount = random.pick(SIZES);
  const checkpointInterval = random.pick([2, 4, 8, 16]);
  const windowSize = checkpointInterval * random.integer(2, 4);
  const consensus: ConsensusParameters = {
    checkpointInterval,
    windowSize,
    batchOperationsMax: random.pick([4, 16, 64]),
    batchBytesMax: 64 * KIB,
    requestBytesMax: 16 * KIB,
    // Room for one costly range at least; then a few fill a batch by their cost.
    requestCostMax: 1_280 * KIB,
    batchCostMax: random.pick([1_280 * KIB, 2_048 * KIB, 8_192 * KIB]),
    resultBytesMax: 16 * KIB,
    keptResultBytesMax: 8 * KIB,
    clientWindow: random.pick([16, 64, 1_024]),
    snapshotInterval: 64 * checkpointInterval,
    clockDriftMs: 10_000,
  };
  const local: LocalParameters = {
    pipeline: random.integer(1, Math.min(8, windowSize)),
    requestTimeoutMs: 2_000,
    requestTimeoutMaxMs: 60_000,
    batchDelayMs: 2,
    waitingRequestsOfClientMax: random.pick([16, 1_024]),
    waitingRequestsMax: random.pick([64, 4_096]),
    waitingBytesMax: 1_024 * KIB,
  };
  return {
    sizes: computeQuorumSizes(replicaCount),
    consensus,
    local,
    queues: {
      peerMessagesMax: random.pick([16, 64, 1_024]),
      peerBytesMax: 256 * KIB,
      clientOperationsMax: 256,
      clientBytesMax: 256 * KIB,
    },
    limits: { ...consensus, replicaCount },
    messageBytesMax: 256 * KIB,
    linkQueueBytesMax: 1_024 * KIB,
  };
}
