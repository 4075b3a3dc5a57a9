/**
 * What is known of each peer: its link, when it was heard, what it said last, and what was sent to it again. This file
 * alone writes it.
 */
import { owned } from '../util/owned.js';
import { type ReplicaId, replicaId, type Sequence } from './identifiers.js';
import type { Status } from './messages.js';
import type { QuorumSizes } from './quorum.js';

/** The most that is sent again to one peer in a second. */
const RESEND_BYTES_PER_SECOND = 8 * 1024 * 1024;
/** The same thing goes to one peer at most so often. */
const RESEND_INTERVAL_MS = 1_000;

/** What is known of a peer. */
export interface PeerState {
  readonly connected: boolean;
  /** When anything of its came last, monotonic. */
  readonly heardAtMs: number;
  /** Its last Status, and when it came. */
  readonly status: Status | undefined;
  readonly statusAtMs: number;
  /** The number of its last Status on this link, 0 before the first. */
  readonly statusNumber: number;
  /** The number of the own first Status to it on this link, undefined before the first link. */
  readonly firstNumber: number | undefined;
  /** What it said first after it had heard of a Status of this life; undefined before. */
  readonly answer: { readonly lowWatermark: Sequence; readonly lastExecuted: Sequence } | undefined;
  /** What was sent again to it and when, by name; cleared as it ages. */
  readonly resentAtMs: ReadonlyMap<string, number>;
  /** The bytes that may be sent again to it now. */
  readonly resendBudgetBytes: number;
  readonly resendBudgetAtMs: number;
}

/** All but this replica, of whom nothing is known yet. */
export function createPeers(own: ReplicaId, { replicaCount }: QuorumSizes): ReadonlyMap<ReplicaId, PeerState> {
  const peers = new Map<ReplicaId, PeerState>();
  for (let id = 0; id < replicaCount; id++) {
    if (id !== own) {
      peers.set(replicaId(id), {
        connected: false,
        heardAtMs: 0,
        status: undefined,
        statusAtMs: 0,
        statusNumber: 0,
        firstNumber: undefined,
        answer: undefined,
        resentAtMs: new Map(),
        resendBudgetBytes: RESEND_BYTES_PER_SECOND,
        resendBudgetAtMs: 0,
      });
    }
  }
  return peers;
}

/** Something of its came over its own link, or this replica starts. */
export function hearPeer(peer: PeerState, nowMs: number): void {
  owned(peer).heardAtMs = nowMs;
}

/** The link is up: what was said on an earlier one counts no more, and numbers begin anew. */
export function connectPeer(peer: PeerState, firstNumber: number): void {
  const own = owned(peer);
  own.connected = true;
  own.resentAtMs.clear();
  own.statusNumber = 0;
  own.firstNumber = firstNumber;
}

/** The link is down. */
export function disconnectPeer(peer: PeerState): void {
  owned(peer).connected = false;
}

/** Its Status came, above the last one on this link. */
export function takeStatus(peer: PeerState, status: Status): void {
  const own = owned(peer);
  own.status = status;
  own.statusNumber = status.number;
}

/** When it came; what is sent again may be sent again as time passes. */
export function passTime(peer: PeerState, nowMs: number): void {
  const own = owned(peer);
  own.statusAtMs = nowMs;
  const earned = ((nowMs - peer.resendBudgetAtMs) / 1_000) * RESEND_BYTES_PER_SECOND;
  own.resendBudgetBytes = Math.min(RESEND_BYTES_PER_SECOND, peer.resendBudgetBytes + earned);
  own.resendBudgetAtMs = nowMs;
  for (const [name, sentAtMs] of [...peer.resentAtMs]) {
    if (nowMs - sentAtMs >= RESEND_INTERVAL_MS) {
      own.resentAtMs.delete(name);
    }
  }
}

/** It answered this replica since its start; the first answer counts. */
export function takeAnswer(peer: PeerState, { lowWatermark, lastExecuted }: Status): void {
  owned(peer).answer ??= { lowWatermark, lastExecuted };
}

/** Something goes to it again, of this name and, against its budget, this many bytes. */
export function markResent(peer: PeerState, name: string, sizeBytes: number, nowMs: number): void {
  const own = owned(peer);
  own.resentAtMs.set(name, nowMs);
  own.resendBudgetBytes -= sizeBytes;
}
