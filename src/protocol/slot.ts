/**
 * What a replica knows of one sequence: the proposal it accepted, the votes, and what they amount to.
 *
 * 1. A sender's prepare counts once a view, its commit once a view with the highest view kept; the first valid one stands.
 * 2. Prepared and committed are computed from the votes; only their certificates are stored.
 *
 * [OSDI §4.2]
 */
import { assert } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { owned } from '../util/owned.js';
import type { CommitCertificate, PreparedCertificate } from './certificates.js';
import type { ReplicaId, Sequence, View } from './identifiers.js';
import type { BatchSummary, Commit, PrePrepare, Prepare, Signed, Verified } from './messages.js';
import { primaryOf, type QuorumSizes } from './quorum.js';

/** A pre-prepare that this replica made or accepted, with its batch. */
export interface Proposal {
  readonly prePrepare: PrePrepare;
  /** Undefined only for the own one until its signature is made. */
  readonly signed: Verified<Signed<PrePrepare>> | undefined;
  /** Undefined until its bytes are here: a NewView proposes by digest. */
  readonly batch: BatchSummary | undefined;
}

/** A batch that a quorum committed. */
export interface Committed {
  readonly view: View;
  readonly batchDigest: Digest;
  /** Absent for what came as ledger. */
  readonly certificate: CommitCertificate | undefined;
}

/** One sequence in (h, H]. */
export interface Slot {
  readonly sequence: Sequence;
  /** When this replica first heard of it, monotonic. */
  readonly knownSinceMs: number;
  /** Of the current view. */
  readonly proposal: Proposal | undefined;
  /** Of the current view, by sender. */
  readonly prepares: ReadonlyMap<ReplicaId, Verified<Signed<Prepare>>>;
  /** Of the highest view, by sender. */
  readonly commits: ReadonlyMap<ReplicaId, Verified<Signed<Commit>>>;
  /** Of the highest view in which it prepared here. */
  readonly prepared: PreparedCertificate | undefined;
  readonly committed: Committed | undefined;
  /** The batch that is committed, once its bytes are here. */
  readonly committedBatch: BatchSummary | undefined;
  /** The batches of this sequence whose bytes are in the store, of this view and those that were prepared or committed. */
  readonly batches: ReadonlyMap<Digest, BatchSummary>;
}

/** A slot of which nothing is known yet. */
export function createSlot(sequence: Sequence, knownSinceMs: number): Slot {
  return {
    sequence,
    knownSinceMs,
    proposal: undefined,
    prepares: new Map(),
    commits: new Map(),
    prepared: undefined,
    committed: undefined,
    committedBatch: undefined,
    batches: new Map(),
  };
}

/** It is proposed in the view that the replica is in. */
export function accept(slot: Slot, proposal: Proposal): void {
  owned(slot).proposal = proposal;
}

/** The signed copy of what was proposed. */
export function noteSigned({ proposal }: Slot, signed: Verified<Signed<PrePrepare>>): void {
  if (proposal !== undefined) {
    owned(proposal).signed ??= signed;
  }
}

/** A prepare of the current view, the first of its sender. */
export function countPrepare(slot: Slot, prepare: Verified<Signed<Prepare>>): void {
  owned(slot).prepares.set(prepare.sender, prepare);
}

/** A commit, the first of its sender in its view, which is the highest. */
export function countCommit(slot: Slot, commit: Verified<Signed<Commit>>): void {
  owned(slot).commits.set(commit.sender, commit);
}

/** It prepared here. */
export function certify(slot: Slot, certificate: PreparedCertificate): void {
  owned(slot).prepared = certificate;
}

/** It is decided, for good: only its proof may come later. */
export function decide(slot: Slot, committed: Committed): void {
  assert(!isSecondDecision(slot, committed.batchDigest), 'a sequence is decided once');
  const own = owned(slot);
  own.committed = committed;
  own.committedBatch = slot.batches.get(committed.batchDigest);
}

/**
 * The prepared certificate that the slot's votes make, or undefined. The primary's pre-prepare stands for its prepare,
 * so that quorum − 1 prepares by other replicas are enough.
 */
export function computePreparedCertificate(slot: Slot, sizes: QuorumSizes): PreparedCertificate | undefined {
  const signed = slot.proposal?.signed;
  if (signed === undefined) {
    return undefined;
  }
  const { view, batchDigest } = signed.message;
  const primary = primaryOf(view, sizes.replicaCount);
  const prepares = bySender(slot.prepares).filter(
    ({ message, sender }) => sender !== primary && message.view === view && message.batchDigest === batchDigest,
  );
  const needed = sizes.quorum - 1;
  return prepares.length >= needed ? { prePrepare: signed, prepares: prepares.slice(0, needed) } : undefined;
}

/** Whether the batch of the slot's proposal is prepared in the proposal's view. */
export function isPrepared(slot: Slot): boolean {
  return slot.prepared !== undefined && slot.prepared.prePrepare.message.view === slot.proposal?.prePrepare.view;
}

/** What a quorum of the slot's commits with one view and digest decides, or undefined. */
export function computeCommitted(slot: Slot, sizes: QuorumSizes): Committed | undefined {
  if (slot.commits.size < sizes.quorum) {
    return undefined;
  }
  const commits = bySender(slot.commits);
  for (const { message } of commits) {
    const equal = commits.filter(
      (other) => other.message.view === message.view && other.message.batchDigest === message.batchDigest,
    );
    if (equal.length >= sizes.quorum) {
      return {
        view: message.view,
        batchDigest: message.batchDigest,
        certificate: { commits: equal.slice(0, sizes.quorum) },
      };
    }
  }
  return undefined;
}

/** Whether another batch than this one is decided at the sequence: if this one is too, more than f replicas lie. */
export function isSecondDecision(slot: Slot | undefined, batchDigest: Digest): boolean {
  return slot?.committed !== undefined && slot.committed.batchDigest !== batchDigest;
}

/** What a quorum of the slot's commits decides beside what is decided already, or undefined. */
export function computeSecondDecision(slot: Slot, sizes: QuorumSizes): Committed | undefined {
  let others = 0;
  // order: none, they are counted.
  for (const { message } of slot.commits.values()) {
    others += isSecondDecision(slot, message.batchDigest) ? 1 : 0;
  }
  const second = others >= sizes.quorum ? computeCommitted(slot, sizes) : undefined;
  return second !== undefined && isSecondDecision(slot, second.batchDigest) ? second : undefined;
}

/** [OSDI §4.2 committed-local] Whether the slot's batch is decided and here, so that it can be executed in its turn. */
export function isCommittedLocal(slot: Slot): boolean {
  return slot.committed !== undefined && slot.committedBatch !== undefined;
}

/**
 * Whether the sequence is to be decided: something of this view, which the replica is active in, or a quorum asks for
 * it. What earlier views left there was not decided, else the NewView would have it, and may stay as it is for long.
 */
export function isUnderWay(slot: Slot, view: View): boolean {
  return (
    slot.proposal !== undefined ||
    slot.prepares.size > 0 ||
    slot.committed !== undefined ||
    [...slot.commits.values()].some(({ message }) => message.view >= view)
  );
}

/** The batch's bytes are in the store: whoever in the slot waited for it has it. */
export function learnBatch(slot: Slot, batch: BatchSummary): void {
  owned(slot).batches.set(batch.digest, batch);
  if (slot.proposal?.prePrepare.batchDigest === batch.digest) {
    owned(slot.proposal).batch = batch;
  }
  if (slot.committed?.batchDigest === batch.digest) {
    owned(slot).committedBatch = batch;
  }
}

/** The view is left: what was accepted in it stands only where it prepared or is committed. */
export function leaveView(slot: Slot): void {
  const own = owned(slot);
  own.proposal = undefined;
  own.prepares.clear();
  dropOtherBatches(slot);
}

/** Of its batches the slot keeps the proposal's, the prepared one and the committed one: a peer gives any other again. */
export function dropOtherBatches(slot: Slot): void {
  const { proposal, prepared, committed, batches } = slot;
  const kept = [proposal?.prePrepare.batchDigest, prepared?.prePrepare.message.batchDigest, committed?.batchDigest];
  for (const digest of [...batches.keys()]) {
    if (!kept.includes(digest)) {
      owned(slot).batches.delete(digest);
    }
  }
}

/** The values of a map of votes, sorted by sender. */
function bySender<V extends { readonly sender: ReplicaId }>(votes: ReadonlyMap<ReplicaId, V>): V[] {
  return [...votes.values()].sort((left, right) => left.sender - right.sender);
}
