/**
 * Shows half of the peers another history: another batch at each sequence it proposes, and votes and checkpoints that
 * fit it. What it told one half it repeats to that half consistently, and the whole coalition tells the same lie.
 */
import type { ReplicaId } from '../protocol/identifiers.js';
import type { PrePrepare, ProtocolMessage, Signed } from '../protocol/messages.js';
import type { Digest } from '../util/digest.js';
import { decodeBatch, encodeBatch } from '../wire/batch-codec.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { readOutgoing } from './own-statement.js';
import { otherDigest, type Strategy, type StrategyContext, signStatement } from './strategy.js';

/** Lies that are remembered: one a statement. */
const LIES_MAX = 4_096;

/** Tells two stories. */
export function createEquivocating(context: StrategyContext): Strategy {
  const lies = new Map<string, Uint8Array>();

  function tell(peer: ReplicaId, name: string, make: (done: (lie: Uint8Array) => void) => void): void {
    const known = lies.get(name);
    if (known !== undefined) {
      context.send(peer, known);
      return;
    }
    make((lie) => {
      if (lies.size >= LIES_MAX) {
        lies.clear();
      }
      lies.set(name, lie);
      context.send(peer, lie);
    });
  }

  return {
    onSend: (peer, message) => {
      const outgoing = isDeceived(peer) ? readOutgoing(context, message) : undefined;
      const statement = outgoing?.statement;
      if (outgoing === undefined || statement === undefined || statement.type === 'status') {
        context.send(peer, message);
      } else if (statement.type === 'prePrepare' && outgoing.input.kind === 'proposal') {
        const { batchBytes } = outgoing.input;
        tell(peer, nameOf(statement), (done) => tellOtherBatch(context, statement, batchBytes, done));
      } else {
        tell(peer, nameOf(statement), (done) => {
          signStatement(context, otherStatement(context, statement), (signed: Signed) => {
            done(encodePeerMessage({ kind: 'signed', signed }));
          });
        });
      }
    },
  };
}

function isDeceived(peer: ReplicaId): boolean {
  return peer % 2 === 1;
}

function nameOf(statement: ProtocolMessage): string {
  return JSON.stringify(statement);
}

/** The same requests at another time make another batch. */
function tellOtherBatch(
  context: StrategyContext,
  statement: PrePrepare,
  batchBytes: Uint8Array,
  done: (lie: Uint8Array) => void,
): void {
  const decoded = decodeBatch(batchBytes, context.limits, context.hash);
  if (!decoded.ok) {
    return;
  }
  const { batch, requests } = decoded.value;
  const otherBytes = encodeBatch(
    batch.timestampMs + 1,
    requests.map(({ request }) => request),
  );
  const batchDigest = context.hash(otherBytes);
  context.coalition.otherBatches.set(statement.batchDigest, batchDigest);
  signStatement(context, { ...statement, batchDigest }, (prePrepare) => {
    done(encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes: otherBytes }));
  });
}

function otherStatement({ coalition }: StrategyContext, statement: ProtocolMessage): ProtocolMessage {
  switch (statement.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit': {
      const batchDigest: Digest =
        coalition.otherBatches.get(statement.batchDigest) ?? otherDigest(statement.batchDigest);
      return { ...statement, batchDigest };
    }
    case 'checkpoint':
      return { ...statement, headerDigest: otherDigest(statement.headerDigest) };
    default:
      return statement;
  }
}
