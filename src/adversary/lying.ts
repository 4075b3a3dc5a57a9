/** Lies where nobody can compare: in Status, and in answers to fetches. */
import type { Sequence, View } from '../protocol/identifiers.js';
import type { Status } from '../protocol/messages.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import type { FetchAnswer, PeerInput, PeerOutput } from '../wire/peer-message.js';
import { readOutgoing } from './own-statement.js';
import { drawIndex, type Strategy, type StrategyContext, signStatement } from './strategy.js';

/** Says of itself what isn't so, and gives wrong answers. */
export function createLying(context: StrategyContext): Strategy {
  return {
    onSend: (peer, message) => {
      const outgoing = readOutgoing(context, message);
      if (outgoing?.statement?.type === 'status') {
        signStatement(context, lieOf(context, outgoing.statement), (signed) => {
          context.send(peer, encodePeerMessage({ kind: 'signed', signed }));
        });
        return;
      }
      const answer = outgoing === undefined ? undefined : wrongAnswer(context, outgoing.input);
      context.send(peer, answer === undefined ? message : encodePeerMessage(answer));
    },
  };
}

function lieOf(context: StrategyContext, status: Status): Status {
  const { windowSize } = context.limits;
  const everything = new Uint8Array(Math.ceil(windowSize / 8)).fill(0xff);
  const nothing = new Uint8Array(0);
  switch (drawIndex(context, 5)) {
    case 0:
      // Behind everybody: send me all of it.
      return {
        ...status,
        lowWatermark: 0 as Sequence,
        lastExecuted: 0 as Sequence,
        missingPrePrepares: everything,
        missingPrepares: everything,
        missingCommits: everything,
        checkpoints: [],
      };
    case 1:
      // Ahead of everybody.
      return { ...status, lastExecuted: (status.lastExecuted + 1_000_000) as Sequence };
    case 2:
      return { ...status, view: (status.view + 7) as View, active: false };
    case 3:
      return { ...status, clockMs: status.clockMs + 86_400_000, heard: status.heard + 1 };
    default:
      return { ...status, missingPrePrepares: nothing, missingPrepares: nothing, missingCommits: nothing };
  }
}

/** Another answer than the right one, undefined where the message is no answer. */
function wrongAnswer(context: StrategyContext, input: PeerInput): PeerOutput | undefined {
  if (input.kind !== 'fetchAnswer') {
    return undefined;
  }
  const answer = lieAbout(context, input.answer);
  return answer === undefined ? undefined : { kind: 'fetchAnswer', id: input.id, answer };
}

type LedgerAnswer = Extract<FetchAnswer, { kind: 'ledger' | 'batch' | 'notFound' }>;

function lieAbout(context: StrategyContext, answer: FetchAnswer): LedgerAnswer | undefined {
  switch (answer.kind) {
    case 'batch':
      return drawIndex(context, 2) === 0
        ? { kind: 'notFound' }
        : { kind: 'batch', batchBytes: flipped(context, answer.batchBytes) };
    case 'ledger':
      switch (drawIndex(context, 4)) {
        case 0:
          return { kind: 'notFound' };
        case 1:
          return { kind: 'ledger', entries: answer.entries.slice(1) };
        case 2:
          return { kind: 'ledger', entries: [...answer.entries].reverse() };
        default:
          return {
            kind: 'ledger',
            entries: answer.entries.map(({ headerBytes, batchBytes }) => ({
              headerBytes: flipped(context, headerBytes),
              batchBytes: flipped(context, batchBytes),
            })),
          };
      }
    case 'viewChange':
    case 'checkpointCertificate':
      // What proves itself can only be kept back: a NewView may name what its primary shows to nobody.
      return { kind: 'notFound' };
    default:
      return undefined;
  }
}

function flipped(context: StrategyContext, bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const at = drawIndex(context, Math.max(1, changed.length));
  if (changed.length > 0) {
    changed[at] = (changed[at] ?? 0) ^ 1;
  }
  return changed;
}
