/**
 * A replica that lies must not be told so: what it signed and doesn't remember, because something between it and its
 * links said it in its name, would end it. Put around the links of whoever is not correct.
 */
import type { Transport } from '../ports/transport.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Envelope } from '../wire/envelope.js';
import type { WireLimits } from '../wire/limits.js';
import { decodePeerMessage } from '../wire/peer-codec.js';
import type { PeerInput } from '../wire/peer-message.js';

/** The statement that a message shows, or that a NewView names and was asked for. */
function envelopeOf(input: PeerInput): Envelope | undefined {
  if (input.kind === 'signed') {
    return input.envelope;
  }
  return input.kind === 'fetchAnswer' && input.answer.kind === 'viewChange' ? input.answer.viewChange : undefined;
}

/** The links of a replica that is not shown what it signed itself. */
export function createShameless(transport: Transport, own: ReplicaId, limits: WireLimits): Transport {
  const isOwn = (message: Uint8Array): boolean => {
    const input = decodePeerMessage(message, limits);
    const envelope = input.ok ? envelopeOf(input.value) : undefined;
    const sender = envelope?.sender;
    return sender?.kind === 'replica' && sender.replica === own;
  };
  return {
    start: (handlers, started) =>
      transport.start(
        {
          onConnected: (peer) => handlers.onConnected(peer),
          onDisconnected: (peer, reason) => handlers.onDisconnected(peer, reason),
          onMessage: (peer, message) => {
            if (!isOwn(message)) {
              handlers.onMessage(peer, message);
            }
          },
        },
        started,
      ),
    send: (peer, message, priority) => transport.send(peer, message, priority),
    setReading: (peer, reading) => transport.setReading(peer, reading),
    links: () => transport.links(),
    stop: (done) => transport.stop(done),
  };
}
