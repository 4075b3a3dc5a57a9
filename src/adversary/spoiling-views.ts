/**
 * Lies about views. A primary's NewView that doesn't follow from its ViewChanges, or follows from one that claims what
 * never prepared; ViewChanges that hide what prepared, claim what didn't, or show spoilt certificates; and a flood of
 * them, for views that nobody asked for.
 */
import type { TimerHandle } from '../ports/timer-service.js';
import type { Sequence, View } from '../protocol/identifiers.js';
import type { NewView, PrePrepare, PreparedProof, Signed, ViewChange } from '../protocol/messages.js';
import type { Digest } from '../util/digest.js';
import { NULL_BATCH_BYTES } from '../wire/batch-codec.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { nameViewChange, OthersViewChanges } from './equivocating-views.js';
import { forgePreparedProof, saying, viewBefore } from './forged-proofs.js';
import { readOutgoing } from './own-statement.js';
import { drawIndex, otherDigest, type Strategy, type StrategyContext, signStatement } from './strategy.js';

const STORM_PERIOD_MS = 150;
/** Most of a storm asks for the next view; now and then for one far away. */
const FAR_VIEWS = [1, 1, 1, 2, 3, 1_000] as const;

/** Shows no checkpoint and nothing prepared in its view changes: well-formed, and untrue. */
export function createHidingPrepared(context: StrategyContext): Strategy {
  return createChangingViewChanges(context, ({ newView }) => emptyViewChange(newView));
}

/** Spoils one thing in each of its view changes. */
export function createSpoilingViewChanges(context: StrategyContext): Strategy {
  return createChangingViewChanges(context, (viewChange) => spoilViewChange(context, viewChange));
}

function createChangingViewChanges(context: StrategyContext, change: (viewChange: ViewChange) => ViewChange): Strategy {
  return {
    onSend: (peer, message) => {
      const statement = readOutgoing(context, message)?.statement;
      if (statement?.type === 'viewChange') {
        signStatement(context, change(statement), (signed) => {
          context.send(peer, encodePeerMessage({ kind: 'signed', signed }));
        });
      } else {
        context.send(peer, message);
      }
    },
  };
}

function emptyViewChange(newView: View): ViewChange {
  return {
    type: 'viewChange',
    newView,
    stableCheckpoint: 0 as Sequence,
    checkpointCertificate: [],
    prepared: [],
  };
}

function spoilViewChange(context: StrategyContext, viewChange: ViewChange): ViewChange {
  const { prepared, checkpointCertificate, stableCheckpoint, newView } = viewChange;
  switch (drawIndex(context, 8)) {
    case 0:
      return { ...viewChange, prepared: prepared.slice(1) };
    case 1:
      return { ...viewChange, prepared: prepared.map((proof) => repeatFirstSigner(proof)) };
    case 2:
      return { ...viewChange, prepared: prepared.map((proof) => ({ ...proof, prepares: proof.prepares.slice(1) })) };
    case 3:
      return { ...viewChange, prepared: prepared.map((proof) => withOtherDigest(proof)) };
    case 4:
      return { ...viewChange, checkpointCertificate: repeatFirst(checkpointCertificate) };
    case 5:
    case 6:
      return claimMore(context, viewChange);
    default:
      return {
        ...viewChange,
        newView: (newView + drawIndex(context, 2)) as View,
        stableCheckpoint: (stableCheckpoint + context.limits.checkpointInterval) as Sequence,
      };
  }
}

function repeatFirstSigner(proof: PreparedProof): PreparedProof {
  return { ...proof, prepares: repeatFirst(proof.prepares) };
}

function repeatFirst<T>(list: readonly T[]): readonly T[] {
  const [first] = list;
  return first === undefined ? list : list.map(() => first);
}

/** The same statements of another digest; their signatures are not valid any more. */
function withOtherDigest({ prePrepare, prepares }: PreparedProof): PreparedProof {
  const batchDigest = otherDigest(prePrepare.message.batchDigest);
  return {
    prePrepare: saying(prePrepare, { batchDigest }),
    prepares: prepares.map((prepare) => saying(prepare, { batchDigest })),
  };
}

/** Claims that another batch prepared in the last view, at some sequence that is shown or at the next one. */
function claimMore(context: StrategyContext, viewChange: ViewChange): ViewChange {
  const { stableCheckpoint, prepared, newView } = viewChange;
  const highest = prepared.at(-1)?.prePrepare.message.sequence ?? stableCheckpoint;
  const at = (stableCheckpoint + 1 + drawIndex(context, highest - stableCheckpoint + 1)) as Sequence;
  const claimed = { view: viewBefore(newView), sequence: at, batchDigest: someDigest(context) };
  return claiming(viewChange, forgePreparedProof(context, claimed));
}

/** The view change with one more certificate, in place of the one for that sequence. */
function claiming(viewChange: ViewChange, proof: PreparedProof): ViewChange {
  const at = proof.prePrepare.message.sequence;
  const prepared = [...viewChange.prepared.filter(({ prePrepare }) => prePrepare.message.sequence !== at), proof];
  prepared.sort((left, right) => left.prePrepare.message.sequence - right.prePrepare.message.sequence);
  return { ...viewChange, prepared };
}

/** The null batch, whose bytes everybody has, or a batch that there is not. */
function someDigest(context: StrategyContext): Digest {
  const nullDigest = context.hash(NULL_BATCH_BYTES);
  return drawIndex(context, 2) === 0 ? nullDigest : otherDigest(nullDigest);
}

/** As a primary begins its views with something else than its view changes say, another thing for each peer. */
export function createSpoilingNewViews(context: StrategyContext): Strategy {
  const others = new OthersViewChanges(context);
  let own: ViewChange | undefined;
  return {
    onSend: (peer, message) => {
      const statement = readOutgoing(context, message)?.statement;
      if (statement?.type === 'viewChange') {
        own = statement;
      }
      if (statement?.type !== 'newView') {
        context.send(peer, message);
        return;
      }
      const send = (signed: Signed): void => context.send(peer, encodePeerMessage({ kind: 'signed', signed }));
      if (own?.newView === statement.newView && drawIndex(context, 3) === 0) {
        beginWithClaim(context, { newView: statement, own, others }, send);
      } else {
        spoilNewView(context, statement, (newView) => signStatement(context, newView, send));
      }
    },
    onReceived: (_peer, message) => others.onReceived(message),
  };
}

/**
 * A NewView that follows from its ViewChanges to the last digest: the own one among them claims that another batch
 * prepared in the last view. Who believes its certificate believes all of it.
 */
function beginWithClaim(
  context: StrategyContext,
  lie: { readonly newView: NewView; readonly own: ViewChange; readonly others: OthersViewChanges },
  send: (signed: Signed) => void,
): void {
  const { newView, own, others } = lie;
  const minSequence = Math.max(own.stableCheckpoint, ...others.of(own.newView).map((other) => other.stableCheckpoint));
  const at = (minSequence + 1 + drawIndex(context, newView.prePrepares.length + 1)) as Sequence;
  const claimed = { view: viewBefore(own.newView), sequence: at, batchDigest: someDigest(context) };
  const certified = claiming(own, forgePreparedProof(context, claimed));
  signStatement(context, certified, (viewChange) => {
    const name = { replica: context.own, digest: nameViewChange(context, viewChange) };
    const proposals = newView.prePrepares.map(({ message }) => message).filter(({ sequence }) => sequence !== at);
    const changed: PrePrepare = { ...claimed, type: 'prePrepare', view: newView.newView };
    const prePrepares = [...proposals, changed].sort((left, right) => left.sequence - right.sequence);
    signAll(context, prePrepares, (signed) => {
      const viewChanges = newView.viewChanges.map((named) => (named.replica === context.own ? name : named));
      signStatement(context, { ...newView, viewChanges, prePrepares: signed }, (whole) => {
        send(viewChange);
        send(whole);
      });
    });
  });
}

function spoilNewView(context: StrategyContext, newView: NewView, done: (spoilt: NewView) => void): void {
  const { viewChanges, prePrepares } = newView;
  switch (drawIndex(context, 6)) {
    case 0:
      // What prepared becomes nothing.
      return signAll(
        context,
        prePrepares.map(({ message }) => nulled(context, message)),
        (signed) => done({ ...newView, prePrepares: signed }),
      );
    case 1:
      return signAll(
        context,
        prePrepares.map(({ message }) => ({ ...message, batchDigest: otherDigest(message.batchDigest) })),
        (signed) => done({ ...newView, prePrepares: signed }),
      );
    case 2:
      return done({ ...newView, prePrepares: prePrepares.slice(0, -1) });
    case 3:
      return done({ ...newView, viewChanges: viewChanges.slice(1) });
    case 4: {
      // One sequence more than follows.
      const last = prePrepares.at(-1)?.message;
      const next = {
        type: 'prePrepare',
        view: newView.newView,
        sequence: ((last?.sequence ?? 0) + 1) as Sequence,
        batchDigest: someDigest(context),
      } as const;
      return signAll(context, [next], (signed) => done({ ...newView, prePrepares: [...prePrepares, ...signed] }));
    }
    default:
      return done({ ...newView, viewChanges: repeatFirst(viewChanges) });
  }
}

function nulled({ hash }: StrategyContext, prePrepare: PrePrepare): PrePrepare {
  return { ...prePrepare, batchDigest: hash(NULL_BATCH_BYTES) };
}

function signAll(
  context: StrategyContext,
  statements: readonly PrePrepare[],
  done: (signed: readonly Signed<PrePrepare>[]) => void,
): void {
  const signed = new Map<number, Signed<PrePrepare>>();
  if (statements.length === 0) {
    done([]);
  }
  for (const [index, statement] of statements.entries()) {
    signStatement(context, statement, (one) => {
      signed.set(index, one);
      if (signed.size === statements.length) {
        done([...signed].sort(([left], [right]) => left - right).map(([, each]) => each));
      }
    });
  }
}

/** Asks for new views all the time. At most f do, so nobody may follow. */
export function createStormingViews(context: StrategyContext): Strategy {
  let view = 0;
  let timer: TimerHandle | undefined;
  function storm(): void {
    const newView = (view + (FAR_VIEWS[drawIndex(context, FAR_VIEWS.length)] ?? 1)) as View;
    signStatement(context, emptyViewChange(newView), (signed) => {
      const message = encodePeerMessage({ kind: 'signed', signed });
      for (const peer of context.peers) {
        context.send(peer, message);
      }
    });
    timer = context.timers.startTimer(STORM_PERIOD_MS, storm);
  }
  return {
    onStart: () => {
      timer = context.timers.startTimer(STORM_PERIOD_MS, storm);
    },
    onSend: (peer, message) => {
      const statement = readOutgoing(context, message)?.statement;
      if (statement?.type === 'status') {
        view = statement.view;
      }
      context.send(peer, message);
    },
    onStop: () => timer?.cancel(),
  };
}
