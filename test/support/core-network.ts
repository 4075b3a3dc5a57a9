/**
 * Several cores joined by a network that a test rules: effects are done in memory, messages wait until `run` delivers
 * them, timers until `advance` passes their time. For scenarios with view changes; the simulator runs whole replicas.
 */
import assert from 'node:assert/strict';
import type { Event } from '../../src/protocol/events.js';
import type { ConsensusParameters, LocalParameters } from '../../src/protocol/parameters.js';
import { id, request } from './core-cluster.js';
import { EffectPerformer, type Waiting } from './network-effects.js';
import { NetworkedCore } from './networked-core.js';

/** Whether a message is delivered. */
export type Filter = (message: { readonly from: number; readonly to: number; readonly event: Event }) => boolean;

/** The network. */
export class CoreNetwork {
  readonly replicas: readonly NetworkedCore[];
  /** Messages that fail it are lost. */
  filter: Filter = () => true;
  private readonly queue: Waiting[] = [];
  private nowMs = 0;
  private readonly effects: EffectPerformer;

  constructor(
    replicaCount = 4,
    options: { readonly local?: Partial<LocalParameters>; readonly consensus?: Partial<ConsensusParameters> } = {},
  ) {
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

  /** A caller of this replica asks something. */
  submit(replica: number, client: string, number: number): void {
    this.step(replica, { kind: 'requestReceived', request: request(client, number), from: 'local' });
    this.run();
  }

  /** Delivers messages until none waits. */
  run(): void {
    for (let delivered = 0; this.queue.length > 0; delivered++) {
      assert.ok(delivered < 200_000, 'the network comes to rest');
      const message = this.queue.shift();
      if (message === undefined || !this.at(message.to).isUp || !this.at(message.from).isUp) {
        continue;
      }
      if (message.from === message.to || this.filter(message)) {
        this.step(message.to, message.event);
      }
    }
  }

  /** Lets time pass: timers expire in their order, messages are delivered in between. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = this.nextTimer(untilMs);
      if (due === undefined) {
        break;
      }
      this.nowMs = Math.max(this.nowMs, due.dueMs);
      this.at(due.replica).timers.delete(due.name);
      this.step(due.replica, {
        kind: 'timerExpired',
        timer: due.name as Extract<Event, { kind: 'timerExpired' }>['timer'],
        generation: due.generation,
      });
      this.run();
    }
    this.nowMs = untilMs;
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
    this.effects.perform(target, target.under.step(event));
  }
}
