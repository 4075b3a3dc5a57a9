/**
 * What comes in, on its way to the core: the event queue, and the links whose lanes are full. A peer that sends faster
 * than it is served is not read until its lane drained, so that flow control slows it instead of drops.
 */
import type { Metrics } from '../../ports/metrics.js';
import type { Transport } from '../../ports/transport.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { SignedRequest, Verified } from '../../protocol/messages.js';
import { assert } from '../../util/assert.js';
import type { QueueBounds } from '../replica-runtime-options.js';
import type { QueueItem } from './driver.js';
import { EventQueue } from './event-queue.js';
import type { Charge } from './peer-lane.js';

/** What an inbox is made of. */
export interface InboxOptions {
  readonly peers: readonly ReplicaId[];
  readonly queues: QueueBounds;
  readonly transport: Pick<Transport, 'setReading'>;
  readonly metrics: Metrics;
  readonly onDropped: (lane: 'peer' | 'client', peer: ReplicaId | undefined) => void;
  /** Something was queued. */
  readonly onQueued: () => void;
}

/** Own requests on their way to the core: the gateway bounds them, this is far above. */
const CLIENT_REQUESTS_MAX = 16_384;

const LANES = ['local', 'peer', 'client'] as const;

/** The queue with its links. */
export class Inbox {
  readonly queue: EventQueue<QueueItem>;
  private readonly paused = new Set<ReplicaId>();

  constructor(private readonly options: InboxOptions) {
    const { peers, queues, onDropped } = options;
    this.queue = new EventQueue<QueueItem>({
      peers,
      peerMessagesMax: queues.peerMessagesMax,
      peerBytesMax: queues.peerBytesMax,
      clientMessagesMax: CLIENT_REQUESTS_MAX,
      clientBytesMax: queues.clientBytesMax,
      onDropped,
    });
  }

  /** Queues an event of this replica's own. */
  submitEvent(event: Event): void {
    this.queue.pushLocal({ kind: 'event', event });
    this.options.onQueued();
  }

  /** Queues a request of own callers. A full lane is no loss: the gateway hands the request over again. */
  submitRequest(request: Verified<SignedRequest>): void {
    this.queue.pushClient({ kind: 'request', request }, request.bytes.length);
    this.options.onQueued();
  }

  /**
   * A link to a peer is up. What waits of its earlier link is dropped: no send matters by itself, and a Status of an
   * earlier life of its must not be taken for one of this link.
   */
  connected(peer: ReplicaId): void {
    this.queue.dropPeer(peer);
    this.submitEvent({ kind: 'peerConnected', peer });
  }

  /** Queues a message of a peer. */
  submitMessage(peer: ReplicaId, bytes: Uint8Array): void {
    this.queue.pushPeer(peer, { kind: 'message', peer, bytes }, bytes.length);
    if (this.queue.isFull(peer) && !this.paused.has(peer)) {
      this.paused.add(peer);
      this.options.transport.setReading(peer, false);
    }
    this.options.onQueued();
  }

  /** A message of this peer cost so much, so many signature checks among it. */
  charge(peer: ReplicaId, { checks, ...charge }: Charge & { readonly checks: number }): void {
    this.queue.charge(peer, charge);
    if (checks > 0) {
      this.options.metrics.increment('pbft_signature_checks_total', { peer: String(peer) }, checks);
    }
  }

  /** Reads the peers again whose lanes drained. */
  resumeDrained(): void {
    for (const peer of this.paused) {
      if (this.queue.isDrained(peer)) {
        this.paused.delete(peer);
        this.options.transport.setReading(peer, true);
      }
    }
    assert(this.paused.size <= this.options.peers.length, 'only peers are paused');
  }

  /** Measures how much waits. */
  showDepths(): void {
    for (const lane of LANES) {
      this.options.metrics.set('pbft_queue_depth', { lane }, this.queue.depth(lane));
    }
  }
}
