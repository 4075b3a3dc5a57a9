import assert from 'node:assert/strict';
import type { Logger } from '../../../src/ports/logger.js';
import { DiskWatch } from '../../../src/replica/disk-watch.js';
import type { DiskUse } from '../../../src/storage/disk-space.js';
import { FakeMetrics } from '../runtime/fakes.js';

const USE: DiskUse = { storeBytes: 100, freeBytes: 1_000, sizeBytes: 5_000 };

class Bench {
  readonly metrics = new FakeMetrics();
  readonly warnings: string[] = [];
  nowMs = 0;
  readonly asked: { readonly resolve: (use: DiskUse) => void; readonly reject: (error: Error) => void }[] = [];
  readonly watch = new DiskWatch({
    directory: '/data',
    metrics: this.metrics,
    logger: this.logger(),
    elapsedMs: () => this.nowMs,
    measure: () => new Promise((resolve, reject) => this.asked.push({ resolve, reject })),
  });

  private logger(): Logger {
    const warn = (_: object, message: string): void => void this.warnings.push(message);
    return { error: warn, warn, info: () => undefined, debug: () => undefined };
  }

  /** What was asked last ends so. */
  async end(how: (last: Bench['asked'][number] | undefined) => void): Promise<void> {
    how(this.asked.at(-1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the watch over the disk', () => {
  it('measures when somebody looks, in the background, and not again within a few seconds', async () => {
    const { watch, metrics, asked, ...bench } = new Bench();
    assert.deepEqual([asked.length, bench.nowMs], [0, 0]);
    watch.refresh();
    assert.deepEqual([...metrics.gauges], [], 'nothing is shown before it is known');
    asked[0]?.resolve(USE);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(Object.fromEntries(metrics.gauges), {
      pbft_store_bytes: 100,
      pbft_disk_available_bytes: 1_000,
      pbft_disk_size_bytes: 5_000,
    });
    watch.refresh();
    assert.equal(asked.length, 1);
  });

  it('never has two measurements under way, however long one takes', async () => {
    const bench = new Bench();
    bench.watch.refresh();
    bench.nowMs = 3_600_000;
    bench.watch.refresh();
    assert.equal(bench.asked.length, 1);
    await bench.end((last) => last?.resolve(USE));
    bench.watch.refresh();
    assert.equal(bench.asked.length, 2);
  });

  it('warns once where it can not measure, and again after it could', async () => {
    const bench = new Bench();
    for (const isGood of [false, false, true, false]) {
      bench.nowMs += 60_000;
      bench.watch.refresh();
      await bench.end((last) => (isGood ? last?.resolve(USE) : last?.reject(new Error('EIO'))));
    }
    assert.equal(bench.asked.length, 4);
    assert.equal(bench.warnings.length, 2);
    assert.equal(bench.metrics.gauges.get('pbft_store_bytes'), 100, 'what was measured stays');
  });
});
