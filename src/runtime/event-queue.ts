/**
 * What waits for the core, in lanes and not in one line: `local` (own completions and timers, never dropped), one lane
 * a peer, one for clients.
 *
 * 1. A flooding peer crowds out only itself: its lane is bounded by messages and bytes, and overflow drops its own
 *    oldest. What is dropped is asked for again by the protocol's Status exchange.
 * 2. A full client lane refuses: the caller gets a retry hint instead of silence.
 * 3. `take` gives local items first (they are bounded by the replica's own work), then one item of each other lane in
 *    turn, so that no lane waits for another to empty.
 * 4. Messages differ in cost by three orders of magnitude: what they cost in signature checks is charged to the peer.
 *    One whose share of this turn is used up waits for the next, and what a single message took beyond the share is
 *    taken off those that follow. So a peer takes no more than its share of the time, whatever it sends (RX-02).
 */
import type { QueueLane } from '../ports/metrics.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { assert, defined } from '../util/assert.js';
import { Fifo } from './fifo.js';

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

interface Sized<T> {
  readonly item: T;
  readonly sizeBytes: number;
}

/** A lane with its bounds. */
class Lane<T> {
  private items = new Fifo<Sized<T>>();
  private bytes = 0;
  private checksLeft = CHECKS_A_TURN;

  constructor(
    private readonly messagesMax: number,
    private readonly bytesMax: number,
  ) {
    assert(messagesMax > 0 && bytesMax > 0, 'a lane holds at least one item');
  }

  get length(): number {
    return this.items.length;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  /** Whether an item fits; one that is longer than the bound fits into an empty lane. */
  fits(sizeBytes: number): boolean {
    return this.items.length === 0 || (this.items.length < this.messagesMax && this.bytes + sizeBytes <= this.bytesMax);
  }

  /** Whether more than this share of either bound is used. */
  isAbove(share: number): boolean {
    return this.items.length > share * this.messagesMax || this.bytes > share * this.bytesMax;
  }

  /** Whether its share of this turn isn't used up. */
  get hasTurn(): boolean {
    return this.checksLeft > 0;
  }

  /** What was taken cost so many signature checks. */
  charge(checks: number): void {
    this.checksLeft -= checks;
  }

  /** A turn begins: it has a new share, less what it overdrew; nothing is saved up. */
  beginTurn(): void {
    this.checksLeft = Math.min(CHECKS_A_TURN, this.checksLeft + CHECKS_A_TURN);
  }

  push(item: T, sizeBytes: number): void {
    this.items.push({ item, sizeBytes });
    this.bytes += sizeBytes;
  }

  clear(): void {
    this.items = new Fifo();
    this.bytes = 0;
  }

  shift(): Sized<T> | undefined {
    const oldest = this.items.shift();
    this.bytes -= oldest?.sizeBytes ?? 0;
    return oldest;
  }
}

/**
 * The signature checks that a peer has in a turn: about a millisecond. Lanes that take turns within the 128 items of a
 * turn come to fewer votes than that, so the share touches none who sends what correct replicas send.
 */
export const CHECKS_A_TURN = 64;

/** At this share of a peer's bounds its link is paused, */
const FULL_SHARE = 0.5;
/** and below this one it is read again. */
const DRAINED_SHARE = 0.25;

/** The queue in front of the core. */
export class EventQueue<T> {
  private readonly local = new Fifo<T>();
  private readonly peerLanes = new Map<ReplicaId, Lane<T>>();
  private readonly clientLane: Lane<T>;
  /** The lanes that take turns: those of the peers and the clients'. */
  private readonly turns: readonly Lane<T>[];
  private nextTurn = 0;
  private waiting = 0;

  constructor(private readonly options: EventQueueOptions) {
    for (const peer of options.peers) {
      this.peerLanes.set(peer, new Lane<T>(options.peerMessagesMax, options.peerBytesMax));
    }
    this.clientLane = new Lane<T>(options.clientMessagesMax, options.clientBytesMax);
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

  /** How many messages and bytes wait of the peer that has most. */
  get fullestPeerLane(): { readonly messages: number; readonly bytes: number } {
    const lanes = [...this.peerLanes.values()];
    return {
      messages: Math.max(0, ...lanes.map(({ length }) => length)),
      bytes: Math.max(0, ...lanes.map(({ sizeBytes }) => sizeBytes)),
    };
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

  /** A turn begins: every peer has its share of signature checks again. */
  beginTurn(): void {
    for (const lane of this.peerLanes.values()) {
      lane.beginTurn();
    }
  }

  /** What was taken of this peer cost so many signature checks. */
  charge(peer: ReplicaId, checks: number): void {
    this.laneOf(peer).charge(checks);
  }

  /** Takes the next of what the replica itself completed, undefined where there is none. */
  takeLocal(): T | undefined {
    return this.local.shift();
  }

  /** Takes the next item, undefined where nothing waits, or only of peers that have to wait for the next turn. */
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

  private laneOf(peer: ReplicaId): Lane<T> {
    return defined(this.peerLanes.get(peer), `replica ${peer} has no lane`);
  }
}
