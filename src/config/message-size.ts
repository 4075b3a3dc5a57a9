/**
 * How long the longest legal messages between replicas can be, by cluster size, window and limits (GR-01):
 * a link that can't carry one of them would break on it again and again. They follow from the messages' declarations; a
 * test holds them against real encodings.
 */
import type { ConsensusParameters } from '../protocol/parameters.js';
import type { QuorumSizes } from '../protocol/quorum.js';
import { defined } from '../util/assert.js';
import { computePeerMessageSizes, type MessageSize } from '../wire/peer-message.js';

/** What the lengths depend on. */
export interface MessageSizeInput {
  readonly quorumSizes: Pick<QuorumSizes, 'replicaCount'>;
  /** The longest signature of a replica. */
  readonly signatureBytes: number;
  readonly parameters: Pick<
    ConsensusParameters,
    'checkpointInterval' | 'windowSize' | 'batchBytesMax' | 'batchOperationsMax' | 'requestBytesMax'
  >;
}

/** Tags and lengths around a whole message, in its frame and on the link. */
const FRAME_BYTES = 64;

/** The longest encoding of each kind of message, longest first. */
export function computeMessageSizes({ quorumSizes, signatureBytes, parameters }: MessageSizeInput): MessageSize[] {
  const { replicaCount } = quorumSizes;
  return computePeerMessageSizes({ ...parameters, replicaCount, signatureBytesMax: signatureBytes })
    .map(({ name, sizeBytes }) => ({ name, sizeBytes: sizeBytes + FRAME_BYTES }))
    .sort((left, right) => right.sizeBytes - left.sizeBytes);
}

/** The longest legal message. */
export function computeLargestMessage(input: MessageSizeInput): MessageSize {
  return defined(computeMessageSizes(input)[0], 'there are messages');
}
