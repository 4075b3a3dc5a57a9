/** NamedViewChange of message.proto: who signed a view change, and its digest. */
import { replicaId } from '../protocol/identifiers.js';
import type { NamedViewChange } from '../protocol/messages.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { CanonicalWriter } from './canonical-writer.js';
import { NAMED_VIEW_CHANGE_BYTES_MAX } from './limits.js';
import type { Malformed } from './malformed.js';

/** The encoded name. */
export function encodeViewChangeName({ replica, digest }: NamedViewChange): Uint8Array {
  return new CanonicalWriter(NAMED_VIEW_CHANGE_BYTES_MAX).number(1, replica).digest(2, digest).finish();
}

/** The name in these bytes. */
export function decodeViewChangeName(bytes: Uint8Array, replicaCount: number): Result<NamedViewChange, Malformed> {
  const reader = new CanonicalReader(bytes);
  const replica = replicaId(reader.requireNumber(1, 'replica', { max: replicaCount - 1 }));
  const digest = reader.requireDigest(2, 'digest');
  return reader.finish({ replica, digest });
}
