/**
 * The part of invariant 10 that is about views: a ViewChange of a correct replica proves everything it says, and a
 * NewView is by its primary. Written apart from the replica's own judge.
 */
import type { Verifier } from '../../../src/ports/signatures.js';
import type { NewView, ProtocolMessage, Signed, ViewChange } from '../../../src/protocol/messages.js';

/** What proofs are judged by. */
export interface ProofRules {
  readonly verifier: Verifier;
  readonly replicaCount: number;
  readonly checkpointInterval: number;
  readonly windowSize: number;
}

/** What is wrong with a statement about views, undefined for nothing and for all other statements. */
export function viewObjection(message: ProtocolMessage, sender: number, rules: ProofRules): string | undefined {
  switch (message.type) {
    case 'viewChange':
      return viewChangeObjection(message, rules);
    case 'newView':
      return newViewObjection(message, sender, rules);
    default:
      return undefined;
  }
}

/** Whether the sender signed these very bytes. */
export function isSigned({ message, sender, payload, signature }: Signed, { verifier }: ProofRules): boolean {
  return verifier.verifyReplica(message.type, sender, payload, signature);
}

/** Two sets of this size share a correct replica. */
function isQuorum(signers: ReadonlySet<number>, { replicaCount }: ProofRules): boolean {
  return 2 * signers.size - replicaCount > Math.floor((replicaCount - 1) / 3);
}

function viewChangeObjection(viewChange: ViewChange, rules: ProofRules): string | undefined {
  const { stableCheckpoint, checkpointCertificate, prepared, newView } = viewChange;
  if (!isCertified(viewChange, rules)) {
    return `nothing certifies checkpoint ${stableCheckpoint}`;
  }
  let previous: number = stableCheckpoint;
  for (const { prePrepare, prepares } of prepared) {
    const { sequence, view, batchDigest } = prePrepare.message;
    if (sequence <= previous || sequence > stableCheckpoint + rules.windowSize) {
      return `sequence ${sequence} is out of order or outside the window`;
    }
    previous = sequence;
    const voters = new Set<number>([prePrepare.sender, ...prepares.map(({ sender }) => sender)]);
    const isOne = prepares.every(
      ({ message }) => message.sequence === sequence && message.view === view && message.batchDigest === batchDigest,
    );
    const isOfPrimary = prePrepare.sender === view % rules.replicaCount;
    const isOnce = voters.size === 1 + prepares.length;
    if (!isOne || !isOfPrimary || !isOnce || !isQuorum(voters, rules) || view >= newView) {
      return `nothing proves that sequence ${sequence} prepared in view ${view}`;
    }
  }
  const carried: readonly Signed[] = [
    ...checkpointCertificate,
    ...prepared.flatMap(({ prePrepare, prepares }) => [prePrepare, ...prepares]),
  ];
  return carried.every((signed) => isSigned(signed, rules)) ? undefined : 'a signature in it is not valid';
}

/** 0 needs no certificate; every other checkpoint one state, signed by a quorum, once by each. */
function isCertified({ stableCheckpoint, checkpointCertificate }: ViewChange, rules: ProofRules): boolean {
  const signers = new Set<number>(checkpointCertificate.map(({ sender }) => sender));
  const states = new Set(checkpointCertificate.map(({ message }) => `${message.sequence} ${message.headerDigest}`));
  if (stableCheckpoint === 0) {
    return checkpointCertificate.length === 0;
  }
  return (
    stableCheckpoint % rules.checkpointInterval === 0 &&
    checkpointCertificate[0]?.message.sequence === stableCheckpoint &&
    states.size === 1 &&
    signers.size === checkpointCertificate.length &&
    isQuorum(signers, rules)
  );
}

function newViewObjection(newView: NewView, sender: number, rules: ProofRules): string | undefined {
  const { newView: view, viewChanges, prePrepares } = newView;
  if (sender !== view % rules.replicaCount) {
    return `replica ${sender} is not the primary of view ${view}`;
  }
  if (!isQuorum(new Set<number>(viewChanges.map(({ replica }) => replica)), rules)) {
    return 'it names no quorum of view changes';
  }
  const isOwn = prePrepares.every((signed) => signed.sender === sender && signed.message.view === view);
  return isOwn && prePrepares.every((signed) => isSigned(signed, rules))
    ? undefined
    : 'its pre-prepares are not its own';
}
