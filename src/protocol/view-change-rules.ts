/**
 * What a ViewChange and a NewView must be whatever their signatures, and what follows from a quorum of ViewChanges
 * [OSDI §4.4]. Pure functions of messages: every replica comes to the same result.
 */
import type { Digest } from '../util/digest.js';
import { areDistinct, isCheckpointQuorum, isPreparedProof } from './certificates.js';
import { type Sequence, sequence, sequenceAfter, type View } from './identifiers.js';
import type { NewView, PreparedProof, Signed, ViewChange } from './messages.js';
import { primaryOf, type QuorumSizes } from './quorum.js';

/** What the rules depend on. */
export interface ViewChangeRules {
  readonly sizes: QuorumSizes;
  readonly checkpointInterval: number;
  readonly windowSize: number;
  readonly nullBatchDigest: Digest;
}

/**
 * Whether a ViewChange is well-formed: its stable checkpoint is 0 or certified by a quorum, and what it says prepared
 * is in the window above, ascending, each with a certificate of one view below `newView`. Signatures are not looked at.
 */
export function isWellFormedViewChange(viewChange: ViewChange, rules: ViewChangeRules): boolean {
  const { stableCheckpoint, prepared, newView } = viewChange;
  let previous: number = stableCheckpoint;
  for (const proof of prepared) {
    const at = proof.prePrepare.message.sequence;
    if (at <= previous || at > stableCheckpoint + rules.windowSize || !isWellFormedProof(proof, newView, rules.sizes)) {
      return false;
    }
    previous = at;
  }
  return hasCheckpointCertificate(viewChange, rules);
}

function hasCheckpointCertificate(viewChange: ViewChange, rules: ViewChangeRules): boolean {
  const { stableCheckpoint, checkpointCertificate } = viewChange;
  if (stableCheckpoint === 0) {
    return checkpointCertificate.length === 0;
  }
  return (
    stableCheckpoint % rules.checkpointInterval === 0 &&
    checkpointCertificate[0]?.message.sequence === stableCheckpoint &&
    isCheckpointQuorum(checkpointCertificate, rules.sizes.quorum)
  );
}

function isWellFormedProof({ prePrepare, prepares }: PreparedProof, newView: View, sizes: QuorumSizes): boolean {
  return prePrepare.message.view < newView && isPreparedProof(prePrepare, prepares, sizes);
}

/** Whether a NewView is well-formed: a quorum of distinct replicas named, pre-prepares of its view without a gap. */
export function isWellFormedNewView(newView: Signed<NewView>, { sizes, windowSize }: ViewChangeRules): boolean {
  const { viewChanges, prePrepares, newView: view } = newView.message;
  const first = prePrepares[0]?.message.sequence ?? 0;
  return (
    newView.sender === primaryOf(view, sizes.replicaCount) &&
    areDistinct(
      viewChanges.map(({ replica }) => replica),
      sizes.quorum,
    ) &&
    prePrepares.length <= windowSize &&
    prePrepares.every(
      ({ message, sender }, index) =>
        sender === newView.sender && message.view === view && message.sequence === first + index,
    )
  );
}

/** What a new view begins with. */
export interface NewViewPlan {
  /** min-s: the highest stable checkpoint. */
  readonly minSequence: Sequence;
  /** A ViewChange that proves it; undefined at 0. */
  readonly proof: ViewChange | undefined;
  /** O: a digest for every sequence from min-s + 1 to max-s. */
  readonly proposals: readonly { readonly sequence: Sequence; readonly batchDigest: Digest }[];
}

/** What follows from these ViewChanges [OSDI §4.4, the computation of O]. */
export function computeNewViewPlan(viewChanges: readonly ViewChange[], rules: ViewChangeRules): NewViewPlan {
  let minSequence = sequence(0);
  let proof: ViewChange | undefined;
  for (const viewChange of viewChanges) {
    if (viewChange.stableCheckpoint > minSequence) {
      minSequence = viewChange.stableCheckpoint;
      proof = viewChange;
    }
  }
  const chosen = new Map<Sequence, { readonly view: View; readonly batchDigest: Digest }>();
  let maxSequence = minSequence;
  for (const { prepared } of viewChanges) {
    for (const { prePrepare } of prepared) {
      const { sequence: at, view, batchDigest } = prePrepare.message;
      if (at <= minSequence) {
        continue;
      }
      maxSequence = at > maxSequence ? at : maxSequence;
      const before = chosen.get(at);
      if (before === undefined || view > before.view) {
        chosen.set(at, { view, batchDigest });
      }
    }
  }
  const proposals: NewViewPlan['proposals'][number][] = [];
  for (let at = sequenceAfter(minSequence); at <= maxSequence; at = sequenceAfter(at)) {
    proposals.push({ sequence: at, batchDigest: chosen.get(at)?.batchDigest ?? rules.nullBatchDigest });
  }
  return { minSequence, proof, proposals };
}

/** Whether a NewView's pre-prepares are exactly those of the plan. */
export function isPlanned(newView: NewView, { proposals }: NewViewPlan): boolean {
  return (
    newView.prePrepares.length === proposals.length &&
    newView.prePrepares.every(
      ({ message }, index) =>
        message.sequence === proposals[index]?.sequence && message.batchDigest === proposals[index].batchDigest,
    )
  );
}
