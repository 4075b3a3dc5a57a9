import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Deadlines } from '../../../../src/runtime/gateway/deadlines.js';
import { FakeTimers } from '../fakes.js';

const SLOT_MS = 8;

describe('deadlines', () => {
  it('expire in time, at most one slot early, and not when removed', () => {
    const command = fc.record({
      delayMs: fc.integer({ min: 0, max: 500 }),
      pauseMs: fc.integer({ min: 0, max: 60 }),
      isRemoved: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const timers = new FakeTimers();
        const expired = new Map<number, number>();
        const deadlines = new Deadlines<number>(timers, (item) => {
          assert.ok(!expired.has(item));
          expired.set(item, timers.nowMs);
        });
        const added = commands.map(({ delayMs, pauseMs, isRemoved }, item) => {
          const atMs = timers.nowMs + delayMs;
          const slot = deadlines.add(item, delayMs);
          if (isRemoved) {
            deadlines.remove(item, slot);
          }
          timers.advance(pauseMs);
          return atMs;
        });
        timers.advance(1_000);
        for (const [item, atMs] of added.entries()) {
          const expiredMs = expired.get(item);
          assert.equal(expiredMs === undefined, commands[item]?.isRemoved);
          assert.ok(expiredMs === undefined || (expiredMs <= atMs && expiredMs > atMs - SLOT_MS));
        }
        assert.equal(timers.running, 0);
      }),
    );
  });

  it('may be added while others expire', () => {
    const timers = new FakeTimers();
    const expired: string[] = [];
    const deadlines = new Deadlines<string>(timers, (item) => {
      expired.push(item);
      if (item === 'first') {
        deadlines.add('second', 20);
      }
    });
    deadlines.add('first', 10);
    deadlines.add('third', 100);
    timers.advance(50);
    assert.deepEqual(expired, ['first', 'second']);
    timers.advance(50);
    assert.deepEqual(expired, ['first', 'second', 'third']);
  });

  it('run one timer however many there are, and none when cleared', () => {
    const timers = new FakeTimers();
    const deadlines = new Deadlines<number>(timers, () => assert.fail('it was cleared'));
    for (let item = 0; item < 1_000; item++) {
      deadlines.add(item, 1_000 - item);
    }
    assert.equal(timers.running, 1);
    deadlines.clear();
    assert.equal(timers.running, 0);
    timers.advance(10_000);
  });
});
