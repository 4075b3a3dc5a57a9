/** What can be said of a peer's statements before any signature is checked. */
import type { ProtocolMessage, Signed } from '../../protocol/messages.js';
import { equalBytes } from '../../util/bytes.js';
import type { Envelope } from '../../wire/envelope.js';
import type { WireLimits } from '../../wire/limits.js';
import { decodePayload } from '../../wire/message-codec.js';

/** The statement of a replica in an envelope, its signature unchecked; undefined where there is none. */
export function openStatement(envelope: Envelope, limits: WireLimits): Signed | undefined {
  const { type, sender, payload, signature } = envelope;
  const decoded = isProtocolType(type) ? decodePayload(type, payload, limits) : undefined;
  return sender.kind === 'replica' && decoded?.ok
    ? { message: decoded.value, sender: sender.replica, payload, signature }
    : undefined;
}

/** Whether two envelopes are of one replica and say different things: what costs nothing to see. */
export function isByOneOnTwo(first: Envelope, second: Envelope): boolean {
  return (
    first.sender.kind === 'replica' &&
    second.sender.kind === 'replica' &&
    first.sender.replica === second.sender.replica &&
    !equalBytes(first.payload, second.payload)
  );
}

/** Whether replicas send each other messages of this type. */
export function isProtocolType(type: Envelope['type']): type is ProtocolMessage['type'] {
  return type !== 'request' && type !== 'hello' && type !== 'header';
}
