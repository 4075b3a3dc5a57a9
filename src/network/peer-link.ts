/**
 * The link to one peer, over whichever stream carries it now. Messages are queued and leave at the end of the turn of
 * the loop, so that what one turn made goes in one frame; more waits only while the socket is full.
 *
 * 1. At most one stream carries the link; a newer one ends the older.
 * 2. `onConnected` and `onDisconnected` alternate.
 * 3. What waits here, in grpc-js and undelivered is bounded, whatever the peer does.
 */
import type { Metrics } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import type { LinkState, TransportHandlers } from '../ports/transport.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { assert } from '../util/assert.js';
import { detach } from '../wire/detach.js';
import { frameOf, messagesOf, probeOf } from '../wire/frame.js';
import type { FrameReceiver, LinkStream } from './frame-stream.js';
import type { LinkEnd } from './link-end.js';
import { LinkProbes } from './link-probe.js';
import type { LinkReporter } from './link-reporter.js';
import { type Priority, SendQueue } from './send-queue.js';
import { BUNDLE_BYTES_MAX, type LinkLimits, UNFLUSHED_BYTES_MAX } from './transport-options.js';

/** What a link is made with. */
export interface PeerLinkOptions {
  readonly peer: ReplicaId;
  readonly limits: LinkLimits;
  readonly metrics: Metrics;
  readonly timers: TimerService;
  readonly reporter: LinkReporter;
  readonly handlers: TransportHandlers;
  /** The link went down after it held for so long. */
  readonly onDown: (heldMs: number) => void;
}

/** Where a live link leads, and for how long. */
export interface LiveLink {
  readonly address: string;
  readonly ageMs: number;
}

/** One peer. */
export class PeerLink implements FrameReceiver {
  private readonly options: PeerLinkOptions;
  private readonly queue: SendQueue;
  private readonly frameBytesMax: number;
  private readonly sentLabels: { readonly peer: string; readonly direction: 'sent' };
  private readonly receivedLabels: { readonly peer: string; readonly direction: 'received' };
  private readonly probes: LinkProbes;
  private stream: LinkStream | undefined;
  private address = '';
  private connectedAtMs = 0;
  private lastError = '';
  private isReading = true;
  private undelivered: Uint8Array[] = [];
  private deliveredCount = 0;
  private isDelivering = false;
  private unflushedBytes = 0;
  private isBlocked = false;
  private isFlushScheduled = false;

  constructor(options: PeerLinkOptions) {
    this.options = options;
    this.queue = new SendQueue(options.limits);
    this.frameBytesMax = Math.min(BUNDLE_BYTES_MAX, options.limits.messageBytesMax);
    this.sentLabels = { peer: String(options.peer), direction: 'sent' };
    this.receivedLabels = { peer: String(options.peer), direction: 'received' };
    this.probes = new LinkProbes({
      timers: options.timers,
      write: (frame) => this.stream?.write(frame, () => undefined),
      onRival: (rival) => options.reporter.toldOfRival(options.peer, rival),
    });
  }

  /** Takes over a stream whose handshake is done; `address` is where its other end is. */
  attach(stream: LinkStream, address: string): void {
    this.stream?.end({ reason: 'replaced', text: `a newer stream of replica ${this.options.peer} took its place` });
    this.stream = stream;
    this.address = address;
    this.connectedAtMs = this.options.timers.elapsedMs();
    this.lastError = '';
    stream.setReceiver(this);
    stream.setReading(this.isReading);
    this.options.reporter.connected(this.options.peer);
    this.options.handlers.onConnected(this.options.peer);
  }

  /**
   * Finds out whether the link's other end lives, because somebody at `rival` claims to be the peer too. At once where
   * there is no link; a link whose end doesn't answer is ended.
   */
  findLive(rival: string, done: (live: LiveLink | undefined) => void): void {
    const { stream } = this;
    if (stream === undefined) {
      done(undefined);
      return;
    }
    this.probes.ask(rival, (isAlive) => {
      if (isAlive && this.stream === stream) {
        done({ address: this.address, ageMs: this.options.timers.elapsedMs() - this.connectedAtMs });
        return;
      }
      const text = `a newer connection of replica ${this.options.peer} took its place: this one gave no sign of life`;
      stream.end({ reason: 'replaced', text });
      done(undefined);
    });
  }

  /** Queues a message; false where it was dropped. */
  send(message: Uint8Array, priority: Priority): boolean {
    assert(message.length > 0, 'a message has content');
    const isOversized = message.length > this.options.limits.messageBytesMax;
    if (isOversized) {
      this.options.reporter.refusedOversized(this.options.peer, message.length);
    }
    if (this.stream === undefined || isOversized) {
      this.countDropped(1);
      return false;
    }
    const { isAccepted, droppedCount } = this.queue.push(message, priority);
    this.countDropped(isAccepted ? droppedCount : droppedCount + 1);
    if (!this.isFlushScheduled) {
      this.isFlushScheduled = true;
      queueMicrotask(() => this.flush());
    }
    return isAccepted;
  }

  /** Stops or goes on delivering; the choice outlives the stream. */
  setReading(reading: boolean): void {
    this.isReading = reading;
    this.deliver();
    // Delivering may have stopped it again.
    this.stream?.setReading(this.isReading);
  }

  /** An attempt to connect failed. */
  noteFailure(end: LinkEnd): void {
    this.lastError = end.text;
  }

  /** Ends the stream that carries the link, if any. */
  end(end: LinkEnd): void {
    this.stream?.end(end);
  }

  /** The state for the operator. */
  state(): LinkState {
    return {
      peer: this.options.peer,
      connected: this.stream !== undefined,
      lastError: this.lastError,
      queuedMessages: this.queue.messageCount,
      queuedBytes: this.queue.sizeBytes,
      roomBytes: this.stream === undefined ? 0 : this.queue.roomBytes,
    };
  }

  onFrame(frame: Uint8Array): void {
    this.options.metrics.increment('pbft_link_bytes_total', this.receivedLabels, frame.length);
    const probe = probeOf(frame);
    if (probe?.ok === true) {
      this.probes.receive(probe.value);
      return;
    }
    const messages = probe ?? messagesOf(frame);
    if (!messages.ok) {
      const { field, description } = messages.error;
      this.end({
        reason: 'malformed',
        text: `replica ${this.options.peer} sent a malformed frame: ${field} ${description}`,
      });
      return;
    }
    for (const message of messages.value) {
      if (message.length > this.options.limits.messageBytesMax) {
        this.end({
          reason: 'oversized',
          text: `replica ${this.options.peer} sent a message of ${message.length} bytes`,
        });
        return;
      }
    }
    for (const message of messages.value) {
      // A peer chooses its frames: one message kept must not keep all of a large one.
      this.undelivered.push(detach(message));
    }
    this.deliver();
  }

  onDrain(): void {
    this.isBlocked = false;
    this.flush();
  }

  onEnd(end: LinkEnd): void {
    const heldMs = this.options.timers.elapsedMs() - this.connectedAtMs;
    this.stream = undefined;
    this.lastError = end.text;
    this.undelivered = [];
    this.deliveredCount = 0;
    this.unflushedBytes = 0;
    this.isBlocked = false;
    this.countDropped(this.queue.clear());
    this.probes.reset();
    this.options.reporter.ended(this.options.peer, end);
    this.options.reporter.disconnected(this.options.peer);
    this.options.handlers.onDisconnected(this.options.peer, end.text);
    this.options.onDown(heldMs);
  }

  /** Delivers what has come until reading is stopped; the handler may stop it, go on or end the link meanwhile. */
  private deliver(): void {
    if (this.isDelivering) {
      return;
    }
    this.isDelivering = true;
    while (this.isReading) {
      const message = this.undelivered[this.deliveredCount];
      if (message === undefined) {
        this.undelivered = [];
        this.deliveredCount = 0;
        break;
      }
      this.deliveredCount += 1;
      this.options.handlers.onMessage(this.options.peer, message);
    }
    this.isDelivering = false;
  }

  /** Writes frames until nothing waits or the socket is full. */
  private flush(): void {
    this.isFlushScheduled = false;
    while (this.stream !== undefined && !this.isBlocked && this.unflushedBytes < UNFLUSHED_BYTES_MAX) {
      const bundle = this.queue.takeBundle(this.frameBytesMax);
      if (bundle.length === 0) {
        return;
      }
      this.write(this.stream, frameOf(bundle));
    }
  }

  private write(stream: LinkStream, frame: Uint8Array): void {
    this.unflushedBytes += frame.length;
    this.options.metrics.increment('pbft_link_bytes_total', this.sentLabels, frame.length);
    const hasRoom = stream.write(frame, () => {
      if (this.stream === stream) {
        this.unflushedBytes -= frame.length;
        this.flush();
      }
    });
    this.isBlocked = !hasRoom;
  }

  private countDropped(count: number): void {
    if (count > 0) {
      this.options.metrics.increment('pbft_send_dropped_total', { peer: this.sentLabels.peer }, count);
    }
  }
}
