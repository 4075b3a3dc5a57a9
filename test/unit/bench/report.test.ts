import assert from 'node:assert/strict';
import type { Measurement, MeasurementKind, Verification } from '../../bench/bench.js';
import { LatencyHistogram } from '../../bench/latency.js';
import { compare, isFailed } from '../../bench/report.js';

const verification: Verification = {
  acknowledged: 1,
  unknown: 0,
  readBack: 1,
  sequence: 7,
  headerDigest: '00',
  faults: [],
};

function measured(kind: MeasurementKind, operationsPerSecond: number): Measurement {
  return {
    kind,
    round: 1,
    callers: 1,
    loop: 'closed',
    replicas: [0],
    primary: 0,
    operationsPerSecond,
    acknowledged: 0,
    acknowledgedBySecond: [],
    failed: 0,
    unsent: 0,
    latency: new LatencyHistogram().summary(),
    latencyByReplica: {},
    lateness: null,
    uses: [],
    generatorCores: 0,
    loadAverage: 0,
  };
}

describe("the benchmark's verdict", () => {
  it('fails for failed calls and for what is wrong with the cluster, and for nothing else', () => {
    assert.equal(isFailed({ failures: [], verification }), false);
    const failure = { kind: 'UNAVAILABLE NO_QUORUM', count: 1, example: 'nothing was taken' };
    assert.equal(isFailed({ failures: [failure], verification }), true);
    assert.equal(isFailed({ failures: [], verification: { ...verification, faults: ['a put is lost'] } }), true);
  });

  it('compares medians over the rounds', () => {
    const rounds = [100, 3_000, 2_000].flatMap((all) => [
      measured('all replicas', all),
      measured('one backup dead', all - 100),
    ]);
    const compared = compare([measured('one caller', 9), ...rounds]);
    assert.deepEqual(compared, { allPerSecond: 2_000, oneDeadPerSecond: 1_900, oneDeadRatio: 0.95 });
    assert.ok(Number.isNaN(compare([measured('all replicas', 5)]).oneDeadRatio));
  });
});
