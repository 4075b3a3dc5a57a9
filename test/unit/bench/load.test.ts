import assert from 'node:assert/strict';
import { mergeLatencies } from '../../bench/latency.js';
import { type LoadClock, type LoadOptions, type LoadResult, type Operation, runLoad } from '../../bench/load.js';

/** A clock that goes on when everybody sleeps. */
class VirtualClock implements LoadClock {
  #nowMs = 1_000;
  readonly #sleepers: { readonly timeMs: number; readonly wake: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleepUntil(timeMs: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ timeMs, wake });
    });
  }

  /** Runs until the load is over. */
  async run(load: Promise<LoadResult>): Promise<LoadResult> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    load.then(end, end);
    for (;;) {
      await new Promise(setImmediate);
      if (isOver) {
        return load;
      }
      this.#sleepers.sort((a, b) => a.timeMs - b.timeMs);
      const next = this.#sleepers.shift();
      assert.ok(next !== undefined, 'the load waits for nothing');
      this.#nowMs = Math.max(this.#nowMs, next.timeMs);
      next.wake();
    }
  }
}

interface Subject extends Partial<LoadOptions> {
  /** How long a call takes that begins at this time, counted from the start. */
  readonly tookMs?: (startMs: number) => number;
}

async function run({ tookMs = () => 10, ...given }: Subject): Promise<LoadResult & { calls: Operation[] }> {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const calls: Operation[] = [];
  const call = async (operation: Operation): Promise<boolean> => {
    calls.push(operation);
    await clock.sleepUntil(clock.nowMs() + tookMs(clock.nowMs() - startMs));
    return true;
  };
  const options = { callers: 1, replicas: [0], warmUpMs: 0, windowMs: 1_000, call, clock, ...given };
  return { ...(await clock.run(runLoad(options))), calls };
}

/** A server that answers in 1 ms but stands still from 200 ms to 700 ms. */
function stalling(startMs: number): number {
  return startMs >= 200 && startMs < 700 ? 700 - startMs : 1;
}

describe('a closed loop', () => {
  it('has each caller begin a call when its last one is answered', async () => {
    const { acknowledged, latencies, unsent } = await run({ callers: 3 });
    // The last call of each is answered at the end of the window, no longer within it.
    assert.equal(acknowledged, 3 * 99);
    assert.equal(unsent, 0);
    const { count, p50Ms, maxMs } = mergeLatencies(latencies.values()).summary();
    assert.deepEqual({ count, p50Ms, maxMs }, { count: 300, p50Ms: 10, maxMs: 10 });
  });

  it('measures no call that began in the warm-up', async () => {
    const { latencies, acknowledgedBySecond } = await run({
      warmUpMs: 500,
      windowMs: 1_500,
      tookMs: (startMs) => (startMs < 500 ? 100 : 10),
    });
    assert.equal(latencies.get(0)?.summary().maxMs, 10);
    assert.deepEqual(acknowledgedBySecond, [100, 50]);
  });

  it('counts a call that is answered after the window by its latency, not as throughput', async () => {
    const { acknowledged, latencies } = await run({ tookMs: () => 5_000 });
    assert.equal(acknowledged, 0);
    assert.equal(latencies.get(0)?.summary().maxMs, 5_000);
  });

  it('shares the callers out to the replicas, or has each go from one to the next', async () => {
    const bound = await run({ callers: 6, replicas: [0, 2, 3], windowMs: 30 });
    assert.deepEqual(
      bound.calls.map(({ caller, replica }) => replica === [0, 2, 3][caller % 3]),
      bound.calls.map(() => true),
    );
    const rotating = await run({ replicas: [0, 2, 3], isRotating: true, windowMs: 50 });
    assert.deepEqual(
      rotating.calls.map(({ replica }) => replica),
      [0, 2, 3, 0, 2],
    );
  });

  it('counts failures, gives them no latency, and pauses after each', async () => {
    const { failed, acknowledged, latencies } = await run({ call: () => Promise.resolve(false) });
    assert.equal(failed, 50);
    assert.equal(acknowledged, 0);
    assert.equal(latencies.get(0)?.count, 0);
  });

  it('ends with what a defect of a call throws', async () => {
    await assert.rejects(run({ call: () => Promise.reject(new TypeError('a defect')) }), /a defect/);
  });

  it('begins no call when it was aborted', async () => {
    assert.equal((await run({ signal: AbortSignal.abort() })).calls.length, 0);
    assert.equal((await run({ signal: AbortSignal.abort(), ratePerSecond: 10 })).calls.length, 0);
  });
});

describe('an open loop', () => {
  it('sends at its rate, however quick the answers are', async () => {
    const { calls, acknowledged, lateness } = await run({ callers: 4, ratePerSecond: 200, tookMs: () => 1 });
    assert.equal(calls.length, 200);
    assert.equal(acknowledged, 200);
    assert.equal(lateness.summary().maxMs, 0);
  });

  it('counts what was due while the server stood still, which a closed loop omits', async () => {
    const open = await run({ ratePerSecond: 100, tookMs: stalling });
    // Due at 200, 210, … 690 ms and answered from 700 ms on: half of all calls waited, the first of them for 500 ms.
    const { count, maxMs } = mergeLatencies(open.latencies.values()).summary();
    assert.equal(count, 100);
    assert.equal(maxMs, 500);
    assert.ok((open.latencies.get(0)?.percentileMs(0.75) ?? 0) > 200);
    assert.equal(open.acknowledged, 100);

    const closed = await run({ tookMs: stalling });
    assert.equal(closed.latencies.get(0)?.percentileMs(0.99), 1);
  });

  it('tells how late calls were sent', async () => {
    const { lateness } = await run({ ratePerSecond: 100, tookMs: stalling });
    assert.equal(lateness.count, 100);
    // The call of 210 ms waited for the one of 200 ms.
    assert.equal(lateness.summary().maxMs, 490);
  });

  it('counts calls that were never sent with what they had waited', async () => {
    // One call a 100 ms, and ten are due meanwhile.
    const { calls, unsent, latencies } = await run({ ratePerSecond: 100, tookMs: () => 100 });
    assert.equal(calls.length, 10);
    assert.equal(unsent, 90);
    const { count, p50Ms, maxMs } = mergeLatencies(latencies.values()).summary();
    assert.equal(count, 100);
    // Sent: 100, 190, … 910 ms. Unsent: 900, 890, … 10 ms.
    assert.deepEqual([Math.round(p50Ms), maxMs], [460, 910]);
  });

  it('counts no call that was due in the warm-up', async () => {
    const { latencies, acknowledged } = await run({ ratePerSecond: 100, warmUpMs: 500, tookMs: () => 1 });
    assert.equal(latencies.get(0)?.count, 100);
    assert.equal(acknowledged, 100);
  });
});
