/**
 * What waits for the core, in lanes and not in one line: `local` (own completions and timers, never dropped), one lane
 * a peer, one for clients.
 *
 * 1. A flooding peer crowds out only itself: its lane is bounded by messages and bytes, and overflow drops its own
 *    oldest. What is dropped is asked for again by the protocol's Status exchange.
 * 2. A full client lane refuses: the caller gets a retry hint instead of silence.
 * 3. `take` gives local items first (they are bounded by the replica's own work), then one item of each other lane in
 *    turn, so that no lane waits for another to empty.
 * 4. Messages differ in cost by three orders of magnitude: what they cost is charged to the peer, who waits when its
 *    share of the turn, or its allowance for what brings nothing new, is used up (peer-lane.ts).
 */
import type { QueueLane } from '../../ports/metrics.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import { defined } from '../../util/assert.js';
import { Fifo } from '../../util/fifo.js';
import { type Charge, PeerLane } from './peer-lane.js';

/** The bounds of the lanes. */
export interface EventQueueOptions {
  readonly peers: readonly ReplicaId[];
  /** The most messages and bytes that wait of one peer. */
  readonly peerMessagesMax: number;
  readonly peerBytesMax: number;
  /** The most requests and bytes that wait of all clients. */
  readonly clientMessagesMax: number;
  readonly clientBytesMax: number;
  /** Told of each item that overflow dropped or refused. */
  readonly onDropped: (lane: 'peer' | 'client', peer: ReplicaId | undefined) => void;
}

/** At this share of a peer's bounds its link is paused, */
const FULL_SHARE = 0.5;
/** and below this one it is read again. */
const DRAINED_SHARE = 0.25;

/** The queue in front of the core. */
export class EventQueue<T> {
  private readonly local = new Fifo<T>();
  private readonly peerLanes = new Map<ReplicaId, PeerLane<T>>();
  private readonly clientLane: PeerLane<T>;
  /** The lanes that take turns: those of the peers and the clients'. */
  private readonly turns: readonly PeerLane<T>[];
  private nextTurn = 0;
  private waiting = 0;

  constructor(private readonly options: EventQueueOptions) {
    for (const peer of options.peers) {
      this.peerLanes.set(peer, new PeerLane<T>(options.peerMessagesMax, options.peerBytesMax));
    }
    this.clientLane = new PeerLane<T>(options.clientMessagesMax, options.clientBytesMax);
    this.turns = [...this.peerLanes.values(), this.clientLane];
  }

  /** How many items wait in all lanes. */
  get length(): number {
    return this.local.length + this.waiting;
  }

  /** How many items wait in one kind of lane. */
  depth(lane: QueueLane): number {
    switch (lane) {
      case 'local':
        return this.local.length;
      case 'client':
        return this.clientLane.length;
      case 'peer':
        return this.waiting - this.clientLane.length;
    }
  }

  /** Adds what the replica itself completed. */
  pushLocal(item: T): void {
    this.local.push(item);
  }

  /** Adds what a peer sent, dropping that peer's oldest where it doesn't fit. */
  pushPeer(peer: ReplicaId, item: T, sizeBytes: number): void {
    const lane = this.laneOf(peer);
    while (!lane.fits(sizeBytes)) {
      lane.shift();
      this.waiting--;
      this.options.onDropped('peer', peer);
    }
    lane.push(item, sizeBytes);
    this.waiting++;
  }

  /** Drops what waits of a peer: it came over a link that is no more. */
  dropPeer(peer: ReplicaId): void {
    const lane = this.laneOf(peer);
    this.waiting -= lane.length;
    lane.clear();
  }

  /** Adds what a client asked; returns false, and takes nothing, where the lane is full. */
  pushClient(item: T, sizeBytes: number): boolean {
    if (!this.clientLane.fits(sizeBytes)) {
      this.options.onDropped('client', undefined);
      return false;
    }
    this.clientLane.push(item, sizeBytes);
    this.waiting++;
    return true;
  }

  /** A turn begins: every peer has its share of it, and what time brought of its allowance. */
  beginTurn(nowMs: number): void {
    for (const lane of this.peerLanes.values()) {
      lane.beginTurn(nowMs);
    }
  }

  /** What was taken of this peer cost so much. */
  charge(peer: ReplicaId, charge: Charge): void {
    this.laneOf(peer).charge(charge);
  }

  /** How long until something that waits has its turn: 0 for the next turn; undefined where nothing waits. */
  waitMs(): number | undefined {
    if (this.local.length > 0) {
      return 0;
    }
    const waits = this.turns.flatMap(({ waitMs }) => waitMs ?? []);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** Takes the next of what the replica itself completed, undefined where there is none. */
  takeLocal(): T | undefined {
    return this.local.shift();
  }

  /** Takes the next item, undefined where nothing waits, or only of peers that have to wait. */
  take(): T | undefined {
    if (this.local.length > 0) {
      return this.takeLocal();
    }
    for (let tried = 0; tried < this.turns.length && this.waiting > 0; tried++) {
      const lane = defined(this.turns[this.nextTurn], 'the turn is one of the lanes');
      this.nextTurn = (this.nextTurn + 1) % this.turns.length;
      const sized = lane.hasTurn ? lane.shift() : undefined;
      if (sized !== undefined) {
        this.waiting--;
        return sized.item;
      }
    }
    return undefined;
  }

  /** Whether so much of this peer waits that its link should pause. */
  isFull(peer: ReplicaId): boolean {
    return this.laneOf(peer).isAbove(FULL_SHARE);
  }

  /** Whether so little of this peer waits that a paused link should go on. */
  isDrained(peer: ReplicaId): boolean {
    return !this.laneOf(peer).isAbove(DRAINED_SHARE);
  }

  private laneOf(peer: ReplicaId): PeerLane<T> {
    return defined(this.peerLanes.get(peer), `replica ${peer} has no lane`);
  }
}
