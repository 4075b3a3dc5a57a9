/** Strategies that need no understanding of what they send: late, again, or broken. */
import type { ReplicaId } from '../protocol/identifiers.js';
import { drawIndex, type Strategy, type StrategyContext } from './strategy.js';

const DELAY_MS_MAX = 3_000;
const KEPT_MESSAGES_MAX = 256;
const REPLAY_SHARE = 0.3;
const CORRUPT_SHARE = 0.3;

/** Sends everything late, each message by another time. */
export function createDelaying(context: StrategyContext): Strategy {
  return {
    onSend: (peer, message) => {
      context.timers.startTimer(context.timers.random() * DELAY_MS_MAX, () => context.send(peer, message));
    },
  };
}

/** Sends old messages again, its own and others', to whom they may concern or not. */
export function createReplaying(context: StrategyContext): Strategy {
  const kept: Uint8Array[] = [];
  const keep = (message: Uint8Array): void => {
    if (kept.length < KEPT_MESSAGES_MAX) {
      kept.push(message);
    } else {
      kept[drawIndex(context, KEPT_MESSAGES_MAX)] = message;
    }
  };
  return {
    onSend: (peer, message) => {
      keep(message);
      context.send(peer, message);
      const old = kept[drawIndex(context, kept.length)];
      if (old !== undefined && context.timers.random() < REPLAY_SHARE) {
        context.send(pickPeer(context), old);
      }
    },
    onReceived: (_peer, message) => keep(message),
  };
}

/** Changes, cuts or lengthens a share of its messages. */
export function createCorrupting(context: StrategyContext): Strategy {
  return {
    onSend: (peer, message) => {
      const isSpared = context.timers.random() >= CORRUPT_SHARE;
      context.send(peer, isSpared ? message : corrupt(context, message));
    },
  };
}

function corrupt(context: StrategyContext, message: Uint8Array): Uint8Array {
  const at = drawIndex(context, message.length);
  switch (drawIndex(context, 3)) {
    case 0:
      return message.slice(0, at);
    case 1: {
      const longer = new Uint8Array(message.length + 1);
      longer.set(message);
      return longer;
    }
    default: {
      const changed = message.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << drawIndex(context, 8));
      return changed;
    }
  }
}

function pickPeer(context: StrategyContext): ReplicaId {
  return context.peers[drawIndex(context, context.peers.length)] ?? context.own;
}
