/** Says nothing at all, to nobody or to some; or keeps back only what would finish an agreement. */
import type { ReplicaId } from '../protocol/identifiers.js';
import { readOutgoing } from './own-statement.js';
import type { Strategy, StrategyContext } from './strategy.js';

/** Sends nothing. */
export function createSilent(): Strategy {
  return { onSend: () => undefined };
}

/** Talks to half of the peers only, but for its Status: nobody answers who never sends one, and then it never votes. */
export function createPartlySilent(context: StrategyContext): Strategy {
  return {
    onSend: (peer: ReplicaId, message: Uint8Array) => {
      if (peer % 2 === 0 || readOutgoing(context, message)?.statement?.type === 'status') {
        context.send(peer, message);
      }
    },
  };
}

/** Takes part in everything but never sends a commit. */
export function createNeverCommitting(context: StrategyContext): Strategy {
  return {
    onSend: (peer, message) => {
      if (readOutgoing(context, message)?.statement?.type !== 'commit') {
        context.send(peer, message);
      }
    },
  };
}
