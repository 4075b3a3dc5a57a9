/** Signatures are made a few at a time, in the order of the calls. */
import assert from 'node:assert/strict';
import { SigningQueue } from '../../../../src/runtime/egress/signing-queue.js';
import { FakeMetrics, FakeTimers } from '../fakes.js';

class Bench {
  readonly started: number[] = [];
  readonly done: number[] = [];
  readonly metrics = new FakeMetrics();
  readonly timers = new FakeTimers();
  readonly queue: SigningQueue;
  private readonly completions = new Map<number, (signature: Uint8Array) => void>();

  constructor(concurrencyMax = 2) {
    this.queue = new SigningQueue({
      signer: {
        sign: (_type, payload, done) => {
          this.started.push(payload[0] ?? 0);
          this.completions.set(payload[0] ?? 0, done);
        },
      },
      timers: this.timers,
      metrics: this.metrics,
      concurrencyMax,
    });
  }

  sign(number: number): void {
    this.queue.sign('prepare', Uint8Array.of(number), (signature) => {
      assert.deepEqual(signature, Uint8Array.of(number, number));
      this.done.push(number);
    });
  }

  complete(number: number): void {
    const done = this.completions.get(number);
    this.completions.delete(number);
    assert.ok(done);
    done(Uint8Array.of(number, number));
  }
}

describe('the signing queue', () => {
  it('makes as many signatures at one time as it may, begun in the order of the calls', () => {
    const bench = new Bench(2);
    for (const number of [1, 2, 3, 4]) {
      bench.sign(number);
    }
    assert.deepEqual(bench.started, [1, 2]);
    bench.complete(2);
    assert.deepEqual([bench.started, bench.done], [[1, 2, 3], [2]]);
    bench.complete(3);
    bench.complete(1);
    bench.complete(4);
    assert.deepEqual(
      [bench.started, bench.done],
      [
        [1, 2, 3, 4],
        [2, 3, 1, 4],
      ],
    );
  });

  it('gives the place of a done signature to what waited before what the caller asks then', () => {
    const bench = new Bench(1);
    bench.queue.sign('commit', Uint8Array.of(1), () => bench.sign(3));
    bench.sign(2);
    bench.complete(1);
    assert.deepEqual(bench.started, [1, 2]);
    bench.complete(2);
    assert.deepEqual(bench.started, [1, 2, 3]);
  });

  it('measures each from its beginning', () => {
    const bench = new Bench(1);
    bench.sign(1);
    bench.sign(2);
    bench.timers.advance(3);
    bench.complete(1);
    bench.timers.advance(2);
    bench.complete(2);
    assert.deepEqual(bench.metrics.observations, ['pbft_sign_seconds 0.003', 'pbft_sign_seconds 0.002']);
  });
});
