/**
 * The network of a run: a link between each two replicas, up while both processes listen and nothing keeps them apart.
 * Messages arrive in virtual time, later, twice, in another order, or not at all, as the direction's condition says.
 * What a link held when it broke is lost.
 */
import type { TransportHandlers } from '../../../src/ports/transport.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import { assert, defined } from '../../../src/util/assert.js';
import type { EventLoop } from '../kernel/event-loop.js';
import type { Random } from '../kernel/random.js';
import { fingerprint, type Trace } from '../kernel/trace.js';
import { healthyCondition, type LinkCondition } from './link-condition.js';
import type { ProcessLife } from './process-life.js';

/** A process that listens. */
export interface Endpoint {
  readonly replica: ReplicaId;
  readonly life: ProcessLife;
  readonly handlers: TransportHandlers;
}

/** What a network needs. */
export interface NetworkOptions {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly trace: Trace;
  readonly replicaCount: number;
  readonly messageBytesMax: number;
  readonly queueBytesMax: number;
  /** Told of each message that a process sends, before anything can happen to it. */
  readonly onSent: (from: ReplicaId, to: ReplicaId, message: Uint8Array) => void;
  /** Says a message in a line, for the trace. */
  readonly describe: (message: Uint8Array) => string;
}

/** Whether a message is lost because of what it is. */
export type LossRule = (from: ReplicaId, to: ReplicaId, message: Uint8Array) => boolean;

/** One direction. */
interface Channel {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  condition: LinkCondition;
  queuedBytes: number;
  queuedMessages: number;
  lastArrivalMs: number;
  isReading: boolean;
  /** Whether its connection lost anything, or may have changed the order: real ones do neither. */
  hasLost: boolean;
  /** What arrived and was not read, in order. */
  unread: Uint8Array[];
  /** What waits for the end of a clog. */
  clogged: Uint8Array[];
}

interface Link {
  readonly lower: ReplicaId;
  readonly higher: ReplicaId;
  isUp: boolean;
  /** Messages of an earlier connection are lost. */
  generation: number;
  isConnecting: boolean;
}

const RECONNECT_MS_MIN = 5;
const RECONNECT_MS_MEAN = 20;

/** All links. */
export class SimulatedNetwork {
  private readonly endpoints = new Map<ReplicaId, Endpoint>();
  private readonly links = new Map<string, Link>();
  private readonly channels = new Map<number, Channel>();
  private delivered = 0;
  private isPicked: LossRule = () => false;

  constructor(private readonly options: NetworkOptions) {
    const { replicaCount } = options;
    for (let from = 0; from < replicaCount; from++) {
      for (let to = 0; to < replicaCount; to++) {
        if (from !== to) {
          this.channels.set(from * replicaCount + to, createChannel(replicaId(from), replicaId(to)));
        }
        if (from < to) {
          const link = {
            lower: replicaId(from),
            higher: replicaId(to),
            isUp: false,
            generation: 0,
            isConnecting: false,
          };
          this.links.set(`${from}-${to}`, link);
        }
      }
    }
  }

  /** How many messages arrived. */
  get deliveredMessages(): number {
    return this.delivered;
  }

  /** The condition of a direction, to be changed through `change`. */
  conditionOf(from: ReplicaId, to: ReplicaId): Readonly<LinkCondition> {
    return this.channel(from, to).condition;
  }

  /** Changes the condition of a direction; the end of a clog or a block takes effect at once. */
  change(from: ReplicaId, to: ReplicaId, change: Partial<LinkCondition>): void {
    const channel = this.channel(from, to);
    channel.condition = { ...channel.condition, ...change };
    if (!channel.condition.isClogged) {
      for (const message of channel.clogged.splice(0)) {
        this.carry(channel, message);
      }
    }
    this.maybeConnect(this.link(from, to));
  }

  /** Loses what the rule says, besides what conditions say; undefined for nothing. */
  loseWhere(rule: LossRule | undefined): void {
    this.isPicked = rule ?? (() => false);
  }

  /** Breaks the link between two replicas; it comes back by itself. */
  breakLink(left: ReplicaId, right: ReplicaId): void {
    const link = this.link(left, right);
    this.disconnect(link, 'broken');
    this.maybeConnect(link);
  }

  /** A process listens. */
  attach(endpoint: Endpoint): void {
    assert(!this.endpoints.has(endpoint.replica), `replica ${endpoint.replica} listens once`);
    this.endpoints.set(endpoint.replica, endpoint);
    for (const link of this.linksOf(endpoint.replica)) {
      this.maybeConnect(link);
    }
  }

  /** A process listens no more. */
  detach(replica: ReplicaId): void {
    this.endpoints.delete(replica);
    for (const link of this.linksOf(replica)) {
      this.disconnect(link, 'the peer is gone');
    }
  }

  /** Whether the link between two replicas is up. */
  isUp(left: ReplicaId, right: ReplicaId): boolean {
    return this.link(left, right).isUp;
  }

  /** What is under way in a direction. */
  queued(from: ReplicaId, to: ReplicaId): { readonly queuedMessages: number; readonly queuedBytes: number } {
    return this.channel(from, to);
  }

  /** Whether what goes in a direction is not all that came, in its order, since the link is up. */
  hasLost(from: ReplicaId, to: ReplicaId): boolean {
    return this.channel(from, to).hasLost;
  }

  /** The bytes of messages that a link takes now. */
  roomBytes(from: ReplicaId, to: ReplicaId): number {
    return this.isUp(from, to) ? this.options.queueBytesMax - this.channel(from, to).queuedBytes : 0;
  }

  /** Takes a message; returns false where it is dropped at once. */
  send(from: ReplicaId, to: ReplicaId, message: Uint8Array): boolean {
    const { messageBytesMax, queueBytesMax, onSent, random, trace, describe } = this.options;
    if (!this.links.has(nameOf(from, to)) || message.length > messageBytesMax) {
      return false;
    }
    const channel = this.channel(from, to);
    onSent(from, to, message);
    if (!this.link(from, to).isUp || channel.queuedBytes + message.length > queueBytesMax) {
      channel.hasLost = true;
      return false;
    }
    const { condition } = channel;
    if (condition.isBlocked || random.chance(condition.loss) || this.isPicked(from, to, message)) {
      channel.hasLost = true;
      trace.add('drop', [from, to, message.length], () => `${from} → ${to} ${describe(message)}`);
      return true;
    }
    for (let copies = random.chance(condition.duplication) ? 2 : 1; copies > 0; copies--) {
      channel.queuedBytes += message.length;
      channel.queuedMessages++;
      if (condition.isClogged) {
        channel.clogged.push(message);
      } else {
        this.carry(channel, message);
      }
    }
    return true;
  }

  /** Stops or goes on handing over what comes from a peer. */
  setReading(reader: ReplicaId, peer: ReplicaId, reading: boolean): void {
    const channel = this.channel(peer, reader);
    channel.isReading = reading;
    if (reading && channel.unread.length > 0) {
      const { generation } = this.link(peer, reader);
      this.options.loop.schedule(0, () => {
        if (this.link(peer, reader).generation === generation) {
          while (channel.isReading && channel.unread.length > 0) {
            this.handOver(channel, defined(channel.unread.shift(), 'there is one'));
          }
        }
      });
    }
  }

  private carry(channel: Channel, message: Uint8Array): void {
    const { loop, random } = this.options;
    const { condition } = channel;
    const link = this.link(channel.from, channel.to);
    const { generation } = link;
    let arrivalMs = loop.nowMs + condition.delayMinMs + random.exponential(condition.delayMeanMs);
    channel.hasLost ||= !condition.isOrdered;
    if (condition.isOrdered) {
      arrivalMs = Math.max(arrivalMs, channel.lastArrivalMs);
      channel.lastArrivalMs = arrivalMs;
    }
    loop.schedule(arrivalMs - loop.nowMs, () => {
      if (link.generation !== generation) {
        return;
      }
      if (channel.isReading && channel.unread.length === 0) {
        this.handOver(channel, message);
      } else {
        channel.unread.push(message);
      }
    });
  }

  private handOver(channel: Channel, message: Uint8Array): void {
    const { trace, describe } = this.options;
    const { from, to } = channel;
    const endpoint = this.endpoints.get(to);
    channel.queuedBytes -= message.length;
    channel.queuedMessages--;
    this.delivered++;
    trace.add('deliver', [from, to, fingerprint(message)], () => `${from} → ${to} ${describe(message)}`);
    endpoint?.life.enter(() => endpoint.handlers.onMessage(from, message));
  }

  private maybeConnect(link: Link): void {
    if (link.isUp || link.isConnecting || !this.canConnect(link)) {
      return;
    }
    link.isConnecting = true;
    const { loop, random } = this.options;
    loop.schedule(RECONNECT_MS_MIN + random.exponential(RECONNECT_MS_MEAN), () => {
      link.isConnecting = false;
      if (!link.isUp && this.canConnect(link)) {
        this.connect(link);
      }
    });
  }

  private canConnect({ lower, higher }: Link): boolean {
    return (
      this.endpoints.has(lower) &&
      this.endpoints.has(higher) &&
      !this.channel(lower, higher).condition.isBlocked &&
      !this.channel(higher, lower).condition.isBlocked
    );
  }

  private connect(link: Link): void {
    const { lower, higher } = link;
    link.isUp = true;
    link.generation++;
    for (const channel of [this.channel(lower, higher), this.channel(higher, lower)]) {
      Object.assign(channel, emptyChannelState());
    }
    this.options.trace.add('connect', [lower, higher], () => `${lower} ↔ ${higher}`);
    this.tell(lower, ({ handlers }) => handlers.onConnected(higher));
    this.tell(higher, ({ handlers }) => handlers.onConnected(lower));
  }

  private disconnect(link: Link, reason: string): void {
    if (!link.isUp) {
      return;
    }
    const { lower, higher } = link;
    link.isUp = false;
    link.generation++;
    this.options.trace.add('disconnect', [lower, higher], () => `${lower} ↔ ${higher}: ${reason}`);
    this.tell(lower, ({ handlers }) => handlers.onDisconnected(higher, reason));
    this.tell(higher, ({ handlers }) => handlers.onDisconnected(lower, reason));
  }

  /** Tells a process in a moment of its own, because the other end may be in the middle of something. */
  private tell(replica: ReplicaId, what: (endpoint: Endpoint) => void): void {
    const endpoint = this.endpoints.get(replica);
    if (endpoint !== undefined) {
      this.options.loop.schedule(0, () => endpoint.life.enter(() => what(endpoint)));
    }
  }

  private linksOf(replica: ReplicaId): Link[] {
    return [...this.links.values()].filter(({ lower, higher }) => lower === replica || higher === replica);
  }

  private link(left: ReplicaId, right: ReplicaId): Link {
    return defined(this.links.get(nameOf(left, right)), `there is a link between ${left} and ${right}`);
  }

  private channel(from: ReplicaId, to: ReplicaId): Channel {
    return defined(this.channels.get(from * this.options.replicaCount + to), `there is a way from ${from} to ${to}`);
  }
}

function nameOf(left: ReplicaId, right: ReplicaId): string {
  return left < right ? `${left}-${right}` : `${right}-${left}`;
}

function emptyChannelState(): Omit<Channel, 'from' | 'to' | 'condition'> {
  return {
    queuedBytes: 0,
    queuedMessages: 0,
    lastArrivalMs: 0,
    isReading: true,
    hasLost: false,
    unread: [],
    clogged: [],
  };
}

function createChannel(from: ReplicaId, to: ReplicaId): Channel {
  return { from, to, condition: healthyCondition(), ...emptyChannelState() };
}
