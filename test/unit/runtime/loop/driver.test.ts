/** The loop around the core: what one turn does, and when the next one comes. */
import assert from 'node:assert/strict';
import type { Effect } from '../../../../src/protocol/effects.js';
import type { Event, Now } from '../../../../src/protocol/events.js';
import { replicaId } from '../../../../src/protocol/identifiers.js';
import { Driver, type QueueItem } from '../../../../src/runtime/loop/driver.js';
import { EventQueue } from '../../../../src/runtime/loop/event-queue.js';
import { ALLOWANCE_MAX_US, ALLOWANCE_US_PER_MS, TURN_SHARE_US } from '../../../../src/runtime/loop/peer-lane.js';
import { FakeTimers } from '../fakes.js';

const PEER = replicaId(1);

class Bench {
  readonly log: string[] = [];
  readonly nows: Now[] = [];
  readonly timers = new FakeTimers();
  readonly queue = new EventQueue<QueueItem>({
    peers: [PEER],
    peerMessagesMax: 1_000,
    peerBytesMax: 1_000_000,
    clientMessagesMax: 1_000,
    clientBytesMax: 1_000_000,
    onDropped: () => assert.fail('nothing is dropped'),
  });
  onFlush: () => void = () => undefined;
  onStep: () => void = () => undefined;
  onSettled: (peer: number, event: Event | undefined) => void = () => undefined;
  isBehind = false;
  readonly driver: Driver = new Driver({
    core: { step: (event, now) => this.step(event, now) },
    queue: this.queue,
    timers: this.timers,
    admit: (item) => {
      this.log.push('admit');
      return item.kind === 'message' && item.bytes.length > 0 ? connected() : undefined;
    },
    run: ({ kind }) => this.log.push(kind),
    settle: ({ peer }, event) => this.onSettled(peer, event),
    flush: () => {
      this.log.push('flush');
      this.onFlush();
    },
    isBehind: () => this.isBehind,
    afterTurn: () => this.log.push('after'),
  });

  private step(event: Event, now: Now): readonly Effect[] {
    this.log.push(event.kind);
    this.nows.push(now);
    this.onStep();
    return [
      { kind: 'stopTimer', timer: 'status' },
      { kind: 'stopTimer', timer: 'request' },
    ];
  }

  push(count = 1): void {
    for (let index = 0; index < count; index++) {
      this.queue.pushLocal({ kind: 'event', event: connected() });
    }
    this.driver.wake();
  }

  /** Runs the turns that are scheduled now, none that they schedule; returns what was done. */
  turn(): string[] {
    this.log.length = 0;
    assert.equal(this.timers.running, 1, 'one turn is scheduled');
    this.timers.step();
    return [...this.log];
  }
}

function connected(): Event {
  return { kind: 'peerConnected', peer: PEER };
}

describe('the driver', () => {
  it('steps each event, does its effects in order, and ends the turn with one flush', () => {
    const bench = new Bench();
    bench.push(2);
    const step = ['peerConnected', 'stopTimer', 'stopTimer'];
    assert.deepEqual(bench.turn(), [...step, ...step, 'flush', 'after']);
    assert.equal(bench.timers.running, 0);
  });

  it('schedules one turn, however often it is woken', () => {
    const bench = new Bench();
    bench.push();
    bench.driver.wake();
    bench.driver.wake();
    assert.equal(bench.timers.running, 1);
  });

  it('flushes without any event when something waits for it', () => {
    const bench = new Bench();
    bench.driver.wake();
    assert.deepEqual(bench.turn(), ['flush', 'after']);
  });

  it('takes 128 items a turn and comes back for the rest', () => {
    const bench = new Bench();
    bench.push(200);
    const count = (log: readonly string[]) => log.filter((entry) => entry === 'peerConnected').length;
    assert.equal(count(bench.turn()), 128);
    assert.equal(count(bench.turn()), 72);
    assert.equal(bench.timers.running, 0);
  });

  it('RX-02: ends the turn where only a peer waits whose share is used up, and comes back for it', () => {
    const bench = new Bench();
    for (let index = 0; index < 3; index++) {
      bench.queue.pushPeer(PEER, { kind: 'message', peer: PEER, bytes: new Uint8Array(1) }, 1);
    }
    bench.onStep = () => bench.queue.charge(PEER, { costUs: TURN_SHARE_US, isNew: true });
    bench.driver.wake();
    const step = ['admit', 'peerConnected', 'stopTimer', 'stopTimer', 'flush', 'after'];
    assert.deepEqual([bench.turn(), bench.turn(), bench.turn()], [step, step, step]);
    assert.equal(bench.timers.running, 0);
  });

  it('FU-08: waits with nothing to do but for a peer whose allowance is used up, until he has some again', () => {
    const bench = new Bench();
    const settled: unknown[] = [];
    for (const length of [0, 1]) {
      bench.queue.pushPeer(PEER, { kind: 'message', peer: PEER, bytes: new Uint8Array(length) }, 1);
    }
    bench.onSettled = (peer, event) => {
      settled.push([peer, event?.kind]);
      bench.queue.charge(PEER, { costUs: ALLOWANCE_MAX_US + 20 * ALLOWANCE_US_PER_MS, isNew: false });
    };
    bench.driver.wake();
    bench.timers.advance(0);
    bench.timers.advance(20);
    assert.deepEqual(settled, [[PEER, undefined]]);
    bench.timers.advance(1);
    assert.deepEqual(settled, [
      [PEER, undefined],
      [PEER, 'peerConnected'],
    ]);
    assert.equal(bench.timers.running, 0);
  });

  it('ST-06: takes only what is its own while the disk is behind, and the rest when it is woken after that', () => {
    const bench = new Bench();
    bench.queue.pushPeer(PEER, { kind: 'message', peer: PEER, bytes: new Uint8Array(1) }, 1);
    bench.isBehind = true;
    bench.push();
    const step = ['peerConnected', 'stopTimer', 'stopTimer'];
    assert.deepEqual(bench.turn(), [...step, 'flush', 'after']);
    assert.equal(bench.timers.running, 0, 'nothing to do until then');
    bench.isBehind = false;
    bench.driver.wake();
    assert.deepEqual(bench.turn(), ['admit', ...step, 'flush', 'after']);
  });

  it('takes along what its own effects queue, without another turn', () => {
    const bench = new Bench();
    let left = 3;
    bench.onStep = () => {
      if (left > 0) {
        left--;
        bench.push();
      }
    };
    bench.push();
    assert.equal(bench.turn().filter((entry) => entry === 'peerConnected').length, 4);
    assert.equal(bench.timers.running, 0);
  });

  it('takes another turn for what the flush queues or leaves waiting', () => {
    const bench = new Bench();
    bench.onFlush = () => {
      bench.onFlush = () => undefined;
      bench.driver.wake();
    };
    bench.push();
    bench.turn();
    assert.deepEqual(bench.turn(), ['flush', 'after']);
    assert.equal(bench.timers.running, 0);
  });

  it('judges messages when their turn comes, and steps nothing where they are not taken', () => {
    const bench = new Bench();
    bench.queue.pushPeer(PEER, { kind: 'message', peer: PEER, bytes: new Uint8Array() }, 0);
    bench.queue.pushPeer(PEER, { kind: 'message', peer: PEER, bytes: new Uint8Array(1) }, 1);
    bench.driver.wake();
    assert.deepEqual(bench.log, []);
    const step = ['admit', 'peerConnected', 'stopTimer', 'stopTimer'];
    assert.deepEqual(bench.turn(), ['admit', ...step, 'flush', 'after']);
  });

  it('gives each step both clocks of its moment', () => {
    const bench = new Bench();
    bench.push();
    bench.timers.advance(5);
    assert.deepEqual(bench.nows, [{ wallMs: 1_000, elapsedMs: 1_000 }]);
  });

  it('stops at once: no further event, no flush, no further turn', () => {
    const bench = new Bench();
    bench.push(3);
    bench.onStep = () => bench.driver.stop();
    assert.deepEqual(bench.turn(), ['peerConnected', 'stopTimer', 'stopTimer']);
    bench.push();
    assert.equal(bench.timers.running, 0);
  });
});
