/** Everything that a replica stands on: what the composition root, or the simulator, gives it. */
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { ReplicaStore, StoredClientTable } from '../ports/replica-store.js';
import type { Signer, Verifier } from '../ports/signatures.js';
import type { StateMachine } from '../ports/state-machine.js';
import type { TimerService } from '../ports/timer-service.js';
import type { Transport } from '../ports/transport.js';
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import type { RecoveredState } from '../protocol/log-record.js';
import type { ConsensusParameters, LocalParameters } from '../protocol/parameters.js';
import type { QuorumSizes } from '../protocol/quorum.js';
import type { ClientId, Digest, Hash } from '../util/digest.js';
import type { WireLimits } from '../wire/limits.js';

/** Who the replica is. */
export interface ReplicaIdentity {
  readonly replica: ReplicaId;
  /** By replica id. */
  readonly names: readonly string[];
  readonly clusterId: Digest;
  readonly sizes: QuorumSizes;
  readonly checkpointInterval: number;
  readonly requestTimeoutMs: number;
  readonly storageEngine: string;
}

/** Bounds of the queues in front of the core and of the own callers. */
export interface QueueBounds {
  readonly peerMessagesMax: number;
  readonly peerBytesMax: number;
  readonly clientOperationsMax: number;
  readonly clientBytesMax: number;
}

/** Why a replica can't go on: something failed, or it was shown votes of its own that it doesn't remember. */
export type FatalKind = 'failed' | 'forgotten';

/** Everything a replica stands on. */
export interface ReplicaRuntimeOptions {
  readonly identity: ReplicaIdentity;
  /** The client id of this replica's own signing key. */
  readonly ownClientId: ClientId;
  readonly consensus: ConsensusParameters;
  readonly local: LocalParameters;
  readonly queues: QueueBounds;
  /** The most bytes of batches in one answer to a fetch: below the link's message limit. */
  readonly answerBytesMax: number;
  readonly hash: Hash;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly store: ReplicaStore;
  readonly transport: Transport;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly stateMachine: StateMachine;
  /** The replica can't go on: the process should end with a failure. Called once. */
  readonly onFatal: (reason: string, kind: FatalKind) => void;
}

/** Every other replica. */
export function peersOf({ replica, sizes }: ReplicaIdentity): readonly ReplicaId[] {
  return Array.from({ length: sizes.replicaCount }, (_, id) => replicaId(id)).filter((id) => id !== replica);
}

/** What every room is made of: the replica's options, what its store says, and what follows from them. */
export interface RoomOptions extends Omit<ReplicaRuntimeOptions, 'onFatal'> {
  readonly recovered: RecoveredState;
  readonly clientTable: StoredClientTable;
  readonly agreedTimeMs: number;
  /** Every other replica. */
  readonly peers: readonly ReplicaId[];
  readonly limits: WireLimits;
  readonly notReadyReasons: () => readonly string[];
  /** `failed` unless said. */
  readonly onFatal: (reason: string, kind?: FatalKind) => void;
}

/** What the store gives a replica that starts. */
export type StartOptions = Omit<RoomOptions, 'peers' | 'limits'>;
