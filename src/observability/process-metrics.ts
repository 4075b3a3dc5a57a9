/**
 * What the process uses: prom-client's default metrics, under the names that dashboards for Node.js ask for, and what
 * they leave out. They are the process's and not a replica's: made once, however many replicas it starts, since the
 * library can't end what observes the garbage collector and the event loop. Neither keeps a process alive.
 *
 * promtool finds fault with three of the library's names, gauges that end in `_total`; other names would be right and
 * of no use to anyone's dashboard.
 */
import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

let shared: Registry | undefined;

/** The registry of the process's metrics. */
export function processRegistry(): Registry {
  if (shared === undefined) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
    registerReading(
      shared,
      'nodejs_heap_limit_bytes',
      "What V8's heap may grow to before the process ends.",
      () => getHeapStatistics().heap_size_limit,
    );
    registerReading(
      shared,
      'nodejs_array_buffer_bytes',
      'Memory of array buffers and Buffers.',
      () => process.memoryUsage().arrayBuffers,
    );
  }
  return shared;
}

/** A gauge that is read when it is scraped. */
function registerReading(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
