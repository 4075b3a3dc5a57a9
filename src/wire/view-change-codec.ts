/**
 * The payloads of ViewChange and NewView of message.proto [OSDI §4.4]. The signed messages in them come out with their
 * own bytes and signatures, not checked: the signature around them says only who put them together.
 *
 * What outlives the message that it came in (checkpoints, the pre-prepares of a new view) is detached from it; the
 * prepared certificates are views on the whole.
 */
import { sequence as toSequence, view as toView } from '../protocol/identifiers.js';
import type { NamedViewChange, NewView, PrePrepare, PreparedProof, Signed, ViewChange } from '../protocol/messages.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { detach } from './detach.js';
import { decodeElements, type ElementOrder } from './element-list.js';
import { encodeSigned } from './envelope.js';
import { computeProofBytesMax, NAMED_VIEW_CHANGE_BYTES_MAX, VOTE_BYTES_MAX, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import { decodeSignedStatement } from './statement-codec.js';
import { decodeViewChangeName, encodeViewChangeName } from './view-change-name-codec.js';

/** More than the fields of fixed size take. */
const FIXED_BYTES = 64;

const PROOF_ORDER: ElementOrder<PreparedProof> = {
  isBefore: (left, right) => left.prePrepare.message.sequence < right.prePrepare.message.sequence,
  by: 'sequence',
};
const PRE_PREPARE_ORDER: ElementOrder<Signed<PrePrepare>> = {
  isBefore: (left, right) => left.message.sequence < right.message.sequence,
  by: 'sequence',
};
const NAME_ORDER: ElementOrder<NamedViewChange> = {
  isBefore: (left, right) => left.replica < right.replica,
  by: 'replica',
};

/** The bytes to sign. */
export function encodeViewChange(viewChange: ViewChange): Uint8Array {
  const checkpoints = viewChange.checkpointCertificate.map(encodeSigned);
  const proofs = viewChange.prepared.map(encodeProof);
  const writer = new CanonicalWriter(FIXED_BYTES + sizeOfFields([...checkpoints, ...proofs]))
    .number(1, viewChange.newView)
    .number(2, viewChange.stableCheckpoint);
  for (const checkpoint of checkpoints) {
    writer.bytes(3, checkpoint);
  }
  for (const proof of proofs) {
    writer.bytes(4, proof);
  }
  return writer.finish();
}

/** The ViewChange in signed bytes. */
export function decodeViewChange(payload: Uint8Array, limits: WireLimits): Result<ViewChange, Malformed> {
  const { replicaCount, windowSize } = limits;
  const reader = new CanonicalReader(payload);
  const newView = toView(reader.requireNumber(1, 'new_view', { min: 1 }));
  const stableCheckpoint = toSequence(reader.requireNumber(2, 'stable_checkpoint'));
  const encodedCheckpoints = reader.readRepeated(3, 'checkpoint_certificate', {
    max: VOTE_BYTES_MAX,
    countMax: replicaCount,
  });
  const encodedProofs = reader.readRepeated(4, 'prepared', {
    max: computeProofBytesMax(limits),
    countMax: windowSize,
  });
  const checkpointCertificate = decodeElements(
    reader,
    { name: 'checkpoint_certificate', encoded: encodedCheckpoints },
    (bytes) => decodeSignedStatement(detach(bytes), 'checkpoint', replicaCount),
  );
  const prepared = decodeElements(reader, { name: 'prepared', encoded: encodedProofs, order: PROOF_ORDER }, (bytes) =>
    decodeProof(bytes, replicaCount),
  );
  return reader.finish({ type: 'viewChange', newView, stableCheckpoint, checkpointCertificate, prepared });
}

/** The bytes to sign. */
export function encodeNewView(newView: NewView): Uint8Array {
  const names = newView.viewChanges.map(encodeViewChangeName);
  const prePrepares = newView.prePrepares.map(encodeSigned);
  const writer = new CanonicalWriter(FIXED_BYTES + sizeOfFields([...names, ...prePrepares])).number(1, newView.newView);
  for (const name of names) {
    writer.bytes(2, name);
  }
  for (const prePrepare of prePrepares) {
    writer.bytes(3, prePrepare);
  }
  return writer.finish();
}

/** The NewView in signed bytes. */
export function decodeNewView(payload: Uint8Array, limits: WireLimits): Result<NewView, Malformed> {
  const { replicaCount, windowSize } = limits;
  const reader = new CanonicalReader(payload);
  const newView = toView(reader.requireNumber(1, 'new_view', { min: 1 }));
  const encodedNames = reader.readRepeated(2, 'view_changes', {
    max: NAMED_VIEW_CHANGE_BYTES_MAX,
    countMax: replicaCount,
  });
  const encodedPrePrepares = reader.readRepeated(3, 'pre_prepares', { max: VOTE_BYTES_MAX, countMax: windowSize });
  const viewChanges = decodeElements(
    reader,
    { name: 'view_changes', encoded: encodedNames, order: NAME_ORDER },
    (bytes) => decodeViewChangeName(bytes, replicaCount),
  );
  const prePrepares = decodeElements(
    reader,
    { name: 'pre_prepares', encoded: encodedPrePrepares, order: PRE_PREPARE_ORDER },
    (bytes) => decodeSignedStatement(detach(bytes), 'prePrepare', replicaCount),
  );
  return reader.finish({ type: 'newView', newView, viewChanges, prePrepares });
}

function encodeProof({ prePrepare, prepares }: PreparedProof): Uint8Array {
  const first = encodeSigned(prePrepare);
  const others = prepares.map(encodeSigned);
  const writer = new CanonicalWriter(FIXED_BYTES + sizeOfFields([first, ...others])).bytes(1, first);
  for (const prepare of others) {
    writer.bytes(2, prepare);
  }
  return writer.finish();
}

/** The primary sends no prepare, so there are fewer prepares than replicas. */
function decodeProof(bytes: Uint8Array, replicaCount: number): Result<PreparedProof, Malformed> {
  const reader = new CanonicalReader(bytes);
  const prePrepareBytes = reader.requireBytes(1, 'pre_prepare', { max: VOTE_BYTES_MAX });
  const encodedPrepares = reader.readRepeated(2, 'prepares', { max: VOTE_BYTES_MAX, countMax: replicaCount - 1 });
  const prepares = decodeElements(reader, { name: 'prepares', encoded: encodedPrepares }, (prepareBytes) =>
    decodeSignedStatement(prepareBytes, 'prepare', replicaCount),
  );
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const prePrepare = decodeSignedStatement(prePrepareBytes, 'prePrepare', replicaCount);
  return prePrepare.ok
    ? ok({ prePrepare: prePrepare.value, prepares })
    : failed(within('pre_prepare', prePrepare.error));
}

function sizeOfFields(encoded: readonly Uint8Array[]): number {
  let sizeBytes = 0;
  for (const { length } of encoded) {
    sizeBytes += bytesFieldSizeBytes(length);
  }
  return sizeBytes;
}
