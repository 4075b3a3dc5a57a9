/**
 * Several cores joined by a network that a test rules: effects are done in memory, messages wait until `run` delivers
 * them, timers until `advance` passes their time. For scenarios with view changes; the simulator runs whole replicas.
 */
import assert from 'node:assert/strict';
import type { Effect } from '../../src/protocol/effects.js';
import type { Event } from '../../src/protocol/events.js';
import { id, request } from './core-cluster.js';
import { EffectPerformer, type Waiting } from './network-effects.js';
import { type CoreOptions, NetworkedCore } from './networked-core.js';

/** Whether a message is delivered. */
export type Filter = (message: Waiting) => boolean;

/** Is told what happens. */
export interface NetworkObserver {
  /** A replica made a step. */
  onStep(replica: number, event: Event, effects: readonly Effect[]): void;
  /** A message failed the filter. */
  onLost(message: Waiting): void;
  /** A message that another replica sent arrived, as it was sent. */
  onDelivered?(message: Waiting): void;
  /** The messages that are on their way are about to be delivered. */
  onRound(): void;
}

/** The network. */
export class CoreNetwork {
  readonly replicas: readonly NetworkedCore[];
  /** Messages that fail it are lost. */
  filter: Filter = () => true;
  /** What a message becomes on its way: a faulty sender's lies. */
  rewrite: (message: Waiting) => Waiting = (message) => message;
  /** Replicas in whose name things are said that their core never said: what it is shown of its own is not its own. */
  readonly liars = new Set<number>();
  observer: NetworkObserver = { onStep: () => undefined, onLost: () => undefined, onRound: () => undefined };
  private readonly queue: Waiting[] = [];
  private nowMs = 0;
  private readonly effects: EffectPerformer;

  constructor(replicaCount = 4, options: CoreOptions = {}) {
    this.replicas = Array.from(
      { length: replicaCount },
      (_, replica) => new NetworkedCore(replica, replicaCount, options),
    );
    this.effects = new EffectPerformer({
      replicas: this.replicas,
      nowMs: () => this.nowMs,
      send: (message) => this.queue.push(message),
    });
    for (const from of this.replicas) {
      this.effects.perform(from, from.under.effects.splice(0));
    }
    for (const from of this.replicas) {
      for (const to of this.replicas) {
        if (from !== to) {
          this.step(from.replica, { kind: 'peerConnected', peer: id(to.replica) });
        }
      }
    }
    this.run();
  }

  /** A replica by its id. */
  at(replica: number): NetworkedCore {
    const found = this.replicas[replica];
    assert.ok(found, `there is a replica ${replica}`);
    return found;
  }

  /** Milliseconds since the network began. */
  get elapsedMs(): number {
    return this.nowMs;
  }

  /** Whether any message is on its way. */
  get isBusy(): boolean {
    return this.queue.length > 0;
  }

  /** A caller of this replica asks something. */
  ask(replica: number, client: string, number: number): void {
    this.step(replica, { kind: 'requestReceived', request: request(client, number), from: 'local' });
  }

  /** The same, and all that follows. */
  submit(replica: number, client: string, number: number): void {
    this.ask(replica, client, number);
    this.run();
  }

  /** Delivers messages until none waits. */
  run(): void {
    for (let rounds = 0; this.queue.length > 0; rounds++) {
      assert.ok(rounds < 10_000, 'the network comes to rest');
      this.runRound();
    }
  }

  /** Delivers what is on its way now, and not what that leads to. */
  runRound(): void {
    this.observer.onRound();
    const upAtFirst = new Set(this.replicas.filter(({ isUp }) => isUp).map(({ replica }) => replica));
    for (const original of this.queue.splice(0)) {
      const message = this.rewrite(original);
      const isOfLiar = message.event.kind === 'ownStatementReceived' && this.liars.has(message.to);
      if (isOfLiar || !this.at(message.to).isUp || !this.at(message.from).isUp) {
        if (isOfLiar || upAtFirst.has(message.to)) {
          // It came: to one who knows what was said in his name, or who ended in this round.
          this.observer.onDelivered?.(original);
        }
        continue;
      }
      if (message.from === message.to || this.filter(message)) {
        if (message.from !== message.to) {
          this.observer.onDelivered?.(original);
        }
        this.step(message.to, message.event);
      } else {
        this.observer.onLost(message);
      }
    }
  }

  /** Lets time pass: timers expire in their order, messages are delivered in between. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let due = this.nextTimer(untilMs); due !== undefined; due = this.nextTimer(untilMs)) {
      this.expire(due.replica, due.name);
      this.run();
    }
    this.nowMs = untilMs;
  }

  /** A timer of a replica expires, whatever others are due before it: time passes up to it at least. */
  expire(replica: number, name: string): void {
    const { timers } = this.at(replica);
    const due = timers.get(name);
    assert.ok(due, `the ${name} timer of replica ${replica} runs`);
    this.nowMs = Math.max(this.nowMs, due.dueMs);
    timers.delete(name);
    this.step(replica, {
      kind: 'timerExpired',
      timer: name as Extract<Event, { kind: 'timerExpired' }>['timer'],
      generation: due.generation,
    });
  }

  /** A replica crashes: what is on its way to and from it is lost, and the others see that it is gone. */
  crash(replica: number): void {
    this.at(replica).crash();
    this.queue.splice(0, this.queue.length, ...this.queue.filter(({ from, to }) => from !== replica && to !== replica));
    for (const peer of this.othersThatAreUp(replica)) {
      this.step(peer.replica, { kind: 'peerDisconnected', peer: id(replica) });
    }
  }

  /** It starts again with what its disk holds. */
  restart(replica: number): void {
    const target = this.at(replica);
    assert.ok(!target.isUp, `replica ${replica} is down`);
    target.restart(this.nowMs);
    const effects = target.under.effects.slice();
    this.effects.perform(target, effects);
    this.observer.onStep(replica, { kind: 'started' }, effects);
    for (const peer of this.othersThatAreUp(replica)) {
      this.step(replica, { kind: 'peerConnected', peer: id(peer.replica) });
      this.step(peer.replica, { kind: 'peerConnected', peer: id(replica) });
    }
  }

  /** What each replica that is up executed, as `client number` by sequence; asserts that they agree. */
  executedRequests(): readonly string[] {
    const logs = this.replicas.filter(({ isUp }) => isUp).map(({ executed }) => executed);
    const longest = logs.reduce((left, right) => (right.length > left.length ? right : left), []);
    for (const log of logs) {
      for (const [index, entry] of log.entries()) {
        assert.equal(entry.batchDigest, longest[index]?.batchDigest, `agreement at sequence ${entry.sequence}`);
      }
    }
    return longest.flatMap(({ requests }) => requests);
  }

  /** Sends an event as if a replica had sent it. */
  inject(from: number, to: number, event: Event): void {
    this.queue.push({ from, to, event });
  }

  private othersThatAreUp(replica: number): NetworkedCore[] {
    return this.replicas.filter((other) => other.isUp && other.replica !== replica);
  }

  private nextTimer(untilMs: number) {
    return this.replicas
      .filter(({ isUp }) => isUp)
      .flatMap(({ replica, timers }) => [...timers].map(([name, timer]) => ({ replica, name, ...timer })))
      .filter(({ dueMs }) => dueMs <= untilMs)
      .sort((left, right) => left.dueMs - right.dueMs || left.replica - right.replica)[0];
  }

  private step(replica: number, event: Event): void {
    const target = this.at(replica);
    target.under.elapsedMs = this.nowMs;
    target.under.wallMs = 1_000 + this.nowMs;
    const effects = target.under.step(event);
    this.effects.perform(target, effects);
    this.observer.onStep(replica, event, effects);
  }
}
