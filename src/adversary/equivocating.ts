/**
 * Tells two stories: another batch at each sequence it proposes, votes and checkpoints that fit it, other view
 * changes and new views. One strategy
 * tells each half of the peers one of them, consistently, and the whole coalition tells the same lie; nobody but who
 * compares notices. The other tells everybody both, each half in another order; so everybody holds proof of it.
 */
import type { ReplicaId } from '../protocol/identifiers.js';
import type { PrePrepare, ProtocolMessage, Signed, Status } from '../protocol/messages.js';
import { decodeBatch, encodeBatch } from '../wire/batch-codec.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { OthersViewChanges, otherNewView, otherViewChange } from './equivocating-views.js';
import { type Outgoing, readOutgoing } from './own-statement.js';
import { otherDigest, type Strategy, type StrategyContext, signStatement } from './strategy.js';

/** Lies that are remembered: one a statement. */
const LIES_MAX = 4_096;

/** Shows half of the peers another history. */
export function createEquivocating(context: StrategyContext): Strategy {
  const lies = new Lies(context);
  return {
    onSend: (peer, message) => {
      const isTold = isDeceived(peer) && lies.tell(message, (lie) => context.send(peer, lie));
      if (!isTold) {
        context.send(peer, message);
      }
    },
    onReceived: (_peer, message) => lies.onReceived(message),
  };
}

/** Shows everybody both histories. */
export function createContradicting(context: StrategyContext): Strategy {
  const lies = new Lies(context);
  return {
    onSend: (peer, message) => {
      if (!isDeceived(peer)) {
        context.send(peer, message);
      }
      const isTold = lies.tell(message, (lie) => {
        context.send(peer, lie);
        if (isDeceived(peer)) {
          context.send(peer, message);
        }
      });
      if (!isTold && isDeceived(peer)) {
        context.send(peer, message);
      }
    },
    onReceived: (_peer, message) => lies.onReceived(message),
  };
}

function isDeceived(peer: ReplicaId): boolean {
  return peer % 2 === 1;
}

/** The other story, always the same one. */
class Lies {
  private readonly known = new Map<string, Uint8Array>();
  private readonly others: OthersViewChanges;

  constructor(private readonly context: StrategyContext) {
    this.others = new OthersViewChanges(context);
  }

  /** What others say about views makes another story of a new view. */
  onReceived(message: Uint8Array): void {
    this.others.onReceived(message);
  }

  /** Makes the lie that stands for a message; false where there is none. */
  tell(message: Uint8Array, send: (lie: Uint8Array) => void): boolean {
    const outgoing = readOutgoing(this.context, message);
    const statement = outgoing?.statement;
    if (outgoing === undefined || statement === undefined || !isContradicted(statement)) {
      return false;
    }
    const name = JSON.stringify(statement);
    const known = this.known.get(name);
    if (known === undefined) {
      this.make(statement, outgoing, (lie) => {
        this.remember(name, lie);
        send(lie);
      });
    } else {
      send(known);
    }
    return true;
  }

  private remember(name: string, lie: Uint8Array): void {
    if (this.known.size >= LIES_MAX) {
      this.known.clear();
    }
    this.known.set(name, lie);
  }

  private make(statement: Contradicted, { input }: Outgoing, done: (lie: Uint8Array) => void): void {
    if (statement.type === 'prePrepare' && input.kind === 'proposal') {
      makeOtherProposal(this.context, statement, input.batchBytes, done);
      return;
    }
    signStatement(this.context, otherStatement(this.context, statement, this.others), (signed: Signed) => {
      done(encodePeerMessage({ kind: 'signed', signed }));
    });
  }
}

/** What is said once: of a batch, a state, or a view. */
type Contradicted = Exclude<ProtocolMessage, Status>;

function isContradicted(statement: ProtocolMessage): statement is Contradicted {
  return statement.type !== 'status';
}

/** The same requests at another time make another batch. */
function makeOtherProposal(
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

function otherStatement(context: StrategyContext, statement: Contradicted, others: OthersViewChanges): Contradicted {
  switch (statement.type) {
    case 'checkpoint':
      return { ...statement, headerDigest: otherDigest(statement.headerDigest) };
    case 'viewChange':
      return otherViewChange(statement);
    case 'newView':
      return otherNewView(statement, context.own, others);
    default: {
      const known = context.coalition.otherBatches.get(statement.batchDigest);
      return { ...statement, batchDigest: known ?? otherDigest(statement.batchDigest) };
    }
  }
}
