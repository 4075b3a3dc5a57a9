/**
 * Twins: two processes that are one replica, with one key, each on its own part of the network. Everybody else sees one
 * replica with one link; at any time the link of a peer leads to one of the two. Now and then the parts change. Neither
 * twin does anything wrong; together they contradict themselves in every type of message. (Twins: BFT systems made
 * robust, Bano et al.)
 */
import type { Transport, TransportHandlers } from '../../../src/ports/transport.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import { defined } from '../../../src/util/assert.js';
import type { EventLoop } from '../kernel/event-loop.js';
import type { Random } from '../kernel/random.js';
import type { SimulatedNetwork } from './network.js';
import { ProcessLife } from './process-life.js';

/** Which of the two. */
export type Twin = 0 | 1;

/** What twins share. */
export interface TwinsOptions {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly own: ReplicaId;
  readonly replicaCount: number;
}

interface Listening {
  readonly life: ProcessLife;
  readonly handlers: TransportHandlers;
}

const PARTS_MS_MIN = 500;
const PARTS_MS_MAX = 6_000;

/** The links of two twins. */
export class TwinLinks {
  private readonly peers: readonly ReplicaId[];
  /** By peer: the twin that its link leads to. */
  private readonly twinOf = new Map<ReplicaId, Twin>();
  private readonly listening = new Map<Twin, Listening>();

  constructor(private readonly options: TwinsOptions) {
    const { replicaCount, own } = options;
    this.peers = Array.from({ length: replicaCount }, (_, id) => replicaId(id)).filter((id) => id !== own);
    this.drawParts();
  }

  /** The links of one of them, for one life. */
  createTransport(twin: Twin, life: ProcessLife): Transport {
    const { network, own } = this.options;
    const isOwn = (peer: ReplicaId): boolean =>
      this.listening.get(twin)?.life === life && this.twinOf.get(peer) === twin;
    return {
      start: (handlers, started) => {
        if (!life.act()) {
          return;
        }
        this.listen(twin, { life, handlers });
        started(undefined);
        for (const peer of this.peers.filter((each) => isOwn(each) && network.isUp(own, each))) {
          life.enter(() => handlers.onConnected(peer));
        }
      },
      send: (peer, message) => isOwn(peer) && life.act() && network.send(own, peer, message),
      setReading: (peer, reading) => {
        if (isOwn(peer) && life.act()) {
          network.setReading(own, peer, reading);
        }
      },
      links: () =>
        this.peers.map((peer) => ({
          peer,
          connected: isOwn(peer) && network.isUp(own, peer),
          lastError: '',
          queuedMessages: 0,
          queuedBytes: 0,
          roomBytes: network.roomBytes(own, peer),
        })),
      stop: (done) => {
        this.forget(twin);
        done();
      },
    };
  }

  /** A twin's process ended. */
  forget(twin: Twin): void {
    if (this.listening.delete(twin) && this.listening.size === 0) {
      this.options.network.detach(this.options.own);
    }
  }

  private listen(twin: Twin, listening: Listening): void {
    const isFirst = this.listening.size === 0;
    this.listening.set(twin, listening);
    if (isFirst) {
      this.options.network.attach({
        replica: this.options.own,
        // The wire has no life of its own: each message enters that of the twin it comes to.
        life: new ProcessLife(
          () => undefined,
          () => undefined,
        ),
        handlers: {
          onConnected: (peer) => this.tell(peer, ({ onConnected }) => onConnected(peer)),
          onDisconnected: (peer, reason) => this.tell(peer, ({ onDisconnected }) => onDisconnected(peer, reason)),
          onMessage: (peer, message) => this.tell(peer, ({ onMessage }) => onMessage(peer, message)),
        },
      });
    }
  }

  private tell(peer: ReplicaId, what: (handlers: TransportHandlers) => void): void {
    const twin = defined(this.twinOf.get(peer), 'each peer is on one part');
    const listening = this.listening.get(twin);
    listening?.life.enter(() => what(listening.handlers));
  }

  /** The network falls into other parts: links that lead elsewhere now break and come up again. */
  private drawParts(): void {
    const { random, network, loop, own } = this.options;
    for (const peer of this.peers) {
      const twin: Twin = random.chance(0.5) ? 0 : 1;
      const before = this.twinOf.get(peer);
      if (before !== undefined && before !== twin) {
        this.tell(peer, ({ onDisconnected }) => onDisconnected(peer, 'the network changed'));
        network.breakLink(own, peer);
      }
      this.twinOf.set(peer, twin);
    }
    loop.schedule(random.between(PARTS_MS_MIN, PARTS_MS_MAX), () => this.drawParts());
  }
}
