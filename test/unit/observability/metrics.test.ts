import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { COUNTERS, GAUGES, HISTOGRAMS, isZeroAtStart } from '../../../src/observability/catalogue.js';
import { createMetrics, type MetricsHandle } from '../../../src/observability/metrics.js';
import { snakeCase } from '../../../src/util/snake-case.js';
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
    for (const name of [...names, 'process_cpu_seconds_total', 'nodejs_array_buffer_bytes', 'pbft_build_info']) {
      assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'));
    }
  });

  it('begins with a 0 where nothing happened yet, and with nothing where nobody knows yet', async () => {
    const text = await handle.registry.metrics();
    const zeros = [...Object.keys(COUNTERS), 'pbft_is_ready', 'pbft_peer_connected', 'pbft_commit_latency_seconds'];
    for (const name of zeros) {
      assert.ok(countSeries(text, name) > 0, `${name} has a value before anything is measured`);
    }
    for (const [name, { restart }] of Object.entries(GAUGES)) {
      assert.equal(countSeries(text, name) > 0, isZeroAtStart(restart), name);
    }
    for (const name of ['pbft_last_executed_sequence', 'pbft_view', 'pbft_evidence', 'pbft_clock_skew_seconds']) {
      assert.equal(countSeries(text, name), 0, `${name} of a store that is not read yet would be a false 0`);
    }
    handle.metrics.set('pbft_last_executed_sequence', {}, 0);
    assert.equal(readValue(await handle.registry.metrics(), 'pbft_last_executed_sequence'), 0);
  });

  it('has the names of prom-client for what the process uses, so that dashboards for Node.js work', async () => {
    const stock = new Registry();
    collectDefaultMetrics({ register: stock });
    const text = await handle.registry.metrics();
    const { metricsList } = collectDefaultMetrics;
    const names = (await stock.getMetricsAsJSON()).map(({ name }) => name);
    assert.ok(metricsList.length > 10 && names.length > 20);
    for (const name of names) {
      assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'));
    }
    for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds', 'nodejs_version_info']) {
      assert.ok(countSeries(text, name) > 0, name);
    }
  });

  it('spells label values in one way, whatever the code calls them', async () => {
    const { metrics } = handle;
    metrics.increment('pbft_view_changes_total', { cause: 'requestTimeout' });
    metrics.increment('pbft_rejected_total', { type: 'prePrepare', reason: 'oldView' });
    metrics.set('pbft_evidence', { kind: 'viewChange', peer: '2' }, 3);
    const text = await handle.registry.metrics();
    assert.equal(readValue(text, 'pbft_view_changes_total{cause="request_timeout"}'), 1);
    assert.equal(readValue(text, 'pbft_rejected_total{type="pre_prepare",reason="old_view"}'), 1);
    assert.equal(readValue(text, 'pbft_evidence{kind="view_change",peer="2"}'), 3);
    const ours = text.split('\n').filter((line) => line.startsWith('pbft_') && !line.startsWith('pbft_build_info'));
    const values = ours.flatMap((line) => [...line.matchAll(/(\w+)="([^"]*)"/g)]);
    assert.ok(values.length > 1_000);
    for (const [, label = '', value = ''] of values) {
      // Of methods, codes and bounds others decide.
      if (!['method', 'code', 'le'].includes(label)) {
        assert.match(value, /^[a-z0-9_]+$/, `${label}="${value}"`);
      }
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
    metrics.set('pbft_queue_depth', { lane: 'peer' }, Number.NaN);
    metrics.observe('pbft_sign_seconds', {}, Number.NaN);
    const text = await handle.registry.metrics();
    assert.equal(readValue(text, 'pbft_committed_batches_total'), 0);
    assert.equal(readValue(text, 'pbft_queue_depth{lane="peer"}'), 0);
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
        const closed = new Set([...(values === 'peers' ? ['1', '2', '3'] : values.map(snakeCase)), 'other']);
        for (const match of text.matchAll(new RegExp(`^${metric}\\{(?:.*,)?${label}="([^"]*)"`, 'gm'))) {
          assert.ok(closed.has(match[1] ?? ''), `${metric}: ${label}="${match[1]}"`);
        }
      }
    }
    assert.doesNotMatch(text, /evil/);
  });

  it("is without fault to promtool but for three names that are prom-client's", async function () {
    const text = await handle.registry.metrics();
    const run = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (run.error !== undefined) {
      skip(this, 'promtool is not installed (Debian package prometheus)');
    }
    const faults = (run.stdout + run.stderr).trim().split('\n').sort();
    const theirs = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);
    const fault = 'non-counter metrics should not have "_total" suffix';
    assert.deepEqual(
      faults,
      theirs.map((name) => `${name} ${fault}`),
    );
  });
});
