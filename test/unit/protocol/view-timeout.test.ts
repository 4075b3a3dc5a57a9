/** T: when it doubles, when it shrinks, and that it stays in its bounds. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ViewTimeout } from '../../../src/protocol/view-timeout.js';

const OPTIONS = { minMs: 2_000, maxMs: 16_000, checkpointInterval: 4 };

describe('the timeout of views [OSDI §4.5.2]', () => {
  it('doubles with every move without a stable checkpoint in between, up to its bound', () => {
    const timeout = new ViewTimeout(OPTIONS);
    const seen = Array.from({ length: 5 }, () => {
      timeout.onViewLeft();
      return timeout.ms;
    });
    assert.deepEqual(seen, [2_000, 4_000, 8_000, 16_000, 16_000]);
    timeout.onStable();
    timeout.onViewLeft();
    assert.equal(timeout.ms, 16_000);
  });

  it('is halved by a checkpoint interval executed in one view, not below twice the longest wait', () => {
    const timeout = new ViewTimeout(OPTIONS);
    for (let times = 0; times < 4; times++) {
      timeout.onViewLeft();
    }
    timeout.onViewEntered(0);
    timeout.onWaited(5_000);
    for (let sequence = 0; sequence < 4; sequence++) {
      timeout.onExecuted(1);
    }
    assert.equal(timeout.ms, 10_000);
    for (let sequence = 0; sequence < 4; sequence++) {
      timeout.onExecuted(2);
    }
    assert.equal(timeout.ms, 5_000);
  });

  it('is halved by what is executed after 16 timeouts in one view', () => {
    const timeout = new ViewTimeout(OPTIONS);
    timeout.onViewLeft();
    timeout.onViewLeft();
    timeout.onViewEntered(0);
    timeout.onExecuted(16 * 4_000 - 1);
    assert.equal(timeout.ms, 4_000);
    timeout.onExecuted(16 * 4_000);
    assert.equal(timeout.ms, 2_000);
  });

  it('stays in its bounds, whatever happens', () => {
    const happening = fc.constantFrom('left', 'entered', 'stable', 'waited', 'executed');
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, fc.nat(100_000)), { maxLength: 60 }), (story) => {
        const timeout = new ViewTimeout(OPTIONS);
        let nowMs = 0;
        for (const [what, ms] of story) {
          nowMs += ms;
          switch (what) {
            case 'left':
              timeout.onViewLeft();
              break;
            case 'entered':
              timeout.onViewEntered(nowMs);
              break;
            case 'stable':
              timeout.onStable();
              break;
            case 'waited':
              timeout.onWaited(ms);
              break;
            case 'executed':
              timeout.onExecuted(nowMs);
              break;
          }
          assert.ok(timeout.ms >= OPTIONS.minMs && timeout.ms <= OPTIONS.maxMs);
        }
      }),
    );
  });
});
