/**
 * How long the longest legal messages between replicas can be, by cluster size, window and limits (GR-01):
 * a link that can't carry one of them would break on it again and again. Upper bounds, summed from the encodings'
 * field widths; a test holds them against real encodings.
 */
import type { ConsensusParameters } from '../protocol/parameters.js';
import type { QuorumSizes } from '../protocol/quorum.js';
import { defined } from '../util/assert.js';
import { computeSignedBytesMax, type LongType } from '../wire/limits.js';
import { computePeerMessageBytesMax, PEER_MESSAGE_OVERHEAD_BYTES } from '../wire/peer-codec.js';

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

/** A kind of message with its longest encoding. */
export interface MessageSize {
  readonly name: string;
  readonly sizeBytes: number;
}

/** A signed vote beside its signature: view, sequence, digest (52), envelope and framing, rounded up. */
const VOTE_BYTES = 96;
/** A header in its fixed-width encoding, as a field. */
const HEADER_BYTES = 256;
/** Tags and lengths around a whole message, from the frame down. */
const FRAME_BYTES = 64;

/** The longest encoding of each kind of message, longest first. */
export function computeMessageSizes({ quorumSizes, signatureBytes, parameters }: MessageSizeInput): MessageSize[] {
  const { checkpointInterval, batchBytesMax, requestBytesMax } = parameters;
  const { replicaCount } = quorumSizes;
  const limits = { ...parameters, replicaCount };
  const vote = VOTE_BYTES + signatureBytes;
  const signed = (type: LongType): number =>
    computeSignedBytesMax(type, limits, signatureBytes) + PEER_MESSAGE_OVERHEAD_BYTES;
  const bodies: readonly MessageSize[] = [
    { name: 'Proposal', sizeBytes: vote + batchBytesMax },
    { name: 'CommittedBatch', sizeBytes: batchBytesMax + replicaCount * vote },
    { name: 'LedgerRange', sizeBytes: batchBytesMax + HEADER_BYTES },
    { name: 'Request', sizeBytes: requestBytesMax + vote },
    { name: 'CheckpointCertificate', sizeBytes: replicaCount * vote },
    { name: 'Headers', sizeBytes: 2 * checkpointInterval * HEADER_BYTES },
    { name: 'ViewChange', sizeBytes: signed('viewChange') },
    { name: 'NewView', sizeBytes: signed('newView') },
    { name: 'Evidence', sizeBytes: 2 * signed('newView') },
    { name: 'Status', sizeBytes: signed('status') },
  ];
  // What the decoder lets through. It comes last, so that of equals the one with a name is shown.
  const decoded = { name: 'PeerMessage', sizeBytes: computePeerMessageBytesMax(limits, signatureBytes) };
  return [...bodies, decoded]
    .map(({ name, sizeBytes }) => ({ name, sizeBytes: Math.ceil(sizeBytes) + FRAME_BYTES }))
    .sort((left, right) => right.sizeBytes - left.sizeBytes);
}

/** The longest legal message. */
export function computeLargestMessage(input: MessageSizeInput): MessageSize {
  return defined(computeMessageSizes(input)[0], 'there are messages');
}
