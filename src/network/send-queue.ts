/**
 * What waits to be sent to one peer, bounded in bytes and in messages. Votes go before bulk: they are small, and what
 * they decide waits for them. A queue that is full gives up what the protocol's Status exchange sends again.
 *
 * 1. Bytes and messages are never above their limits.
 * 2. Within a priority the order is kept.
 * 3. A bulk message never drops a vote.
 */

import { assert } from '../util/assert.js';
import { Fifo } from '../util/fifo.js';
import { computeFrameShareBytes } from '../wire/frame.js';

/** How urgent a message is. */
export type Priority = 'vote' | 'bulk';

/** What a queue may hold. */
export interface QueueLimits {
  readonly queueBytesMax: number;
  readonly queueMessagesMax: number;
}

/** What became of a message, and of those that had to make room. */
export interface Admission {
  readonly isAccepted: boolean;
  /** Older messages that were dropped for it. */
  readonly droppedCount: number;
}

/** Fewer than the codec lets into a frame. */
const BUNDLE_MESSAGES_MAX = 4_096;

/** The queue of one peer. */
export class SendQueue {
  private readonly limits: QueueLimits;
  private readonly votes = new Fifo<Uint8Array>();
  private readonly bulk = new Fifo<Uint8Array>();
  private bytes = 0;

  constructor(limits: QueueLimits) {
    assert(limits.queueBytesMax > 0 && limits.queueMessagesMax > 0, 'a queue can hold something');
    this.limits = limits;
  }

  /** The messages that wait. */
  get messageCount(): number {
    return this.votes.length + this.bulk.length;
  }

  /** Their bytes. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** The bytes that it takes before it drops anything; 0 where it holds as many messages as it may. */
  get roomBytes(): number {
    return this.messageCount < this.limits.queueMessagesMax ? this.limits.queueBytesMax - this.bytes : 0;
  }

  /** Takes a message, dropping the oldest bulk, then, for a vote only, the oldest votes, where there is no room. */
  push(message: Uint8Array, priority: Priority): Admission {
    if (message.length > this.limits.queueBytesMax) {
      return { isAccepted: false, droppedCount: 0 };
    }
    let droppedCount = 0;
    while (!this.hasRoomFor(message)) {
      const dropped = this.bulk.shift() ?? (priority === 'vote' ? this.votes.shift() : undefined);
      if (dropped === undefined) {
        return { isAccepted: false, droppedCount };
      }
      this.bytes -= dropped.length;
      droppedCount += 1;
    }
    (priority === 'vote' ? this.votes : this.bulk).push(message);
    this.bytes += message.length;
    return { isAccepted: true, droppedCount };
  }

  /**
   * Takes out the messages of the next frame: votes first, as many as fit in a frame of `frameBytesMax`, or one that is
   * larger alone. None where nothing waits.
   */
  takeBundle(frameBytesMax: number): Uint8Array[] {
    const bundle: Uint8Array[] = [];
    let frameBytes = 0;
    for (const lane of [this.votes, this.bulk]) {
      for (let next = lane.peek(); next !== undefined; next = lane.peek()) {
        frameBytes += computeFrameShareBytes(next.length);
        const isFull = frameBytes > frameBytesMax || bundle.length === BUNDLE_MESSAGES_MAX;
        if (isFull && bundle.length > 0) {
          return bundle;
        }
        lane.shift();
        this.bytes -= next.length;
        bundle.push(next);
      }
    }
    return bundle;
  }

  /** Drops everything and says how many messages that were. */
  clear(): number {
    const droppedCount = this.messageCount;
    this.votes.clear();
    this.bulk.clear();
    this.bytes = 0;
    return droppedCount;
  }

  private hasRoomFor(message: Uint8Array): boolean {
    return this.bytes + message.length <= this.limits.queueBytesMax && this.messageCount < this.limits.queueMessagesMax;
  }
}
