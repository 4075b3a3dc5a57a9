/**
 * What the process uses: CPU, memory, heap, file descriptors, garbage collection. Own definitions, because promtool
 * finds fault with the names of prom-client's default metrics. Read when scraped; what the platform doesn't tell
 * (descriptors exist on Linux only) is left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { constants, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Every metric of the process, of every platform. */
export const PROCESS_METRIC_NAMES: readonly string[] = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
  'process_open_fds',
  'process_max_fds',
  'nodejs_heap_used_bytes',
  'nodejs_heap_allocated_bytes',
  'nodejs_heap_limit_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_array_buffer_bytes',
  'nodejs_gc_duration_seconds',
];

const GC_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callback'],
]);

/** Registers them; the returned function ends what observes the collector. */
export function registerProcessMetrics(registry: Registry): () => void {
  const registers = [registry];
  registerCpu(registers);
  registerMemory(registers);
  registerDescriptors(registers);
  const startedSeconds = performance.timeOrigin / 1000;
  const startTime = new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since 1970.',
    registers,
  });
  startTime.set(startedSeconds);
  return observeCollector(registers);
}

function registerCpu(registers: Registry[]): void {
  let countedSeconds = 0;
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system, all threads.',
    registers,
    collect() {
      const usage = process.cpuUsage();
      const usedSeconds = (usage.user + usage.system) / 1e6;
      this.inc(Math.max(0, usedSeconds - countedSeconds));
      countedSeconds = usedSeconds;
    },
  });
}

function registerMemory(registers: Registry[]): void {
  registerReading(registers, 'process_resident_memory_bytes', 'Physical memory of the process.', () =>
    process.memoryUsage.rss(),
  );
  registerReading(
    registers,
    'nodejs_heap_used_bytes',
    "Objects on V8's heap.",
    () => getHeapStatistics().used_heap_size,
  );
  registerReading(
    registers,
    'nodejs_heap_allocated_bytes',
    "Memory that V8's heap has taken from the system.",
    () => getHeapStatistics().total_heap_size,
  );
  registerReading(
    registers,
    'nodejs_heap_limit_bytes',
    "What V8's heap may grow to before the process ends.",
    () => getHeapStatistics().heap_size_limit,
  );
  registerReading(
    registers,
    'nodejs_external_memory_bytes',
    "Memory outside V8's heap that its objects hold, array buffers included.",
    () => process.memoryUsage().external,
  );
  registerReading(
    registers,
    'nodejs_array_buffer_bytes',
    'Memory of array buffers and Buffers.',
    () => process.memoryUsage().arrayBuffers,
  );
}

/** A gauge that is read when it is scraped. */
function registerReading(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

function registerDescriptors(registers: Registry[]): void {
  const limit = readDescriptorLimit();
  if (limit === undefined) {
    return;
  }
  const max = new Gauge({ name: 'process_max_fds', help: 'File descriptors that the process may have.', registers });
  max.set(limit);
  registerReading(registers, 'process_open_fds', 'File descriptors that the process has.', () => {
    try {
      // The directory's own descriptor is one of them.
      return readdirSync('/proc/self/fd').length - 1;
    } catch {
      // None is left to read the directory with: as many as there may be.
      return limit;
    }
  });
}

/** The soft limit of open files, or undefined where the system doesn't tell. */
function readDescriptorLimit(): number | undefined {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match?.[1] === undefined ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

function observeCollector(registers: Registry[]): () => void {
  const duration = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Pauses for garbage collection, by kind.',
    labelNames: ['kind'],
    buckets: GC_BUCKETS,
    registers,
  });
  for (const kind of GC_KINDS.values()) {
    duration.zero({ kind });
  }
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = GC_KINDS.get(gcKindOf(entry));
      if (kind !== undefined) {
        duration.observe({ kind }, entry.duration / 1000);
      }
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** The entry's detail isn't in the types of every Node version. */
function gcKindOf(entry: object): number {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? Number(detail.kind) : Number.NaN;
}
