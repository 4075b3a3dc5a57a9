import assert from 'node:assert/strict';
import { CoreTimers } from '../../../../src/runtime/loop/core-timers.js';
import { FakeTimers } from '../fakes.js';

function bench() {
  const timers = new FakeTimers();
  const expired: string[] = [];
  const coreTimers = new CoreTimers(timers, (event) => {
    assert.ok(event.kind === 'timerExpired');
    expired.push(`${event.timer} ${event.generation} at ${timers.nowMs - 1_000}`);
  });
  const start = (timer: 'request' | 'status', generation: number, delayMs: number): void =>
    coreTimers.start({ kind: 'startTimer', timer, generation, delayMs });
  return { timers, expired, coreTimers, start };
}

describe('the core’s timers on the machine', () => {
  it('tell of their expiry, with the generation that was started', () => {
    const { timers, expired, start } = bench();
    start('request', 3, 20);
    start('status', 1, 10);
    timers.advance(100);
    assert.deepEqual(expired, ['status 1 at 10', 'request 3 at 20']);
  });

  it('run once a name: a restart takes the place of what ran', () => {
    const { timers, expired, start } = bench();
    start('request', 1, 20);
    timers.advance(15);
    start('request', 2, 20);
    assert.equal(timers.running, 1);
    timers.advance(100);
    assert.deepEqual(expired, ['request 2 at 35']);
  });

  it('stop one by one and all together, and start again', () => {
    const { timers, expired, start, coreTimers } = bench();
    start('request', 1, 20);
    coreTimers.stop('request');
    coreTimers.stop('request');
    start('status', 1, 10);
    start('request', 2, 10);
    coreTimers.stopAll();
    assert.equal(timers.running, 0);
    start('status', 2, 10);
    timers.advance(100);
    assert.deepEqual(expired, ['status 2 at 10']);
  });
});
