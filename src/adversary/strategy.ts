/**
 * What a Byzantine strategy is: something between a replica and its links that changes, adds or withholds what goes
 * out. The replica behind it is a correct one; the strategy makes it lie. It signs with that replica's own key only.
 */
import type { Signer } from '../ports/signatures.js';
import type { TimerService } from '../ports/timer-service.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import type { ProtocolMessage, Signed } from '../protocol/messages.js';
import type { ClientId, Digest, Hash } from '../util/digest.js';
import type { WireLimits } from '../wire/limits.js';
import { encodePayload } from '../wire/message-codec.js';

/** What the Byzantine replicas of a cluster know of each other's lies. */
export interface Coalition {
  /** The other batch that some peers were shown, by the digest of the first. */
  readonly otherBatches: Map<Digest, Digest>;
}

/** A coalition that has not lied yet. */
export function createCoalition(): Coalition {
  return { otherBatches: new Map() };
}

/** What a strategy works with. */
export interface StrategyContext {
  readonly own: ReplicaId;
  readonly ownClientId: ClientId;
  /** Every other replica. */
  readonly peers: readonly ReplicaId[];
  /** The client that a replica is for its callers, by replica id. */
  readonly replicaClients: readonly ClientId[];
  /** What a correct replica waits for a request before it leaves the view. */
  readonly requestTimeoutMs: number;
  readonly limits: WireLimits;
  readonly hash: Hash;
  readonly signer: Signer;
  readonly timers: TimerService;
  readonly coalition: Coalition;
  /** Sends to a peer, past the strategy. */
  readonly send: (peer: ReplicaId, message: Uint8Array) => void;
}

/** One way to misbehave. */
export interface Strategy {
  /** The links are up to be used. */
  onStart?(): void;
  /** The replica sends a message: what goes out instead is up to the strategy. */
  onSend(peer: ReplicaId, message: Uint8Array): void;
  /** A message came in; the replica gets it, unless it is withheld. */
  onReceived?(peer: ReplicaId, message: Uint8Array): void;
  /** Whether the replica behind it is kept from seeing a message that came in. */
  withholds?(peer: ReplicaId, message: Uint8Array): boolean;
  /** Nothing more goes out. */
  onStop?(): void;
}

/** Signs a statement with the own key; it is what the replica would have signed, had it said that. */
export function signStatement<M extends ProtocolMessage>(
  { own, signer }: StrategyContext,
  message: M,
  done: (signed: Signed<M>) => void,
): void {
  const payload = encodePayload(message);
  signer.sign(message.type, payload, (signature) => done({ message, sender: own, payload, signature }));
}

/** A random integer from 0 to `count` − 1. */
export function drawIndex({ timers }: StrategyContext, count: number): number {
  return Math.min(count - 1, Math.floor(timers.random() * count));
}

/** Another digest: its first digit differs. */
export function otherDigest(digest: Digest): Digest {
  return `${digest.startsWith('f') ? '0' : 'f'}${digest.slice(1)}` as Digest;
}
