/**
 * The Metrics port on a prom-client registry of its own.
 *
 * 1. Never throws: a value that isn't finite, or would take a counter down, is ignored.
 * 2. Labels come from closed sets (label-values.ts); what is known to be 0 at the start exists from the start.
 * 3. What isn't known yet doesn't exist: a 0 in its place would be read as a measurement.
 * 4. What costs something to know (memory, descriptors, CPU) is read when it is scraped, not before.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CounterLabels, GaugeLabels, HistogramLabels, Metrics } from '../ports/metrics.js';
import { defined } from '../util/assert.js';
import { COUNTERS, GAUGES, HISTOGRAMS, isZeroAtStart, type LabelSet } from './catalogue.js';
import { Children, type LabelSets, type Labels } from './children.js';
import { startEventLoopLagSampler } from './event-loop-lag.js';
import type { MetricsSource } from './http-server.js';
import { processRegistry } from './process-metrics.js';

/** What the registry says of itself and which peers it may name. */
export interface MetricsOptions {
  /** The version of pbft. */
  readonly version: string;
  /** The storage engine in use (`rocksdb`, `leveldb`, `memory`), asked at each scrape: it is known once the store is open. */
  readonly engine: () => string;
  /** The values of the label `peer`: the configuration's ids of the others, never a peer's own word. */
  readonly peers: readonly string[];
}

/** Where measurements go, what renders them, and how to stop sampling. */
export interface MetricsHandle {
  readonly metrics: Metrics;
  readonly registry: MetricsSource;
  /** Stops the timer that samples the event loop, which keeps no process alive by itself. */
  stop(): void;
}

/** Makes the metrics of one replica. */
export function createMetrics(options: MetricsOptions): MetricsHandle {
  const registry = new Registry();
  const metrics = new RegistryMetrics(registry, options.peers);
  registerBuildInfo(registry, options);
  const stopSampler = startEventLoopLagSampler((lagSeconds) =>
    metrics.observe('pbft_event_loop_lag_seconds', {}, lagSeconds),
  );
  const ofProcess = processRegistry();
  return {
    metrics,
    registry: {
      contentType: registry.contentType,
      metrics: async () => `${await registry.metrics()}\n${await ofProcess.metrics()}`,
    },
    stop: stopSampler,
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
      const { help, labels: labelSets } = COUNTERS[name];
      const sets = setsOf(labelSets, peers);
      const counter = new Counter({ name, help, labelNames: [...sets.keys()], registers });
      const bind = (labels: Labels) => zeroed(counter.labels(labels), (child) => child.inc(0));
      this.counters.set(name, new Children({ sets, bind, isEager: true }));
    }
    for (const name of namesOf(GAUGES)) {
      this.gauges.set(name, gaugeChildren(name, registers, peers));
    }
    for (const name of namesOf(HISTOGRAMS)) {
      const { help, labels: labelSets, buckets, startsEmpty = false } = HISTOGRAMS[name];
      const sets = setsOf(labelSets, peers);
      const labelNames = [...sets.keys()];
      const histogram = new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
      const bind = (labels: Labels) => zeroed(histogram.labels(labels), () => histogram.zero(labels));
      this.histograms.set(name, new Children({ sets, bind, isEager: !startsEmpty }));
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

function gaugeChildren(
  name: keyof GaugeLabels,
  registers: Registry[],
  peers: readonly string[],
): Children<Gauge.Internal<string>> {
  const { help, labels: labelSets, restart } = GAUGES[name];
  const sets = setsOf(labelSets, peers);
  const gauge = new Gauge({ name, help, labelNames: [...sets.keys()], registers });
  const isEager = isZeroAtStart(restart);
  if (!isEager && sets.size === 0) {
    // The library gives a gauge without labels the value 0.
    gauge.remove();
  }
  const bind = (labels: Labels) => gauge.labels(labels);
  return new Children({
    sets,
    bind: isEager ? (labels) => zeroed(bind(labels), (child) => child.set(0)) : bind,
    isEager,
  });
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
