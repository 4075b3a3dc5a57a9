/**
 * The consensus parameters as they stand in the genesis: all of them, spelled out, so that two releases with different
 * defaults never disagree. Bounds of each and between them.
 */
import { z } from 'zod';
import type { ConsensusParameters } from '../protocol/parameters.js';
import { utf8 } from '../util/bytes.js';
import type { Digest, Hash } from '../util/digest.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** The most operations that a batch may be allowed: an operation's index in its batch has 16 bits. */
const BATCH_OPERATIONS_LIMIT = 65_536;
/** What a batch's encoding may add to its largest request: envelope, signature, timestamp. */
const BATCH_OVERHEAD_BYTES = 2 * KIB;

const DEFAULT_CHECKPOINT_INTERVAL = 128;

/** What `pbft init` writes. */
export const DEFAULT_CONSENSUS_PARAMETERS: ConsensusParameters = {
  checkpointInterval: DEFAULT_CHECKPOINT_INTERVAL,
  windowSize: 2 * DEFAULT_CHECKPOINT_INTERVAL,
  batchOperationsMax: 1_000,
  batchBytesMax: 2 * MIB,
  requestBytesMax: MIB + 64 * KIB,
  requestCostMax: 2 * MIB,
  batchCostMax: 8 * MIB,
  resultBytesMax: MIB + 64 * KIB,
  keptResultBytesMax: 4 * MIB,
  clientWindow: 1_024,
  snapshotInterval: 64 * DEFAULT_CHECKPOINT_INTERVAL,
  clockDriftMs: 10_000,
};

function range(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max);
}

/** What each parameter is, for the documentation. */
export const PARAMETER_DESCRIPTIONS: Readonly<Record<keyof ConsensusParameters, string>> = {
  checkpointInterval: 'sequences from one checkpoint to the next',
  windowSize:
    'sequences above the stable checkpoint that may be agreed on; a multiple of the interval, at least twice it',
  batchOperationsMax: `operations in a batch, at most ${BATCH_OPERATIONS_LIMIT}`,
  batchBytesMax: 'bytes of a batch',
  requestBytesMax: `bytes of a request; ${BATCH_OVERHEAD_BYTES} less than a batch, or fewer`,
  requestCostMax:
    'what the operations of a request cost together at most: bytes that they read and answer, and something for each',
  batchCostMax: 'what the requests of a batch cost together; at least one request',
  resultBytesMax: 'bytes of the result of an operation',
  keptResultBytesMax: 'bytes of results that are kept of a client to answer repeats; at least one result',
  clientWindow: "how far a request's number may be above the highest acknowledged one",
  snapshotInterval: 'sequences from one snapshot to the next; a multiple of the checkpoint interval',
  clockDriftMs: 'milliseconds that correct clocks may be apart',
};

/** The parameters' own bounds. */
export const consensusParametersSchema = z.strictObject({
  checkpointInterval: range(1, 16_384),
  windowSize: range(2, 65_536),
  batchOperationsMax: range(1, BATCH_OPERATIONS_LIMIT),
  batchBytesMax: range(4 * KIB, 128 * MIB),
  requestBytesMax: range(KIB, 128 * MIB),
  requestCostMax: range(KIB, 1024 * MIB),
  batchCostMax: range(KIB, 1024 * MIB),
  resultBytesMax: range(KIB, 128 * MIB),
  keptResultBytesMax: range(KIB, 1024 * MIB),
  clientWindow: range(16, 65_536),
  snapshotInterval: range(1, 16_777_216),
  clockDriftMs: range(100, 3_600_000),
}) satisfies z.ZodType<ConsensusParameters>;

/** Something wrong with a value, without the file. */
export interface Fault {
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

function rule(holds: boolean, fault: Fault): readonly Fault[] {
  return holds ? [] : [fault];
}

/** What is wrong between the parameters: each message names both numbers. */
export function checkConsensusParameters(parameters: ConsensusParameters): readonly Fault[] {
  const { checkpointInterval, windowSize, snapshotInterval, requestBytesMax, batchBytesMax } = parameters;
  const { requestCostMax, batchCostMax, resultBytesMax, keptResultBytesMax } = parameters;
  const interval = `checkpointInterval (${checkpointInterval})`;
  return [
    ...rule(windowSize % checkpointInterval === 0, {
      path: 'windowSize',
      message: `the window (${windowSize}) is no multiple of ${interval}`,
      remedy: `Give a multiple, such as ${2 * checkpointInterval}`,
    }),
    ...rule(windowSize >= 2 * checkpointInterval, {
      path: 'windowSize',
      message: `the window (${windowSize}) is less than twice ${interval}`,
      remedy: `Give at least ${2 * checkpointInterval}`,
    }),
    ...rule(snapshotInterval % checkpointInterval === 0, {
      path: 'snapshotInterval',
      message: `the snapshot interval (${snapshotInterval}) is no multiple of ${interval}`,
      remedy: `Give a multiple, such as ${64 * checkpointInterval}`,
    }),
    ...rule(requestBytesMax + BATCH_OVERHEAD_BYTES <= batchBytesMax, {
      path: 'requestBytesMax',
      message: `a request of ${requestBytesMax} bytes does not fit a batch of batchBytesMax (${batchBytesMax}) bytes`,
      remedy: `Give at most ${batchBytesMax - BATCH_OVERHEAD_BYTES}, or a larger batchBytesMax`,
    }),
    ...rule(requestCostMax <= batchCostMax, {
      path: 'batchCostMax',
      message: `batchCostMax (${batchCostMax}) does not hold one request of requestCostMax (${requestCostMax})`,
      remedy: `Give at least ${requestCostMax}`,
    }),
    ...rule(resultBytesMax <= keptResultBytesMax, {
      path: 'keptResultBytesMax',
      message: `keptResultBytesMax (${keptResultBytesMax}) does not hold one result of resultBytesMax (${resultBytesMax})`,
      remedy: `Give at least ${resultBytesMax}`,
    }),
  ];
}

/** SHA-256 over the canonical JSON of parameters and application: peers compare it when they meet. */
export function computeParametersDigest(parameters: ConsensusParameters, application: string, hash: Hash): Digest {
  const sorted = Object.entries(parameters).sort(([left], [right]) => (left < right ? -1 : 1));
  const canonical = JSON.stringify({ application, parameters: Object.fromEntries(sorted) });
  return hash(utf8(canonical));
}
