import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../../../src/observability/catalogue.js';
import { createMetrics, type MetricsHandle } from '../../../src/observability/metrics.js';
import { PROCESS_METRIC_NAMES } from '../../../src/observability/process-metrics.js';
import { skip } from '../../support/skip.js';
import { countSeries, readValue } from './exposition.js';

/** The port as who gets around the compiler could call it. */
interface UntypedMetrics {
  increment(name: string, labels: Readonly<Record<string, string>>): void;
  set(name: string, labels: Readonly<Record<string, string>>, value: number): void;
}

describe('the metrics registry', () => {
  let handle: MetricsHandle;
  let engine = 'opening';
  beforeEach(() => {
    engine = 'opening';
    handle = createMetrics({ version: '1.2.3', engine: () => engine, peers: ['1', '2', '3'] });
  });
  afterEach(() => handle.stop());

  it('renders every metric of the port, of the process and of the build', async () => {
    const text = await handle.registry.metrics();
    const names = [...Object.keys(COUNTERS), ...Object.keys(GAUGES), ...Object.keys(HISTOGRAMS)];
    for (const name of [...names, ...PROCESS_METRIC_NAMES, 'pbft_build_info']) {
      assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'));
      assert.ok(countSeries(text, name) > 0, `${name} has a value before anything is measured`);
    }
  });

  it('names in pbft_build_info what runs, the engine as it is when scraped', async () => {
    assert.match(
      await handle.registry.metrics(),
      /pbft_build_info\{version="1.2.3",node="v[\d.]+",engine="opening"\} 1/,
    );
    engine = 'rocksdb';
    const text = await handle.registry.metrics();
    assert.match(text, /pbft_build_info\{.*engine="rocksdb"\} 1/);
    assert.equal(countSeries(text, 'pbft_build_info'), 1);
  });

  it('counts, sets and observes', async () => {
    const { metrics } = handle;
    metrics.increment('pbft_committed_operations_total', {}, 7);
    metrics.increment('pbft_committed_operations_total', {});
    metrics.increment('pbft_rejected_total', { type: 'prepare', reason: 'duplicate' }, 2);
    metrics.set('pbft_view', {}, 5);
    metrics.set('pbft_view', {}, 4);
    metrics.set('pbft_peer_connected', { peer: '2' }, 1);
    metrics.observe('pbft_commit_latency_seconds', {}, 0.003);
    metrics.observe('pbft_phase_latency_seconds', { phase: 'commit' }, 0.5);
    const text = await handle.registry.metrics();
    assert.equal(readValue(text, 'pbft_committed_operations_total'), 8);
    assert.equal(readValue(text, 'pbft_rejected_total{type="prepare",reason="duplicate"}'), 2);
    assert.equal(readValue(text, 'pbft_view'), 4);
    assert.equal(readValue(text, 'pbft_peer_connected{peer="2"}'), 1);
    assert.equal(readValue(text, 'pbft_peer_connected{peer="1"}'), 0);
    assert.equal(readValue(text, 'pbft_commit_latency_seconds_bucket{le="0.0025"}'), 0);
    assert.equal(readValue(text, 'pbft_commit_latency_seconds_bucket{le="0.005"}'), 1);
    assert.equal(readValue(text, 'pbft_phase_latency_seconds_sum{phase="commit"}'), 0.5);
  });

  it('ignores values that are no measurement instead of throwing', async () => {
    const { metrics } = handle;
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1]) {
      metrics.increment('pbft_committed_batches_total', {}, value);
    }
    metrics.set('pbft_view', {}, Number.NaN);
    metrics.observe('pbft_sign_seconds', {}, Number.NaN);
    const text = await handle.registry.metrics();
    assert.equal(readValue(text, 'pbft_committed_batches_total'), 0);
    assert.equal(readValue(text, 'pbft_view'), 0);
    assert.equal(readValue(text, 'pbft_sign_seconds_count'), 0);
  });

  it('has as many series after 100,000 made-up label values as one `other` allows (RX-04)', async () => {
    const metrics = handle.metrics as UntypedMetrics;
    const before = countSeries(await handle.registry.metrics(), 'pbft_rejected_total');
    for (let index = 0; index < 100_000; index++) {
      metrics.increment('pbft_rejected_total', { type: `type ${index}`, reason: `reason ${index}` });
    }
    const text = await handle.registry.metrics();
    assert.equal(countSeries(text, 'pbft_rejected_total'), before + 1);
    assert.equal(readValue(text, 'pbft_rejected_total{type="other",reason="other"}'), 100_000);
  });

  it('never names a label value that is in no closed set, whatever it is given (RX-04)', async () => {
    const metrics = handle.metrics as UntypedMetrics;
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'a"} 1\nevil{x="', '1', 'prepare'));
    fc.assert(
      fc.property(name, name, (first, second) => {
        metrics.increment('pbft_rejected_total', { type: first, reason: second });
        metrics.increment('pbft_link_resets_total', { peer: first, reason: second });
        metrics.increment('pbft_calls_total', { method: first, code: second });
        metrics.set('pbft_queue_depth', { lane: first }, 1);
        metrics.set('pbft_peer_connected', { peer: first }, 1);
      }),
    );
    const text = await handle.registry.metrics();
    for (const [metric, { labels }] of [...Object.entries(COUNTERS), ...Object.entries(GAUGES)]) {
      for (const [label, values] of Object.entries<readonly string[] | 'peers'>(labels)) {
        const closed = new Set([...(values === 'peers' ? ['1', '2', '3'] : values), 'other']);
        for (const match of text.matchAll(new RegExp(`^${metric}\\{(?:.*,)?${label}="([^"]*)"`, 'gm'))) {
          assert.ok(closed.has(match[1] ?? ''), `${metric}: ${label}="${match[1]}"`);
        }
      }
    }
    assert.doesNotMatch(text, /evil/);
  });

  it('is without fault to promtool', async function () {
    const text = await handle.registry.metrics();
    const run = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (run.error !== undefined) {
      skip(this, 'promtool is not installed (Debian package prometheus)');
    }
    assert.equal(run.stdout + run.stderr, '');
    assert.equal(run.status, 0);
  });
});
