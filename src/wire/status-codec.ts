/** The payload of a Status: the one message that a replica makes anew every second. */
import { replicaId, sequence as toSequence, view as toView } from '../protocol/identifiers.js';
import type { HeldCheckpoint, NamedViewChange, Status } from '../protocol/messages.js';
import { DIGEST_BYTES, digestBytes, digestOf } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import { decodeElements, type ElementOrder } from './element-list.js';
import {
  computeBitmapBytesMax,
  computeHeldCheckpointsMax,
  computeHeldViewChangesMax,
  HELD_CHECKPOINT_BYTES_MAX,
  NAMED_VIEW_CHANGE_BYTES_MAX,
  type WireLimits,
} from './limits.js';
import type { Malformed } from './malformed.js';
import { decodeViewChangeName, encodeViewChangeName } from './view-change-name-codec.js';

/** So none is named twice. */
const HELD_CHECKPOINT_ORDER: ElementOrder<HeldCheckpoint> = {
  isBefore: (left, right) =>
    left.sequence < right.sequence || (left.sequence === right.sequence && left.replica < right.replica),
  by: 'sequence, then replica',
};

const VIEW_CHANGE_ORDER: ElementOrder<NamedViewChange> = {
  isBefore: (left, right) =>
    left.replica < right.replica || (left.replica === right.replica && left.digest < right.digest),
  by: 'replica, then digest',
};

/** The bytes to sign. */
export function encodeStatus(status: Status): Uint8Array {
  const writer = new CanonicalWriter()
    .number(1, status.to)
    .number(2, status.view)
    .flag(3, status.active)
    .number(4, status.lowWatermark)
    .number(5, status.lastExecuted)
    .number(6, status.clockMs)
    .bytesUnlessEmpty(7, status.missingPrePrepares)
    .bytesUnlessEmpty(8, status.missingPrepares)
    .bytesUnlessEmpty(9, status.missingCommits);
  for (const { replica, sequence } of status.checkpoints) {
    writer.bytes(10, new CanonicalWriter(HELD_CHECKPOINT_BYTES_MAX).number(1, replica).number(2, sequence).finish());
  }
  writer.number(11, status.number).flag(12, status.recovering);
  for (const name of status.viewChanges) {
    writer.bytes(13, encodeViewChangeName(name));
  }
  if (status.newViewDigest !== undefined) {
    writer.bytes(14, digestBytes(status.newViewDigest));
  }
  return writer.number(15, status.heard).finish();
}

/** The Status in signed bytes. */
export function decodeStatus(payload: Uint8Array, limits: WireLimits): Result<Status, Malformed> {
  const reader = new CanonicalReader(payload);
  const { replicaCount } = limits;
  const bitmapRange = { max: computeBitmapBytesMax(limits) };
  const to = replicaId(reader.requireNumber(1, 'to', { max: replicaCount - 1 }));
  const view = toView(reader.requireNumber(2, 'view'));
  const active = reader.readFlag(3, 'active');
  const lowWatermark = toSequence(reader.requireNumber(4, 'low_watermark'));
  const lastExecuted = toSequence(reader.requireNumber(5, 'last_executed'));
  const clockMs = reader.requireNumber(6, 'clock_ms');
  const missingPrePrepares = reader.readBytes(7, 'missing_pre_prepares', bitmapRange);
  const missingPrepares = reader.readBytes(8, 'missing_prepares', bitmapRange);
  const missingCommits = reader.readBytes(9, 'missing_commits', bitmapRange);
  const encodedCheckpoints = reader.readRepeated(10, 'checkpoints', {
    max: HELD_CHECKPOINT_BYTES_MAX,
    countMax: computeHeldCheckpointsMax(limits),
  });
  const number = reader.requireNumber(11, 'number', { min: 1 });
  const recovering = reader.readFlag(12, 'recovering');
  const encodedViewChanges = reader.readRepeated(13, 'view_changes', {
    max: NAMED_VIEW_CHANGE_BYTES_MAX,
    countMax: computeHeldViewChangesMax(limits),
  });
  const newViewDigest = reader.isNext(14, 'bytes')
    ? digestOf(reader.requireBytes(14, 'new_view_digest', { min: DIGEST_BYTES, max: DIGEST_BYTES }))
    : undefined;
  const heard = reader.requireNumber(15, 'heard');
  const checkpoints = decodeElements(
    reader,
    { name: 'checkpoints', encoded: encodedCheckpoints, order: HELD_CHECKPOINT_ORDER },
    (bytes) => decodeHeldCheckpoint(bytes, replicaCount),
  );
  const viewChanges = decodeElements(
    reader,
    { name: 'view_changes', encoded: encodedViewChanges, order: VIEW_CHANGE_ORDER },
    (bytes) => decodeViewChangeName(bytes, replicaCount),
  );
  return reader.finish({
    type: 'status',
    to,
    view,
    active,
    lowWatermark,
    lastExecuted,
    clockMs,
    missingPrePrepares,
    missingPrepares,
    missingCommits,
    checkpoints,
    number,
    recovering,
    viewChanges,
    newViewDigest,
    heard,
  });
}

function decodeHeldCheckpoint(bytes: Uint8Array, replicaCount: number): Result<HeldCheckpoint, Malformed> {
  const reader = new CanonicalReader(bytes);
  const replica = replicaId(reader.requireNumber(1, 'replica', { max: replicaCount - 1 }));
  const sequence = toSequence(reader.requireNumber(2, 'sequence', { min: 1 }));
  return reader.finish({ replica, sequence });
}
