/** The fixed seeds cover what can go wrong, and what goes wrong shows. */
import assert from 'node:assert/strict';
import { FAULT_KINDS } from './faults/fault.js';
import { runSeed } from './run.js';
import { DRAWN_STRATEGIES, drawScenario, type Scenario } from './scenario.js';

const FIXED_SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);
const SHARE_MIN = 0.05;
const PLANS = new Map(FIXED_SEEDS.map((seed) => [seed, drawScenario(seed)]));

function shareOf(isIn: (scenario: Scenario) => boolean): number {
  return [...PLANS.values()].filter(isIn).length / PLANS.size;
}

describe('the fixed seeds', () => {
  it('have each kind of fault in at least one of twenty', () => {
    for (const kind of FAULT_KINDS) {
      const share = shareOf(({ faults }) => faults.some(({ effect }) => effect.kind === kind));
      assert.ok(share >= SHARE_MIN, `${kind} is in ${share} of the seeds`);
    }
  });

  it('have each Byzantine strategy in at least one of twenty, and never more than f liars', () => {
    for (const name of DRAWN_STRATEGIES) {
      const share = shareOf(({ byzantine }) => [...byzantine.values()].some((names) => names.includes(name)));
      assert.ok(share >= SHARE_MIN, `${name} is in ${share} of the seeds`);
    }
    for (const { byzantine, parameters, healed } of PLANS.values()) {
      assert.ok(byzantine.size <= parameters.sizes.faultsMax);
      assert.ok([...healed].every((replica) => !byzantine.has(replica)));
      assert.ok(healed.size >= parameters.sizes.quorum);
    }
  });

  it('have clusters of each size', () => {
    for (const size of [4, 5, 6, 7, 10]) {
      assert.ok(shareOf(({ parameters }) => parameters.sizes.replicaCount === size) > 0);
    }
  });
});

describe('each kind of fault', () => {
  for (const kind of FAULT_KINDS) {
    it(`changes a trace: ${kind}`, function () {
      this.timeout(30_000);
      const seed = quickestSeedWith(kind);
      const { faults } = drawScenario(seed);
      const ofKind = faults.flatMap(({ effect }, index) => (effect.kind === kind ? [index] : []));
      const whole = runSeed({ seed, keepsTrace: false });
      const without = runSeed({ seed, keepsTrace: false, leftOut: new Set(ofKind) });
      assert.notEqual(whole.traceHash, without.traceHash);
    });
  }
});

/** Small clusters with little to do are quick. */
function quickestSeedWith(kind: string): number {
  const costOf = ({ parameters, operationsOfClient, clientCount }: Scenario): number =>
    parameters.sizes.replicaCount ** 2 * operationsOfClient * clientCount;
  const [quickest] = [...PLANS]
    .filter(([, { faults }]) => faults.some(({ effect }) => effect.kind === kind))
    .sort(([, left], [, right]) => costOf(left) - costOf(right));
  assert.ok(quickest !== undefined);
  return quickest[0];
}
