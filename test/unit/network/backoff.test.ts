import assert from 'node:assert/strict';
import { SETTING_GROUPS } from '../../../src/config/settings.js';
import { Backoff } from '../../../src/network/backoff.js';
import { HANDSHAKES_PER_SECOND, RECONNECT_DELAY_MAX_MS } from '../../../src/network/transport-options.js';

describe('a backoff', () => {
  const options = { delayMinMs: 50, delayMaxMs: 300, stableMs: 1_000, random: () => 1 };

  it('doubles up to its cap and begins anew only after a link that held', () => {
    const backoff = new Backoff(options);
    const delays = [0, 0, 0, 999, 0, 1_000, 0].map((heldMs) => backoff.nextDelayMs(heldMs));
    assert.deepEqual(delays, [50, 100, 200, 300, 300, 50, 100]);
  });

  it('varies by up to half, so that replicas do not dial in step', () => {
    assert.equal(new Backoff({ ...options, random: () => 0 }).nextDelayMs(0), 25);
    assert.equal(new Backoff({ ...options, random: () => 0.5 }).nextDelayMs(0), 37.5);
  });

  it('keeps a replica that starts again from its primary for less than its requests wait', () => {
    const { requestTimeoutMs } = SETTING_GROUPS.agreement.schema.parse({});
    assert.ok(RECONNECT_DELAY_MAX_MS <= requestTimeoutMs / 2, `${RECONNECT_DELAY_MAX_MS} of ${requestTimeoutMs} ms`);
  });

  it('dials no more often than a listener allows', () => {
    const backoff = new Backoff({ ...options, delayMaxMs: RECONNECT_DELAY_MAX_MS, random: () => 0 });
    const delaysMs = Array.from({ length: 20 }, () => backoff.nextDelayMs(0));
    assert.ok(HANDSHAKES_PER_SECOND >= 1_000 / Math.max(...delaysMs), `every ${Math.max(...delaysMs)} ms`);
  });
});
