import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TIMER_NAMES, TimerTable } from '../../../src/protocol/timers.js';

describe('the table of timers', () => {
  it('gives each start a generation of its own and takes the expiry of the running one, once', () => {
    const table = new TimerTable();
    const first = table.start('request', 100, 0);
    assert.deepEqual(first, { kind: 'startTimer', timer: 'request', generation: 1, delayMs: 100 });
    const second = table.start('request', 50, 0);
    assert.ok(second.kind === 'startTimer' && second.generation === 2);
    assert.equal(table.expire('request', 1), false);
    assert.equal(table.isRunning('request'), true);
    assert.equal(table.expire('request', 2), true);
    assert.equal(table.isRunning('request'), false);
    assert.equal(table.expire('request', 2), false);
  });

  it('takes no expiry of a timer that was stopped, or that never ran', () => {
    const table = new TimerTable();
    assert.equal(table.expire('status', 1), false);
    assert.equal(table.stop('status'), undefined);
    table.start('status', 10, 0);
    assert.deepEqual(table.stop('status'), { kind: 'stopTimer', timer: 'status' });
    assert.equal(table.stop('status'), undefined);
    assert.equal(table.expire('status', 1), false);
    table.start('status', 10, 0);
    assert.equal(table.expire('status', 1), false);
    assert.equal(table.expire('status', 2), true);
  });

  it('keeps the timers apart', () => {
    const table = new TimerTable();
    table.start('request', 10, 0);
    table.start('status', 10, 0);
    table.stop('request');
    assert.deepEqual([table.isRunning('request'), table.isRunning('status')], [false, true]);
  });

  it('lets at most the last start of each timer expire, in whatever order starts, stops and late expiries come', () => {
    const step = fc.record({
      action: fc.constantFrom('start', 'stop', 'expire'),
      timer: fc.constantFrom(...TIMER_NAMES),
      generation: fc.integer({ min: 0, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const table = new TimerTable();
        const running = new Map<string, number>();
        for (const { action, timer, generation } of steps) {
          if (action === 'start') {
            const effect = table.start(timer, 1, 0);
            assert.ok(effect.kind === 'startTimer');
            running.set(timer, effect.generation);
          } else if (action === 'stop') {
            assert.equal(table.stop(timer) !== undefined, running.delete(timer));
          } else {
            const isRight = running.get(timer) === generation;
            assert.equal(table.expire(timer, generation), isRight);
            if (isRight) {
              running.delete(timer);
            }
          }
          assert.equal(table.isRunning(timer), running.has(timer));
        }
      }),
    );
  });
});
