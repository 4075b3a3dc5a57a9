/**
 * The loop around the core: take what is queued, step each, do the effects, then one synced write for the whole turn
 * (group commit). Nothing is awaited between an event and its effects, so a simulator can drive every turn.
 */
import type { TimerHandle, TimerService } from '../../ports/timer-service.js';
import type { Effect } from '../../protocol/effects.js';
import type { Event, Now } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { SignedRequest, Verified } from '../../protocol/messages.js';
import type { EventQueue } from './event-queue.js';

/** What waits for its turn. Messages are judged when their turn comes, against the state of that moment. */
export type QueueItem =
  | { readonly kind: 'event'; readonly event: Event }
  | PeerMessage
  | { readonly kind: 'request'; readonly request: Verified<SignedRequest> };

/** A message of a peer. */
export interface PeerMessage {
  readonly kind: 'message';
  readonly peer: ReplicaId;
  readonly bytes: Uint8Array;
}

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
  /** A peer's message was admitted and stepped, or refused: without event. */
  readonly settle: (message: PeerMessage, event?: Event, effects?: readonly Effect[]) => void;
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
  /** Runs while only peers wait that have used up what they have for now. */
  private pause: TimerHandle | undefined;

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
    this.pause?.cancel();
  }

  private turn(): void {
    this.isScheduled = false;
    this.isInTurn = true;
    const { queue, timers, flush, isBehind, afterTurn } = this.options;
    this.pause?.cancel();
    this.pause = undefined;
    queue.beginTurn(timers.elapsedMs());
    for (let taken = 0; taken < ITEMS_A_TURN_MAX && !this.isStopped; taken++) {
      const item = isBehind() ? queue.takeLocal() : queue.take();
      if (item === undefined) {
        break;
      }
      this.handle(item);
    }
    // What wants a flush from here on wants another turn.
    this.isInTurn = false;
    if (!this.isStopped) {
      flush();
      afterTurn();
    }
    this.awaitNext();
  }

  private handle(item: QueueItem): void {
    const { core, timers, admit, run, settle } = this.options;
    const event = item.kind === 'event' ? item.event : admit(item);
    const effects =
      event === undefined ? [] : core.step(event, { wallMs: timers.wallMs(), elapsedMs: timers.elapsedMs() });
    for (const effect of effects) {
      run(effect);
    }
    if (item.kind === 'message') {
      settle(item, event, effects);
    }
  }

  private awaitNext(): void {
    const { queue, timers, isBehind } = this.options;
    if (this.isStopped) {
      return;
    }
    const waitMs = isBehind() ? (queue.depth('local') > 0 ? 0 : undefined) : queue.waitMs();
    if (waitMs === 0) {
      this.wake();
    } else if (waitMs !== undefined) {
      this.pause = timers.startTimer(waitMs, () => this.wake());
    }
  }
}
