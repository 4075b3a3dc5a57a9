/**
 * Small changes of its own statements, each validly signed: one view or sequence off, another digest, an earlier value;
 * of certificates it passes on or shows in view changes, an entry dropped or twice. Bugs are found one step away from what is right.
 */
import type { Sequence, View } from '../protocol/identifiers.js';
import type { Checkpoint, Commit, PrePrepare, Prepare, ProtocolMessage, Signed } from '../protocol/messages.js';
import type { Digest } from '../util/digest.js';
import type { Envelope } from '../wire/envelope.js';
import { decodePayload } from '../wire/message-codec.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { mutateList, mutateNewView, mutateStatus, mutateViewChange } from './mutating-views.js';
import { readOutgoing } from './own-statement.js';
import { drawIndex, otherDigest, type Strategy, type StrategyContext, signStatement } from './strategy.js';

const MUTATED_SHARE = 0.3;

/** Says something near the truth. */
export function createMutating(context: StrategyContext): Strategy {
  let earlierDigest: Digest | undefined;
  return {
    onSend: (peer, message) => {
      const outgoing = context.timers.random() < MUTATED_SHARE ? readOutgoing(context, message) : undefined;
      const { input, statement } = outgoing ?? {};
      if (input?.kind === 'checkpointCertificate') {
        const checkpoints = mutateList(context, signedOf(context, input.checkpoints, isCheckpoint));
        context.send(peer, encodePeerMessage({ kind: 'checkpointCertificate', checkpoints }));
      } else if (input?.kind === 'committedBatch') {
        const commits = mutateList(context, signedOf(context, input.commits, isCommit));
        context.send(peer, encodePeerMessage({ kind: 'committedBatch', batchBytes: input.batchBytes, commits }));
      } else if (statement === undefined) {
        context.send(peer, message);
      } else {
        const mutated = mutate(context, statement, earlierDigest);
        if ('batchDigest' in statement) {
          earlierDigest = statement.batchDigest;
        }
        signStatement(context, mutated, (signed: Signed) => {
          context.send(peer, encodeLike(signed, input?.kind === 'proposal' ? input.batchBytes : undefined));
        });
      }
    },
  };
}

function encodeLike(signed: Signed, batchBytes: Uint8Array | undefined): Uint8Array {
  const { message, ...rest } = signed;
  return message.type === 'prePrepare' && batchBytes !== undefined
    ? encodePeerMessage({ kind: 'proposal', prePrepare: { ...rest, message } satisfies Signed<PrePrepare>, batchBytes })
    : encodePeerMessage({ kind: 'signed', signed });
}

function mutate(context: StrategyContext, statement: ProtocolMessage, earlier: Digest | undefined): ProtocolMessage {
  const step = drawIndex(context, 2) === 0 ? 1 : -1;
  switch (statement.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return mutateVote(context, statement, step, earlier);
    case 'checkpoint':
      return drawIndex(context, 2) === 0
        ? { ...statement, headerDigest: otherDigest(statement.headerDigest) }
        : { ...statement, sequence: shifted(statement.sequence, step * context.limits.checkpointInterval) };
    case 'viewChange':
      return mutateViewChange(context, statement);
    case 'newView':
      return mutateNewView(context, statement);
    case 'status':
      return mutateStatus(context, statement);
  }
}

function mutateVote(
  context: StrategyContext,
  vote: PrePrepare | Prepare | Commit,
  step: number,
  earlier: Digest | undefined,
): PrePrepare | Prepare | Commit {
  switch (drawIndex(context, 5)) {
    case 0:
      return { ...vote, view: Math.max(0, vote.view + step) as View };
    case 1:
      return { ...vote, sequence: shifted(vote.sequence, step) };
    case 2:
      return { ...vote, sequence: shifted(vote.sequence, context.limits.windowSize) };
    case 3:
      return { ...vote, batchDigest: earlier ?? otherDigest(vote.batchDigest) };
    default:
      return { ...vote, batchDigest: otherDigest(vote.batchDigest) };
  }
}

function shifted(sequence: Sequence, by: number): Sequence {
  return Math.max(1, sequence + by) as Sequence;
}

function signedOf<M extends ProtocolMessage>(
  { limits }: StrategyContext,
  envelopes: readonly Envelope[],
  isWanted: (message: ProtocolMessage) => message is M,
): readonly Signed<M>[] {
  return envelopes.flatMap(({ type, sender, payload, signature }) => {
    if (sender.kind !== 'replica' || (type !== 'checkpoint' && type !== 'commit')) {
      return [];
    }
    const decoded = decodePayload(type, payload, limits);
    return decoded.ok && isWanted(decoded.value)
      ? [{ message: decoded.value, sender: sender.replica, payload, signature }]
      : [];
  });
}

function isCheckpoint(message: ProtocolMessage): message is Checkpoint {
  return message.type === 'checkpoint';
}

function isCommit(message: ProtocolMessage): message is Commit {
  return message.type === 'commit';
}
