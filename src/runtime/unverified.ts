/** What can be said of a peer's statements before any signature is checked. */
import type { ProtocolMessage } from '../protocol/messages.js';
import { equalBytes } from '../util/bytes.js';
import type { Envelope } from '../wire/envelope.js';

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

/** Whether a message is of this type. */
export function isOf<T extends ProtocolMessage['type']>(
  message: ProtocolMessage,
  type: T,
): message is Extract<ProtocolMessage, { type: T }> {
  return message.type === type;
}
