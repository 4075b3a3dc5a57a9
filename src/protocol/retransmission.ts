/**
 * Answers to a peer's Status: what it lacks and this replica has (protocol.md 8).
 *
 * 1. The same thing goes to one peer at most once a second, and at most 8 MiB a second in all.
 * 2. What is decided goes with its certificate: the voters may be gone.
 * 3. Only own votes are sent again, and the primary's pre-prepare, which verifies by itself.
 */
import type { Digest } from '../util/digest.js';
import { type Owned, owned } from '../util/owned.js';
import type { ForwardItem } from './effects.js';
import type { ReplicaId } from './identifiers.js';
import type { Signed, Status, Verified, ViewChange } from './messages.js';
import { showOwnStatements } from './own-statements.js';
import { markResent, passTime, takeStatus } from './peers.js';
import { type Rejection, reject } from './rejection.js';
import type { Slot } from './slot.js';
import { type CoreState, emit, note, noteRejection } from './state.js';
import { bitmapBase, isBitSet, noteAnswer, sendStatus } from './status.js';
import { begunView, isActive, newViewMax } from './view-state.js';

/** What a vote or certificate's signed message costs on the wire, about. */
const SIGNED_MESSAGE_BYTES = 400;
/** What a message costs beside its bytes: it is found, read, made and sent. A budget of bytes counts it as so many more. */
const MESSAGE_OVERHEAD_BYTES = 4_096;
/** What is younger is still on its way. */
const FRESH_MS = 250;

/** This file alone writes these. */
function own(state: CoreState): Owned<Pick<CoreState, 'clockAlarm'>> {
  return owned(state);
}

/** Why a Status is not taken, or undefined. */
export function rejectStatus(state: CoreState, status: Status, sender: ReplicaId): Rejection | undefined {
  if (state.diverged) {
    return reject('diverged');
  }
  if (status.to !== state.configuration.replica) {
    return reject('notAddressee');
  }
  return status.number > (state.peers.get(sender)?.statusNumber ?? 0) ? undefined : reject('stale');
}

/** A peer's Status came: it gets what it lacks. */
export function onStatus(state: CoreState, { message: status, sender }: Verified<Signed<Status>>): void {
  const rejection = rejectStatus(state, status, sender);
  const peer = state.peers.get(sender);
  if (rejection !== undefined || peer === undefined) {
    noteRejection(state, 'status', rejection ?? reject('notAddressee'), sender);
    return;
  }
  const isClockDue = peer.status === undefined || state.now.elapsedMs - peer.statusAtMs >= CLOCK_INTERVAL_MS;
  const isFirstOfLink = peer.statusNumber === 0;
  takeStatus(peer, status);
  noteAnswer(state, peer, status);
  showOwnStatements(state, sender, peer, status);
  if (status.recovering && isFirstOfLink) {
    // It waits for it; what is lost comes with the heartbeat.
    sendStatus(state, sender);
  }
  passTime(peer, state.now.elapsedMs);
  checkClock(state, isClockDue);
  const { certificate, sequence: stableSequence } = state.stable;
  if (certificate !== undefined && status.lowWatermark < stableSequence) {
    const sizeBytes = certificate.checkpoints.length * SIGNED_MESSAGE_BYTES;
    resend(state, sender, `stable ${stableSequence}`, sizeBytes, { kind: 'checkpointCertificate', certificate });
  }
  resendViewChanges(state, sender, status);
  resendSlots(state, sender, status);
  resendCheckpoints(state, sender, status);
}

/**
 * To a peer that isn't in this replica's view: the NewView with the ViewChanges that it names, or the own ViewChange.
 * They are resent until the view is superseded; what the peer holds already it says.
 */
function resendViewChanges(state: CoreState, to: ReplicaId, status: Status): void {
  const isBehind = status.view < state.view.number || (status.view === state.view.number && !status.active);
  if (!isBehind) {
    return;
  }
  const held = new Set(status.viewChanges.map(({ digest }) => digest));
  const missing = (
    isActive(state) ? (begunView(state)?.newView.message.viewChanges ?? []) : state.viewChanges.names()
  ).filter(
    ({ digest, replica }) =>
      !held.has(digest) && replica !== to && (isActive(state) || replica === state.configuration.replica),
  );
  for (const { digest } of missing) {
    const message = findViewChange(state, digest);
    if (message !== undefined) {
      resend(state, to, `viewChange ${digest}`, message.payload.length, { kind: 'message', message });
    }
  }
  const newView = begunView(state)?.newView;
  if (newView !== undefined && newView.message.newView === state.view.number) {
    const digest = state.configuration.hash(newView.payload);
    if (status.newViewDigest !== digest) {
      resend(state, to, `newView ${digest}`, newView.payload.length, { kind: 'message', message: newView });
    }
  }
}

/** A ViewChange that this replica holds, by its digest. */
export function findViewChange(state: CoreState, digest: Digest): Verified<Signed<ViewChange>> | undefined {
  const begun = begunView(state);
  const index = begun?.newView.message.viewChanges.findIndex((named) => named.digest === digest) ?? -1;
  return index >= 0 ? begun?.viewChanges[index] : state.viewChanges.get(digest)?.signed;
}

/** What the peer lacks of each sequence that this replica has something of, lowest first. */
function resendSlots(state: CoreState, to: ReplicaId, status: Status): void {
  const base = bitmapBase(status);
  const known = [...state.slots.keys()].filter((at) => at >= base).sort((left, right) => left - right);
  for (const at of known) {
    const slot = state.slots.get(at);
    if (slot === undefined || state.now.elapsedMs - slot.knownSinceMs < FRESH_MS) {
      continue;
    }
    const index = at - base;
    // Beyond the bitmap the peer knows nothing of the sequence: it lacks all.
    const isBeyond = (bitmap: Uint8Array): boolean => index >= bitmap.length * 8;
    const lacks = (bitmap: Uint8Array): boolean => isBeyond(bitmap) || isBitSet(bitmap, index);
    if (!lacks(status.missingCommits)) {
      continue;
    }
    if (slot.committed?.certificate !== undefined && slot.committedBatch !== undefined) {
      const { certificate } = slot.committed;
      const sizeBytes = slot.committedBatch.sizeBytes + certificate.commits.length * SIGNED_MESSAGE_BYTES;
      resend(state, to, `committed ${at}`, sizeBytes, { kind: 'committedBatch', sequence: at, certificate });
    } else {
      resendVotes(state, to, slot, status, {
        prePrepare: lacks(status.missingPrePrepares),
        prepare: lacks(status.missingPrepares),
      });
    }
  }
}

/** The primary's pre-prepare and the own votes on a sequence that isn't decided here. */
function resendVotes(
  state: CoreState,
  to: ReplicaId,
  slot: Slot,
  status: Status,
  lacks: { readonly prePrepare: boolean; readonly prepare: boolean },
): void {
  const own = state.configuration.replica;
  const isSameView = status.view === state.view.number && status.active;
  const prePrepare = slot.proposal?.batch === undefined ? undefined : slot.proposal.signed;
  const isOfNewView = slot.sequence <= newViewMax(state);
  // Who starts takes no proposal yet.
  const takesProposals = isSameView && !isOfNewView && !status.recovering;
  if (takesProposals && lacks.prePrepare && prePrepare !== undefined && prePrepare.sender !== to) {
    const sizeBytes = (slot.proposal?.batch?.sizeBytes ?? 0) + SIGNED_MESSAGE_BYTES;
    resend(state, to, `prePrepare ${state.view.number} ${slot.sequence}`, sizeBytes, { kind: 'proposal', prePrepare });
  }
  const prepare = slot.prepares.get(own);
  if (isSameView && lacks.prepare && prepare !== undefined) {
    resend(state, to, `prepare ${state.view.number} ${slot.sequence}`, SIGNED_MESSAGE_BYTES, {
      kind: 'message',
      message: prepare,
    });
  }
  const commit = slot.commits.get(own);
  if (commit !== undefined) {
    resend(state, to, `commit ${commit.message.view} ${slot.sequence}`, SIGNED_MESSAGE_BYTES, {
      kind: 'message',
      message: commit,
    });
  }
}

/** The own checkpoints above the peer's h that it doesn't hold. */
function resendCheckpoints(state: CoreState, to: ReplicaId, status: Status): void {
  const own = state.configuration.replica;
  const held = new Set(status.checkpoints.filter(({ replica }) => replica === own).map((row) => row.sequence));
  for (const at of [...state.checkpoints.keys()].sort((left, right) => left - right)) {
    const message = state.checkpoints.get(at)?.get(own);
    if (message !== undefined && at > status.lowWatermark && !held.has(at)) {
      resend(state, to, `checkpoint ${at}`, SIGNED_MESSAGE_BYTES, { kind: 'message', message });
    }
  }
}

/** Sends unless the same went to the peer less than a second ago or its budget is used up. */
function resend(state: CoreState, to: ReplicaId, name: string, sizeBytes: number, item: ForwardItem): void {
  const peer = state.peers.get(to);
  if (peer === undefined || peer.resentAtMs.has(name) || peer.resendBudgetBytes <= 0) {
    return;
  }
  markResent(peer, name, sizeBytes + MESSAGE_OVERHEAD_BYTES, state.now.elapsedMs);
  emit(state, { kind: 'forward', to, item });
}

/** Compares the own clock with the median of a quorum's (protocol.md 4, time); tells of it where due or changed. */
function checkClock(state: CoreState, isDue: boolean): void {
  const { sizes, consensus } = state.configuration;
  const offsets = [0];
  for (const { status, statusAtMs } of state.peers.values()) {
    if (status !== undefined && state.now.elapsedMs - statusAtMs < CLOCK_SAMPLE_MAX_AGE_MS) {
      offsets.push(status.clockMs + (state.now.elapsedMs - statusAtMs) - state.now.wallMs);
    }
  }
  if (offsets.length < sizes.quorum) {
    return;
  }
  const median = offsets.sort((left, right) => left - right)[Math.floor(offsets.length / 2)] ?? 0;
  const isSkewed = Math.abs(median) >= consensus.clockDriftMs / 2;
  const changed = isSkewed !== state.clockAlarm;
  if (isDue || changed) {
    own(state).clockAlarm = isSkewed;
    note(state, { kind: 'clockSkew', skewMs: 0 - median, alarming: isSkewed, changed });
  }
}

const CLOCK_SAMPLE_MAX_AGE_MS = 15_000;
/** A peer who sends Status faster brings no further remarks. */
const CLOCK_INTERVAL_MS = 500;
