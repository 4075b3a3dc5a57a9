/**
 * What proves the view that a replica is in: its own ViewChange where it is not active there, the NewView with the
 * ViewChanges that it names where it is. Megabytes with a wide window, so they stand under one key of their own, written
 * with the small record of the log that names their digest: whatever the log says anew when it is cut, they stay.
 */

import type { Completion, KeyValueStore } from '../ports/key-value-store.js';
import type { View } from '../protocol/identifiers.js';
import type { BegunView, LogRecord } from '../protocol/log-record.js';
import type { Signed, Verified, ViewChange } from '../protocol/messages.js';
import { isOf } from '../protocol/verified.js';
import { concatBytes, utf8 } from '../util/bytes.js';
import type { Digest, Hash } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from '../wire/canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from '../wire/canonical-writer.js';
import { decodeSigned } from '../wire/certificate-codec.js';
import { encodeSigned } from '../wire/envelope.js';
import type { WireLimits } from '../wire/limits.js';
import { type Malformed, within } from '../wire/malformed.js';
import { SINGLE_KEY } from './key-space.js';
import { corruptError } from './store-error.js';

/** How a replica is in its view, and the digest of what proves it. */
export type ViewStanding =
  /** It left for this view and had not signed its ViewChange. */
  | { readonly view: View; readonly phase: 'left' }
  | { readonly view: View; readonly phase: 'changing' | 'active'; readonly proofDigest: Digest };

/** What the standing record of a view refers to. */
export interface ViewProof {
  /** The own ViewChange, of a replica that is changing to the view. */
  readonly ownViewChange: Verified<Signed<ViewChange>> | undefined;
  /** What began the view, of one that is active in it. */
  readonly begunView: BegunView | undefined;
}

/** What there is of a replica that has left no view, or has not signed its ViewChange. */
export const NO_VIEW_PROOF: ViewProof = { ownViewChange: undefined, begunView: undefined };

/** The records that say in which view the replica is. */
export type ViewRecord = Extract<LogRecord, { readonly kind: 'view' | 'viewChange' | 'newView' }>;

/** Whether a record says in which view the replica is. */
export function isViewRecord(record: LogRecord): record is ViewRecord {
  return record.kind === 'view' || record.kind === 'viewChange' || record.kind === 'newView';
}

/** The view that a record says the replica is in. */
export function viewOfRecord(record: ViewRecord): View {
  switch (record.kind) {
    case 'view':
      return record.view;
    case 'viewChange':
      return record.viewChange.message.newView;
    case 'newView':
      return record.begun.newView.message.newView;
  }
}

const DOMAIN = utf8('pbft/1/view-proof');
const HEAD_BYTES = 16;

/** The proof in a record, encoded; undefined where it has none. */
export function encodeViewProof(record: ViewRecord): Uint8Array | undefined {
  switch (record.kind) {
    case 'view':
      return undefined;
    case 'viewChange':
      return encodeList([record.viewChange]);
    case 'newView':
      return encodeList([record.begun.newView, ...record.begun.viewChanges]);
  }
}

/** The digest by which a record of the log names an encoded proof. */
export function computeViewProofDigest(bytes: Uint8Array, hash: Hash): Digest {
  const prefix = new Uint8Array(4 + DOMAIN.length);
  new DataView(prefix.buffer).setUint32(0, DOMAIN.length);
  prefix.set(DOMAIN, 4);
  return hash(concatBytes([prefix, bytes]));
}

/** Reads what the log says there is: `corrupt` where it is missing, another, or not readable. */
export function readViewProof(
  store: KeyValueStore,
  standing: ViewStanding | undefined,
  { hash, limits }: { readonly hash: Hash; readonly limits: WireLimits },
  done: Completion<ViewProof>,
): void {
  if (standing === undefined || standing.phase === 'left') {
    done(ok(NO_VIEW_PROOF));
    return;
  }
  store.getMany([SINGLE_KEY.viewProof], (result) => {
    if (!result.ok) {
      done(result);
      return;
    }
    const [bytes] = result.value;
    if (bytes === undefined || computeViewProofDigest(bytes, hash) !== standing.proofDigest) {
      done(failed(corruptError(`what proves view ${standing.view} is missing, or not what the log names`)));
      return;
    }
    const proof = decodeViewProof(bytes, standing, limits);
    done(
      proof.ok
        ? proof
        : failed(
            corruptError(
              `what proves view ${standing.view} is not readable: ${proof.error.field} ${proof.error.description}`,
            ),
          ),
    );
  });
}

/** The proof of a standing in the store's own bytes, whose digest was compared. */
function decodeViewProof(
  bytes: Uint8Array,
  { view, phase }: ViewStanding,
  limits: WireLimits,
): Result<ViewProof, Malformed> {
  const reader = new CanonicalReader(bytes);
  const encoded = reader.readRepeated(1, 'messages', { max: bytes.length, countMax: 1 + limits.replicaCount });
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const messages: Verified<Signed>[] = [];
  for (const [index, messageBytes] of encoded.entries()) {
    const message = decodeSigned(messageBytes, limits);
    if (!message.ok) {
      return failed(within(`messages[${index}]`, message.error));
    }
    messages.push(message.value);
  }
  const [first, ...others] = messages;
  if (phase === 'changing' && isOf(first, 'viewChange') && first.message.newView === view && others.length === 0) {
    return ok({ ownViewChange: first, begunView: undefined });
  }
  const viewChanges = others.filter((other) => isOf(other, 'viewChange'));
  return phase === 'active' &&
    isOf(first, 'newView') &&
    first.message.newView === view &&
    viewChanges.length === others.length
    ? ok({ ownViewChange: undefined, begunView: { newView: first, viewChanges } })
    : failed({ field: 'messages', description: `do not prove that the replica is ${phase} in view ${view}` });
}

function encodeList(messages: readonly Signed[]): Uint8Array {
  const encoded = messages.map(encodeSigned);
  let sizeBytes = HEAD_BYTES;
  for (const { length } of encoded) {
    sizeBytes += bytesFieldSizeBytes(length) + HEAD_BYTES;
  }
  const writer = new CanonicalWriter(sizeBytes);
  for (const message of encoded) {
    writer.bytes(1, message);
  }
  return writer.finish();
}
