/** What callers' services see of a running replica. */

import type { LinkState } from '../ports/transport.js';
import type { Explanation } from '../protocol/explanation.js';
import type { Evidence } from '../protocol/log-record.js';
import type { Digest } from '../util/digest.js';
import type { Result } from '../util/result.js';

/** An executed operation. */
export interface Executed {
  readonly result: Uint8Array;
  readonly sequence: number;
  readonly view: number;
  readonly headerDigest: Digest;
}

/** Why an operation has no result. Only `outcomeUnknown` and `resultDropped` may have been executed. */
export type SubmitFailure =
  /** The operation is refused at the door: which field, and what is wrong with it. */
  | { readonly code: 'invalid'; readonly field: string; readonly description: string }
  /** Too much waits here; nothing was taken. */
  | { readonly code: 'queueFull'; readonly retryAfterMs: number }
  /** This replica can't serve now; nothing was taken. */
  | { readonly code: 'notReady'; readonly reasons: readonly string[]; readonly retryAfterMs: number }
  /** The deadline passed, or the replica stops: it may be executed, now or later, or not. */
  | { readonly code: 'outcomeUnknown'; readonly reason: string }
  /** Executed, but its result is longer than the result limit. */
  | { readonly code: 'resultDropped'; readonly sequence: number };

/** A peer as this replica sees it. */
export interface PeerView extends LinkState {
  readonly name: string;
  /** What the peer's last Status said; 0 before the first. */
  readonly lastExecuted: number;
}

/** The replica's state as it is now. */
export interface ReplicaStatus {
  readonly replica: number;
  readonly name: string;
  readonly clusterId: Digest;
  readonly replicaCount: number;
  readonly faultsMax: number;
  readonly view: number;
  readonly primary: number;
  readonly active: boolean;
  /** The lower view in which a quorum of the others serves, where it was left alone in a later one: it is apart. */
  readonly viewOfOthers: number | undefined;
  /** Empty where it is ready to serve callers. */
  readonly notReadyReasons: readonly string[];
  readonly lastExecuted: number;
  readonly headerDigest: Digest;
  readonly stableCheckpoint: number;
  readonly peers: readonly PeerView[];
  readonly waitingRequests: number;
  readonly agreedTimeMs: number;
  readonly evidence: readonly Evidence[];
  readonly storageEngine: string;
  /** In words, empty for nothing worth a word. */
  readonly waitingFor: string;
  /** The same as it is at this moment, worth a word or not; undefined until the store is read. */
  readonly explanation: Explanation | undefined;
}

/** A running replica for its callers' services. */
export interface ReplicaFace {
  /**
   * Has an operation ordered and executed under this replica's own client key. `done` is called exactly once, at the
   * latest after `timeoutMs`.
   */
  submit(operation: Uint8Array, timeoutMs: number, done: (result: Result<Executed, SubmitFailure>) => void): void;
  /** What executing the operation costs at most, which is also the most bytes of its result. Total. */
  costOf(operation: Uint8Array): number;
  /** Answers from executed state, possibly stale. The answer is as of the returned sequence or later. */
  query(query: Uint8Array): Promise<Result<Executed, SubmitFailure>>;
  status(): ReplicaStatus;
}
