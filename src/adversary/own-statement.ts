/** Taking what the replica sends apart, to say something else in its place. */

import type { ProtocolMessage } from '../protocol/messages.js';
import type { Envelope } from '../wire/envelope.js';
import { decodePayload } from '../wire/message-codec.js';
import { decodePeerMessage } from '../wire/peer-codec.js';
import type { PeerInput } from '../wire/peer-message.js';
import type { StrategyContext } from './strategy.js';

/** A message that the replica sends. */
export interface Outgoing {
  readonly input: PeerInput;
  /** What it says under its own name; undefined where it says nothing or only passes on. */
  readonly statement: ProtocolMessage | undefined;
}

/** Takes a message apart; undefined where that isn't possible, as with what an adversary made. */
export function readOutgoing(context: StrategyContext, message: Uint8Array): Outgoing | undefined {
  const decoded = decodePeerMessage(message, context.limits);
  if (!decoded.ok) {
    return undefined;
  }
  const input = decoded.value;
  if (input.kind === 'signed') {
    return { input, statement: statementOf(context, input.envelope) };
  }
  return { input, statement: input.kind === 'proposal' ? statementOf(context, input.prePrepare) : undefined };
}

function statementOf({ own, limits }: StrategyContext, envelope: Envelope): ProtocolMessage | undefined {
  const { type, sender, payload } = envelope;
  const isOwn = sender.kind === 'replica' && sender.replica === own;
  if (!isOwn || type === 'request' || type === 'hello' || type === 'header') {
    return undefined;
  }
  const decoded = decodePayload(type, payload, limits);
  return decoded.ok ? decoded.value : undefined;
}
