/**
 * What replicas sign, message.proto, declared: PrePrepare, Prepare, Commit, Checkpoint, Status, ViewChange, NewView. What
 * is decoded has every field, in range; whether it fits the state is the core's to judge.
 *
 * Signed messages in a ViewChange or NewView come out with their own bytes and signatures, not checked: the signature
 * around them says only who put them together. What of them outlives what it came in is detached from it (checkpoints,
 * the pre-prepares of a new view); prepared certificates are views on the whole.
 */
import type {
  Checkpoint,
  Commit,
  HeldCheckpoint,
  NamedViewChange,
  NewView,
  PrePrepare,
  Prepare,
  PreparedProof,
  ProtocolMessage,
  Signed,
  Status,
  ViewChange,
} from '../protocol/messages.js';
import { opened, signedOf } from './envelope.js';
import { bytesOrEmpty, constant, digest, flag, integer, optionalDigest, replica, sequence, view } from './field.js';
import {
  computeBitmapBytesMax,
  computeHeldCheckpointsMax,
  computeHeldViewChangesMax,
  type WireLimits,
} from './limits.js';
import { converted, list, type Message, message, nested } from './message.js';

/** The message of one type. */
export type MessageOf<T extends ProtocolMessage['type']> = Extract<ProtocolMessage, { readonly type: T }>;

const VOTE = { view: view(1), sequence: sequence(2), batchDigest: digest(3) };

const PRE_PREPARE: Message<PrePrepare> = message({ type: constant('prePrepare'), ...VOTE });
const PREPARE: Message<Prepare> = message({ type: constant('prepare'), ...VOTE });
const COMMIT: Message<Commit> = message({ type: constant('commit'), ...VOTE });
const CHECKPOINT: Message<Checkpoint> = message({
  type: constant('checkpoint'),
  sequence: sequence(1),
  headerDigest: digest(2),
});

const HELD_CHECKPOINT: Message<HeldCheckpoint> = message({ replica: replica(1), sequence: sequence(2) });

/** Who signed a view change, and its digest. */
export const NAMED_VIEW_CHANGE: Message<NamedViewChange> = message({ replica: replica(1), digest: digest(2) });

const bitmap = (number: number) => bytesOrEmpty(number, { max: computeBitmapBytesMax });

/** The one message that a replica makes anew every second. */
const STATUS: Message<Status> = message({
  type: constant('status'),
  to: replica(1),
  view: view(2),
  active: flag(3),
  lowWatermark: sequence(4, 0),
  lastExecuted: sequence(5, 0),
  clockMs: integer(6),
  missingPrePrepares: bitmap(7),
  missingPrepares: bitmap(8),
  missingCommits: bitmap(9),
  checkpoints: list(10, HELD_CHECKPOINT, {
    countMax: computeHeldCheckpointsMax,
    order: {
      isBefore: (left, right) =>
        left.sequence < right.sequence || (left.sequence === right.sequence && left.replica < right.replica),
      by: 'sequence, then replica',
    },
  }),
  number: integer(11, { min: 1 }),
  recovering: flag(12),
  viewChanges: list(13, NAMED_VIEW_CHANGE, {
    countMax: computeHeldViewChangesMax,
    order: {
      isBefore: (left, right) =>
        left.replica < right.replica || (left.replica === right.replica && left.digest < right.digest),
      by: 'replica, then digest',
    },
  }),
  newViewDigest: optionalDigest(14),
  heard: integer(15),
});

/** Signed messages of one type, as they stand in other messages. */
function signed<M extends ProtocolMessage>(type: M['type'], payload: Message<M>): Message<Signed<M>> {
  return converted(signedOf<M>({ [type]: payload }), {
    decoded: (envelope, limits) => opened(envelope, payload.decode(envelope.payload, limits)),
    encoded: (value: Signed<M>) => value,
  });
}

export const SIGNED_PRE_PREPARE = signed('prePrepare', PRE_PREPARE);
export const SIGNED_PREPARE = signed('prepare', PREPARE);
export const SIGNED_COMMIT = signed('commit', COMMIT);
export const SIGNED_CHECKPOINT = signed('checkpoint', CHECKPOINT);
const perReplica = ({ replicaCount }: WireLimits): number => replicaCount;
const perSequence = ({ windowSize }: WireLimits): number => windowSize;

/** A batch prepared in a view. The primary sends no prepare, so there are fewer prepares than replicas. */
export function preparedCertificateOf<P, Q>(
  prePrepare: Message<P, Signed<PrePrepare>>,
  prepare: Message<Q, Signed<Prepare>>,
): Message<{ readonly prePrepare: P; readonly prepares: readonly Q[] }, PreparedProof> {
  return message({
    prePrepare: nested(1, prePrepare),
    prepares: list(2, prepare, { countMax: ({ replicaCount }) => replicaCount - 1 }),
  });
}

const PREPARED_CERTIFICATE: Message<PreparedProof> = preparedCertificateOf(SIGNED_PRE_PREPARE, SIGNED_PREPARE);

const VIEW_CHANGE: Message<ViewChange> = message({
  type: constant('viewChange'),
  newView: view(1, 1),
  stableCheckpoint: sequence(2, 0),
  checkpointCertificate: list(3, SIGNED_CHECKPOINT, { countMax: perReplica, detached: true }),
  prepared: list(4, PREPARED_CERTIFICATE, {
    countMax: perSequence,
    order: {
      isBefore: (left, right) => left.prePrepare.message.sequence < right.prePrepare.message.sequence,
      by: 'sequence',
    },
  }),
});

const NEW_VIEW: Message<NewView> = message({
  type: constant('newView'),
  newView: view(1, 1),
  viewChanges: list(2, NAMED_VIEW_CHANGE, {
    countMax: perReplica,
    order: { isBefore: (left, right) => left.replica < right.replica, by: 'replica' },
  }),
  prePrepares: list(3, SIGNED_PRE_PREPARE, {
    countMax: perSequence,
    detached: true,
    order: { isBefore: (left, right) => left.message.sequence < right.message.sequence, by: 'sequence' },
  }),
});

/** What replicas sign, by type. */
export const PAYLOADS: { readonly [T in ProtocolMessage['type']]: Message<MessageOf<T>> } = {
  prePrepare: PRE_PREPARE,
  prepare: PREPARE,
  commit: COMMIT,
  checkpoint: CHECKPOINT,
  status: STATUS,
  viewChange: VIEW_CHANGE,
  newView: NEW_VIEW,
};
