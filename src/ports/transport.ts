/** Links to the peers. A link carries whole messages in order or breaks; what a broken one held is lost. */
import type { ReplicaId } from '../protocol/identifiers.js';

/** What the runtime is told. */
export interface TransportHandlers {
  /** The peer's identity is proven and messages can flow. */
  onConnected(peer: ReplicaId): void;
  onDisconnected(peer: ReplicaId, reason: string): void;
  /** An encoded PeerMessage, as long as the link's limit at most; not yet judged in any way. */
  onMessage(peer: ReplicaId, message: Uint8Array): void;
}

/** The state of one link, for the operator. */
export interface LinkState {
  readonly peer: ReplicaId;
  readonly connected: boolean;
  /** Empty for none. */
  readonly lastError: string;
  /** Messages that wait to be sent. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** The bytes of messages that it takes now before any is dropped; 0 where it isn't connected. */
  readonly roomBytes: number;
}

/** The links of one replica to all its peers. */
export interface Transport {
  /** Begins to listen, dial and deliver; `started` says that it listens, or why it can't. */
  start(handlers: TransportHandlers, started: (error: Error | undefined) => void): void;
  /**
   * Queues an encoded PeerMessage. Returns false where it was dropped: no link, or the peer's queue is full (then the
   * bulk waiting longest goes first). What is dropped is sent again by the protocol's Status exchange.
   */
  send(peer: ReplicaId, message: Uint8Array, priority: 'vote' | 'bulk'): boolean;
  /**
   * Stops or goes on reading from a peer, so that a full queue here slows the sender instead of growing. Stopped, nothing
   * more is delivered, not even the rest of a frame; the choice holds for the peer's next link too.
   */
  setReading(peer: ReplicaId, reading: boolean): void;
  /** One row a peer. */
  links(): readonly LinkState[];
  /** Closes all links and stops listening. */
  stop(done: () => void): void;
}
