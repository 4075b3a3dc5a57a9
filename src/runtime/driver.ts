/**
 * The loop around the core: take what is queued, step each, do the effects, then one synced write for the whole turn
 * (group commit). Nothing is awaited between an event and its effects, so a simulator can drive every turn.
 */
import type { TimerService } from '../ports/timer-service.js';
import type { Effect } from '../protocol/effects.js';
import type { Event, Now } from '../protocol/events.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import type { SignedRequest, Verified } from '../protocol/messages.js';
import type { EventQueue } from './event-queue.js';

/** What waits for its turn. Messages are judged when their turn comes, against the state of that moment. */
export type QueueItem =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'message'; readonly peer: ReplicaId; readonly bytes: Uint8Array }
  | { readonly kind: 'request'; readonly request: Verified<SignedRequest> };

/** The core as the driver calls it. */
export interface Steppable {
  step(event: Event, now: Now): readonly Effect[];
}

/** What the driver connects. */
export interface DriverOptions {
  readonly core: Steppable;
  readonly queue: EventQueue<QueueItem>;
  readonly timers: TimerService;
  /** Turns an item into an event, or undefined where it is not taken. */
  readonly admit: (item: QueueItem) => Event | undefined;
  readonly run: (effect: Effect) => void;
  /** Ends a turn: what it wants durable is written. */
  readonly flush: () => void;
  /** Whether the disk is behind: what peers and callers sent waits then, for a `wake` when it is not. */
  readonly isBehind: () => boolean;
  /** After each turn: lanes may have drained. */
  readonly afterTurn: () => void;
}

/** So that timers and sockets get their turn between two of ours. */
const ITEMS_A_TURN_MAX = 128;

/** Runs turns while anything waits. */
export class Driver {
  private isScheduled = false;
  private isInTurn = false;
  private isStopped = false;

  constructor(private readonly options: DriverOptions) {}

  /** Something was queued or waits for a flush: a turn will come. The turn that runs takes it along. */
  wake(): void {
    if (!this.isScheduled && !this.isInTurn && !this.isStopped) {
      this.isScheduled = true;
      this.options.timers.defer(() => this.turn());
    }
  }

  /** No turn comes any more. */
  stop(): void {
    this.isStopped = true;
  }

  private turn(): void {
    this.isScheduled = false;
    this.isInTurn = true;
    const { queue, core, timers, admit, run, flush, isBehind, afterTurn } = this.options;
    queue.beginTurn();
    for (let taken = 0; taken < ITEMS_A_TURN_MAX && !this.isStopped; taken++) {
      const item = isBehind() ? queue.takeLocal() : queue.take();
      if (item === undefined) {
        break;
      }
      const event = item.kind === 'event' ? item.event : admit(item);
      if (event !== undefined) {
        for (const effect of core.step(event, { wallMs: timers.wallMs(), elapsedMs: timers.elapsedMs() })) {
          run(effect);
        }
      }
    }
    // What wants a flush from here on wants another turn.
    this.isInTurn = false;
    if (!this.isStopped) {
      flush();
      afterTurn();
    }
    if (isBehind() ? queue.depth('local') > 0 : queue.length > 0) {
      this.wake();
    }
  }
}
