/**
 * Small changes of statements about views, validly signed as a whole: one view or checkpoint off, an entry of a list or
 * of a certificate in it dropped or twice, another digest in a proof. What is carried inside keeps its signatures, whether
 * they fit or not.
 */
import type { Sequence, View } from '../protocol/identifiers.js';
import type { NewView, PreparedProof, Status, ViewChange } from '../protocol/messages.js';
import { saying } from './forged-proofs.js';
import { drawIndex, otherDigest, type StrategyContext } from './strategy.js';

/** A list with one entry fewer, or with one twice. */
export function mutateList<T>(context: StrategyContext, list: readonly T[]): readonly T[] {
  const at = drawIndex(context, Math.max(1, list.length));
  const entry = list[at];
  return drawIndex(context, 2) === 0 || entry === undefined
    ? list.filter((_, index) => index !== at)
    : list.map((kept, index) => (index === (at + 1) % list.length ? entry : kept));
}

/** A view change that is not quite right. */
export function mutateViewChange(context: StrategyContext, viewChange: ViewChange): ViewChange {
  const { newView, stableCheckpoint, checkpointCertificate, prepared } = viewChange;
  const step = drawStep(context);
  switch (drawIndex(context, 5)) {
    case 0:
      return { ...viewChange, newView: shiftedView(newView, step) };
    case 1: {
      const shifted = stableCheckpoint + step * context.limits.checkpointInterval;
      return { ...viewChange, stableCheckpoint: Math.max(0, shifted) as Sequence };
    }
    case 2:
      return { ...viewChange, checkpointCertificate: mutateList(context, checkpointCertificate) };
    case 3:
      return { ...viewChange, prepared: mutateList(context, prepared) };
    default: {
      const at = drawIndex(context, Math.max(1, prepared.length));
      return {
        ...viewChange,
        prepared: prepared.map((proof, index) => (index === at ? mutateProof(context, proof) : proof)),
      };
    }
  }
}

function mutateProof(context: StrategyContext, proof: PreparedProof): PreparedProof {
  const { prePrepare, prepares } = proof;
  const { message } = prePrepare;
  const withMessage = (changed: Partial<typeof message>): PreparedProof => ({
    ...proof,
    prePrepare: saying(prePrepare, changed),
  });
  switch (drawIndex(context, 4)) {
    case 0:
      return { ...proof, prepares: mutateList(context, prepares) };
    case 1:
      return withMessage({ view: shiftedView(message.view, drawStep(context)) });
    case 2:
      return withMessage({ sequence: Math.max(1, message.sequence + drawStep(context)) as Sequence });
    default:
      return withMessage({ batchDigest: otherDigest(message.batchDigest) });
  }
}

/** A new view that is not quite right. */
export function mutateNewView(context: StrategyContext, newView: NewView): NewView {
  const { newView: view, viewChanges, prePrepares } = newView;
  const { replicaCount } = context.limits;
  switch (drawIndex(context, 5)) {
    case 0:
      return { ...newView, newView: shiftedView(view, drawStep(context)) };
    case 1:
      // The next one that is its own to begin.
      return { ...newView, newView: shiftedView(view, replicaCount) };
    case 2:
      return { ...newView, viewChanges: mutateList(context, viewChanges) };
    case 3: {
      const at = drawIndex(context, viewChanges.length);
      return {
        ...newView,
        viewChanges: viewChanges.map((named, index) =>
          index === at ? { ...named, digest: otherDigest(named.digest) } : named,
        ),
      };
    }
    default:
      return { ...newView, prePrepares: mutateList(context, prePrepares) };
  }
}

/** A status that is not quite right. */
export function mutateStatus(context: StrategyContext, status: Status): Status {
  const step = drawStep(context);
  switch (drawIndex(context, 4)) {
    case 0:
      return { ...status, view: shiftedView(status.view, step) };
    case 1:
      return { ...status, lastExecuted: Math.max(0, status.lastExecuted + step) as Sequence };
    case 2:
      return { ...status, checkpoints: mutateList(context, status.checkpoints) };
    default:
      return { ...status, active: !status.active };
  }
}

function drawStep(context: StrategyContext): 1 | -1 {
  return drawIndex(context, 2) === 0 ? 1 : -1;
}

function shiftedView(view: View, step: number): View {
  return Math.max(0, view + step) as View;
}
