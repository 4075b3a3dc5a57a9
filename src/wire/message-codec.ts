/** The payloads that replicas sign, by type: bytes ↔ messages. */
import type { ProtocolMessage } from '../protocol/messages.js';
import { failed, type Result } from '../util/result.js';
import { ANY_CLUSTER, type WireLimits } from './limits.js';
import type { Malformed } from './malformed.js';
import { encode } from './message.js';
import { type MessageOf, PAYLOADS } from './payloads.js';
import type { SignatureType } from './signature-type.js';

/** The bytes to sign. */
export function encodePayload<T extends ProtocolMessage['type']>(message: MessageOf<T>): Uint8Array {
  return encode(PAYLOADS[message.type], message);
}

/** The message in signed bytes of this type; malformed for types that are not protocol messages. */
export function decodePayload(
  type: SignatureType,
  payload: Uint8Array,
  limits: WireLimits,
): Result<ProtocolMessage, Malformed> {
  switch (type) {
    case 'request':
    case 'hello':
    case 'header':
      return failed({ field: 'type', description: `${type} is not a message of a replica here` });
    default:
      return PAYLOADS[type].decode(payload, limits);
  }
}

/** The statement in signed bytes, by a type whose decoding depends on no limit but the largest cluster's. */
export function decodeStatement<T extends 'prePrepare' | 'prepare' | 'commit' | 'checkpoint'>(
  type: T,
  payload: Uint8Array,
): Result<MessageOf<T>, Malformed> {
  return PAYLOADS[type].decode(payload, ANY_CLUSTER);
}
