/**
 * Speaks in others' names: with each own vote come votes that seem to be everybody's, for what the coalition shows this
 * peer. Their signatures are not valid; nobody may count them.
 */
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Commit, PrePrepare, Prepare } from '../protocol/messages.js';
import { encodePayload } from '../wire/message-codec.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { readOutgoing } from './own-statement.js';
import { otherDigest, type Strategy, type StrategyContext } from './strategy.js';

const NOT_A_SIGNATURE_BYTES = 64;

/** Sends votes of others. */
export function createForging(context: StrategyContext): Strategy {
  return {
    onSend: (peer, message) => {
      context.send(peer, message);
      const statement = readOutgoing(context, message)?.statement;
      if (statement !== undefined && 'batchDigest' in statement) {
        forgeVotes(context, peer, statement);
      }
    },
  };
}

function forgeVotes(context: StrategyContext, peer: ReplicaId, statement: PrePrepare | Prepare | Commit): void {
  const { coalition, peers, send } = context;
  const batchDigest = coalition.otherBatches.get(statement.batchDigest) ?? otherDigest(statement.batchDigest);
  for (const sender of peers.filter((other) => other !== peer)) {
    for (const type of ['prepare', 'commit'] as const) {
      const forged = { ...statement, type, batchDigest };
      const signed = {
        message: forged,
        sender,
        payload: encodePayload(forged),
        signature: new Uint8Array(NOT_A_SIGNATURE_BYTES).fill(7),
      };
      send(peer, encodePeerMessage({ kind: 'signed', signed }));
    }
  }
}
