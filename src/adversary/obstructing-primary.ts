/**
 * Primaries that break no rule that anybody can prove, and serve badly: one that leaves a caller's requests out of its
 * batches, and one that is as slow as it can be without being left. The request timer is all that there is against them.
 */
import { decodeEnvelope } from '../wire/envelope.js';
import { decodePeerMessage } from '../wire/peer-codec.js';
import { readOutgoing } from './own-statement.js';
import type { Strategy, StrategyContext } from './strategy.js';

/** Of the request timeout; what is left is for votes and execution. */
const SLOWNESS = 0.75;

/** Never sees what callers of the replica after it ask, and so never proposes it. In everything else it is correct. */
export function createCensoring(context: StrategyContext): Strategy {
  const { own, replicaClients, limits } = context;
  const victim = replicaClients[(own + 1) % replicaClients.length];
  return {
    onSend: (peer, message) => context.send(peer, message),
    withholds: (_peer, message) => {
      const decoded = decodePeerMessage(message, limits);
      if (!decoded.ok || decoded.value.kind !== 'request') {
        return false;
      }
      const envelope = decodeEnvelope(decoded.value.bytes);
      return envelope.ok && envelope.value.sender.kind === 'client' && envelope.value.sender.clientId === victim;
    },
  };
}

/** Proposes each batch, and proposes it again, just before a backup would leave its view. */
export function createSlowPrimary(context: StrategyContext): Strategy {
  const delayMs = SLOWNESS * context.requestTimeoutMs;
  return {
    onSend: (peer, message) => {
      if (readOutgoing(context, message)?.statement?.type === 'prePrepare') {
        context.timers.startTimer(delayMs, () => context.send(peer, message));
      } else {
        context.send(peer, message);
      }
    },
  };
}
