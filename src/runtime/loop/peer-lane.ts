/**
 * What waits of one peer, and what the peer has used of this replica's time. Costs are nominal (reception.ts), so that
 * the same messages cost the same on every machine.
 *
 * 1. A turn's share: a peer whose messages used it up waits for the next turn, and what one message took beyond it is
 *    taken off those that follow. So nobody holds the others up, whatever it sends (RX-02).
 * 2. An allowance for what brings nothing new: it comes with time, a twentieth of it, and some of it can be saved up.
 *    Who has used it up waits until more of it has come. What moves the protocol on is not counted, for it can be said
 *    only once; what is refused, repeated or replaced by the next can be said for ever (FU-08).
 */

import { assert } from '../../util/assert.js';
import { Fifo } from '../../util/fifo.js';
import { TokenBucket } from '../../util/token-bucket.js';

/** What a message cost. */
export interface Charge {
  /** Nominal microseconds. */
  readonly costUs: number;
  /** Whether it brought what can be brought only once. */
  readonly isNew: boolean;
}

/** An item with what it takes of the lane's bound. */
export interface Sized<T> {
  readonly item: T;
  readonly sizeBytes: number;
}

/**
 * What a peer has of a turn: 64 signature checks. Lanes that take turns within the 128 items of a turn come to fewer
 * votes than that, so the share touches none who sends what correct replicas send.
 */
export const TURN_SHARE_US = 3_200;
/** For what brings nothing new: of each millisecond, and the most that is saved up. */
export const ALLOWANCE_US_PER_MS = 50;
export const ALLOWANCE_MAX_US = 200_000;
/** So that a lane that waits is not looked at for each of its messages. */
const WAIT_MIN_MS = 10;

/** A lane with its bounds. */
export class PeerLane<T> {
  private readonly items = new Fifo<Sized<T>>();
  private bytes = 0;
  private turnLeftUs = TURN_SHARE_US;
  /** In microseconds. */
  private readonly allowance = new TokenBucket({ max: ALLOWANCE_MAX_US, perSecond: ALLOWANCE_US_PER_MS * 1_000 });

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

  /** Whether neither its share of this turn nor its allowance is used up. */
  get hasTurn(): boolean {
    return this.turnLeftUs > 0 && !this.allowance.isEmpty;
  }

  /** How long what waits here has to wait at least: 0 for the next turn, undefined where nothing waits. */
  get waitMs(): number | undefined {
    if (this.items.length === 0) {
      return undefined;
    }
    return this.allowance.isEmpty ? Math.max(WAIT_MIN_MS, this.allowance.waitMs) : 0;
  }

  /** What was taken cost so much. */
  charge({ costUs, isNew }: Charge): void {
    this.turnLeftUs -= costUs;
    this.allowance.charge(isNew ? 0 : costUs);
  }

  /** A turn begins: it has a new share, less what it overdrew, and the allowance of the time since the last turn. */
  beginTurn(nowMs: number): void {
    this.turnLeftUs = Math.min(TURN_SHARE_US, this.turnLeftUs + TURN_SHARE_US);
    this.allowance.fill(nowMs);
  }

  push(item: T, sizeBytes: number): void {
    this.items.push({ item, sizeBytes });
    this.bytes += sizeBytes;
  }

  /** Forgets what waits; what was used stays used. */
  clear(): void {
    this.items.clear();
    this.bytes = 0;
  }

  shift(): Sized<T> | undefined {
    const oldest = this.items.shift();
    this.bytes -= oldest?.sizeBytes ?? 0;
    return oldest;
  }
}
