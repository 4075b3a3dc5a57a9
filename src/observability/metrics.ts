/**
 * The Metrics port on a prom-client registry of its own.
 *
 * 1. Never throws: a value that isn't finite, or would take a counter down, is ignored.
 * 2. Labels come from closed sets (label-values.ts); every combination exists from the start.
 * 3. What costs something to know (memory, descriptors, CPU) is read when it is scraped, not before.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CounterLabels, GaugeLabels, HistogramLabels, Metrics } from '../ports/metrics.js';
import { defined } from '../util/assert.js';
import { COUNTERS, GAUGES, HISTOGRAMS, type LabelSet } from './catalogue.js';
import { Children, type LabelSets } from './children.js';
import { startEventLoopLagSampler } from './event-loop-lag.js';
import type { MetricsSource } from './http-server.js';
import { registerProcessMetrics } from './process-metrics.js';

/** What the registry says of itself and which peers it may name. */
export interface MetricsOptions {
  /** The version of pbft. */
  readonly version: string;
  /** The storage engine in use (`rocksdb`, `leveldb`, `memory`), asked at each scrape: it is known once the store is open. */
  readonly engine: () => string;
  /** The values of the label `peer`: the configuration's ids of the others, never a peer's own word. */
  readonly peers: readonly string[];
}

/** Where measurements go, what renders them, and how to stop taking the process's own. */
export interface MetricsHandle {
  readonly metrics: Metrics;
  readonly registry: MetricsSource;
  /** Stops the timer and the observer of the process's metrics, which keep no process alive by themselves. */
  stop(): void;
}

/** Makes the metrics of one replica. */
export function createMetrics(options: MetricsOptions): MetricsHandle {
  const registry = new Registry();
  const metrics = new RegistryMetrics(registry, options.peers);
  registerBuildInfo(registry, options);
  const stopProcessMetrics = registerProcessMetrics(registry);
  const stopSampler = startEventLoopLagSampler((lagSeconds) =>
    metrics.observe('pbft_event_loop_lag_seconds', {}, lagSeconds),
  );
  return {
    metrics,
    registry,
    stop: () => {
      stopSampler();
      stopProcessMetrics();
    },
  };
}

function registerBuildInfo(registry: Registry, options: MetricsOptions): void {
  new Gauge({
    name: 'pbft_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node', 'engine'],
    registers: [registry],
    collect() {
      this.reset();
      this.set({ version: options.version, node: process.version, engine: options.engine() }, 1);
    },
  });
}

class RegistryMetrics implements Metrics {
  private readonly counters = new Map<keyof CounterLabels, Children<Counter.Internal>>();
  private readonly gauges = new Map<keyof GaugeLabels, Children<Gauge.Internal<string>>>();
  private readonly histograms = new Map<keyof HistogramLabels, Children<Histogram.Internal<string>>>();

  constructor(registry: Registry, peers: readonly string[]) {
    const registers = [registry];
    for (const name of namesOf(COUNTERS)) {
      const sets = setsOf(COUNTERS[name].labels, peers);
      const counter = new Counter({ name, help: COUNTERS[name].help, labelNames: [...sets.keys()], registers });
      this.counters.set(name, new Children(sets, (labels) => zeroed(counter.labels(labels), (child) => child.inc(0))));
    }
    for (const name of namesOf(GAUGES)) {
      const sets = setsOf(GAUGES[name].labels, peers);
      const gauge = new Gauge({ name, help: GAUGES[name].help, labelNames: [...sets.keys()], registers });
      this.gauges.set(name, new Children(sets, (labels) => zeroed(gauge.labels(labels), (child) => child.set(0))));
    }
    for (const name of namesOf(HISTOGRAMS)) {
      const { help, labels: labelSets, buckets } = HISTOGRAMS[name];
      const sets = setsOf(labelSets, peers);
      const labelNames = [...sets.keys()];
      const histogram = new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
      this.histograms.set(
        name,
        new Children(sets, (labels) => zeroed(histogram.labels(labels), () => histogram.zero(labels))),
      );
    }
  }

  increment<N extends keyof CounterLabels>(name: N, labels: CounterLabels[N], by = 1): void {
    if (by >= 0 && by < Number.POSITIVE_INFINITY) {
      known(this.counters.get(name)).get(labels).inc(by);
    }
  }

  set<N extends keyof GaugeLabels>(name: N, labels: GaugeLabels[N], value: number): void {
    if (Number.isFinite(value)) {
      known(this.gauges.get(name)).get(labels).set(value);
    }
  }

  observe<N extends keyof HistogramLabels>(name: N, labels: HistogramLabels[N], value: number): void {
    if (Number.isFinite(value)) {
      known(this.histograms.get(name)).get(labels).observe(value);
    }
  }
}

function known<T>(children: T | undefined): T {
  return defined(children, 'every name of the port is registered');
}

function zeroed<Child>(child: Child, zero: (child: Child) => void): Child {
  zero(child);
  return child;
}

/** The names of a catalogue. */
function namesOf<T extends object>(catalogue: T): (keyof T & string)[] {
  const names: (keyof T & string)[] = [];
  for (const name in catalogue) {
    names.push(name);
  }
  return names;
}

function setsOf(labels: Readonly<Record<string, LabelSet>>, peers: readonly string[]): LabelSets {
  const sets = new Map<string, ReadonlySet<string>>();
  for (const [name, values] of Object.entries(labels)) {
    sets.set(name, new Set(values === 'peers' ? peers : values));
  }
  return sets;
}
