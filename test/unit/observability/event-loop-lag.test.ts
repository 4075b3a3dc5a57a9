import assert from 'node:assert/strict';
import { startEventLoopLagSampler } from '../../../src/observability/event-loop-lag.js';

describe('the event loop lag sampler', () => {
  it('gives the time by which the timer was late, never a negative one, until it is stopped', () => {
    let nowMs = 1_000;
    let due: { atMs: number; fire: () => void } | undefined;
    const samples: number[] = [];
    const stop = startEventLoopLagSampler((lag) => samples.push(lag), {
      nowMs: () => nowMs,
      startTimer: (delayMs, fire) => {
        due = { atMs: nowMs + delayMs, fire };
        return () => {
          due = undefined;
        };
      },
    });
    for (const lateMs of [0, 250, -0.5, 20]) {
      assert.ok(due !== undefined);
      nowMs = due.atMs + lateMs;
      due.fire();
    }
    assert.deepEqual(samples, [0, 0.25, 0, 0.02]);
    stop();
    assert.equal(due, undefined);
  });
});
