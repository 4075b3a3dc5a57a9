/**
 * The payloads that replicas sign, by type. What is decoded here has every field, in range; whether it fits the state
 * is the core's to judge.
 */
import type { ProtocolMessage } from '../protocol/messages.js';
import { unreachable } from '../util/assert.js';
import type { Result } from '../util/result.js';
import type { WireLimits } from './limits.js';
import type { Malformed } from './malformed.js';
import type { SignatureType } from './signature-type.js';
import { decodeStatement, encodeStatement } from './statement-codec.js';
import { decodeStatus, encodeStatus } from './status-codec.js';
import { decodeNewView, decodeViewChange, encodeNewView, encodeViewChange } from './view-change-codec.js';

/** The bytes to sign. */
export function encodePayload(message: ProtocolMessage): Uint8Array {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      return encodeStatement(message);
    case 'status':
      return encodeStatus(message);
    case 'viewChange':
      return encodeViewChange(message);
    case 'newView':
      return encodeNewView(message);
    default:
      return unreachable(message);
  }
}

/** The message in signed bytes of this type; malformed for types that are not protocol messages. */
export function decodePayload(
  type: SignatureType,
  payload: Uint8Array,
  limits: WireLimits,
): Result<ProtocolMessage, Malformed> {
  switch (type) {
    case 'status':
      return decodeStatus(payload, limits);
    case 'viewChange':
      return decodeViewChange(payload, limits);
    case 'newView':
      return decodeNewView(payload, limits);
    default:
      return decodeStatement(type, payload);
  }
}
