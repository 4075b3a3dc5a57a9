import assert from 'node:assert/strict';
import { createMetrics } from '../../../src/observability/metrics.js';
import type { Metrics } from '../../../src/ports/metrics.js';
import { computeUse, type Observation, parseMetrics, type ReplicaUse, sumOf } from '../../bench/observe.js';

/** What a replica's real registry tells before and after `act`, ten seconds apart. */
async function useOf(act: (metrics: Metrics) => void): Promise<ReplicaUse> {
  const { metrics, registry, stop } = createMetrics({
    version: '1.0.0',
    engine: () => 'memory',
    peers: ['1', '2', '3'],
  });
  try {
    metrics.set('pbft_is_primary', {}, 1);
    metrics.increment('pbft_committed_operations_total', {}, 1_000);
    metrics.observe('pbft_sign_seconds', {}, 9);
    const before: Observation = { replica: 2, atMs: 500, values: parseMetrics(await registry.metrics()) };
    act(metrics);
    const after: Observation = { replica: 2, atMs: 10_500, values: parseMetrics(await registry.metrics()) };
    return computeUse(before, after);
  } finally {
    stop();
  }
}

describe('what a measurement costs a replica', () => {
  it('is the difference of its metrics', async () => {
    const use = await useOf((metrics) => {
      metrics.increment('pbft_committed_operations_total', {}, 300);
      metrics.increment('pbft_committed_batches_total', {}, 20);
      for (const seconds of [0.001, 0.003]) {
        metrics.observe('pbft_sign_seconds', {}, seconds);
        metrics.observe('pbft_storage_sync_seconds', {}, 2 * seconds);
        metrics.observe('pbft_phase_latency_seconds', { phase: 'commit' }, 3 * seconds);
      }
      metrics.increment('pbft_view_changes_total', { cause: 'badNewView' }, 1);
      metrics.increment('pbft_view_changes_total', { cause: 'joined' }, 1);
      metrics.increment('pbft_link_bytes_total', { peer: '1', direction: 'sent' }, 700);
      metrics.increment('pbft_link_bytes_total', { peer: '3', direction: 'sent' }, 70);
      metrics.increment('pbft_link_bytes_total', { peer: '3', direction: 'received' }, 7);
    });
    const { operations, batches, operationsPerBatch, signatures, syncs, viewChanges, sentBytes } = use;
    assert.deepEqual(
      { operations, batches, operationsPerBatch, signatures, syncs, viewChanges, sentBytes },
      { operations: 300, batches: 20, operationsPerBatch: 15, signatures: 2, syncs: 2, viewChanges: 2, sentBytes: 770 },
    );
    const near = (isMs: number | undefined, wantedMs: number): void =>
      assert.ok(Math.abs((isMs ?? Number.NaN) - wantedMs) < 1e-6, `${isMs} for ${wantedMs}`);
    near(use.signMs, 2);
    near(use.syncMs, 4);
    near(use.phaseMs['commit'], 6);
    assert.equal(use.replica, 2);
    assert.equal(use.isPrimary, true);
    assert.ok(use.residentBytes > 1_000_000);
    assert.equal(use.cores, use.cpuSeconds / 10);
  });

  it('has no mean of nothing', async () => {
    const { operationsPerBatch, signMs, phaseMs } = await useOf(() => undefined);
    assert.ok([operationsPerBatch, signMs, phaseMs['prepare']].every(Number.isNaN));
  });

  it('finds every metric that it reads at a replica', async () => {
    const use = await useOf((metrics) => {
      metrics.increment('pbft_committed_operations_total', {}, 1);
      metrics.increment('pbft_committed_batches_total', {}, 1);
      metrics.observe('pbft_sign_seconds', {}, 1);
      metrics.observe('pbft_storage_sync_seconds', {}, 1);
      metrics.observe('pbft_commit_latency_seconds', {}, 1);
      metrics.observe('pbft_event_loop_lag_seconds', {}, 1);
      for (const phase of ['prepare', 'commit', 'execute'] as const) {
        metrics.observe('pbft_phase_latency_seconds', { phase }, 1);
      }
    });
    const figures = [...Object.values(use), ...Object.values(use.phaseMs)].filter((value) => typeof value === 'number');
    assert.ok(figures.every(Number.isFinite), JSON.stringify(use));
    assert.deepEqual(Object.keys(use.phaseMs).sort(), ['commit', 'execute', 'prepare']);
  });

  it('does not take a metric that is not there for 0', () => {
    assert.ok(Number.isNaN(sumOf({ replica: 0, atMs: 0, values: parseMetrics('a_total 1\n') }, 'a')));
  });
});
