import assert from 'node:assert/strict';
import { LinkReporter } from '../../../src/network/link-reporter.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { RecordingLogger, RecordingMetrics } from '../../support/network-cluster.js';
import { ManualTimers } from '../../support/network-manual-timers.js';

describe('a link reporter', () => {
  it('counts every end and logs a few', () => {
    const timers = new ManualTimers();
    const metrics = new RecordingMetrics();
    const logger = new RecordingLogger();
    const reporter = new LinkReporter({ metrics, logger, timers });
    for (let index = 0; index < 100; index++) {
      reporter.ended(replicaId(2), { reason: 'malformed', text: 'noise' });
    }
    timers.advance(1_000);
    reporter.ended(replicaId(2), { reason: 'malformed', text: 'noise' });
    assert.equal(metrics.value('pbft_link_resets_total', { peer: '2', reason: 'malformed' }), 101);
    assert.equal(logger.lines.length, 4);
    assert.match(logger.lines.at(-1) ?? '', /"suppressed":97/);
  });
});
