/** The fixed seeds cover what can go wrong, and what goes wrong shows. */
import assert from 'node:assert/strict';
import { BYZANTINE_KINDS } from './cluster/byzantine.js';
import { FAULT_KINDS } from './faults/fault.js';
import { runSeed } from './run.js';
import { drawScenario, type Scenario } from './scenario.js';

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
    for (const name of BYZANTINE_KINDS) {
      const share = shareOf(({ byzantine }) => [...byzantine.values()].some((names) => names.includes(name)));
      assert.ok(share >= SHARE_MIN, `${name} is in ${share} of the seeds`);
    }
    for (const { byzantine, parameters, healed } of PLANS.values()) {
      assert.ok(byzantine.size <= parameters.sizes.faultsMax);
      assert.ok([...healed].every((replica) => !byzantine.has(replica)));
      assert.ok(healed.size >= parameters.sizes.quorum);
    }
  });

  it('have two and three liars that lie together, where so many may', () => {
    for (const [replicaCount, liars] of [
      [7, 2],
      [10, 2],
      [10, 3],
    ]) {
      const isCoalition = ({ byzantine, parameters }: Scenario): boolean =>
        parameters.sizes.replicaCount === replicaCount &&
        byzantine.size === liars &&
        new Set([...byzantine.values()].map((kinds) => kinds.join())).size === 1;
      assert.ok(shareOf(isCoalition) > 0, `${liars} of ${replicaCount}`);
    }
  });

  it('have clusters of each size', () => {
    for (const size of [4, 5, 6, 7, 10]) {
      assert.ok(shareOf(({ parameters }) => parameters.sizes.replicaCount === size) > 0);
    }
  });
});

/** A plan's parts of one name, by their places. */
function partsOf({ faults, byzantine }: Scenario, name: string): ReadonlySet<number> {
  const names = [...faults.map(({ effect }) => effect.kind), ...[...byzantine.values()].flat()];
  return new Set(names.flatMap((each, index) => (each === name ? [index] : [])));
}

describe('each fault and each way to be Byzantine', () => {
  for (const name of [...FAULT_KINDS, ...BYZANTINE_KINDS]) {
    it(`changes a trace: ${name}`, function () {
      this.timeout(60_000);
      // Who lies only as a primary may never be one in a short run.
      const changed = quickestSeedsWith(name).find((seed) => {
        const leftOut = partsOf(drawScenario(seed), name);
        const [whole, without] = [new Set<number>(), leftOut].map((parts) =>
          runSeed({ seed, keepsTrace: false, leftOut: parts }),
        );
        return whole?.traceHash !== without?.traceHash;
      });
      assert.notEqual(changed, undefined);
    });
  }
});

/** Small clusters with little to do are quick. */
function quickestSeedsWith(name: string): readonly number[] {
  const costOf = ({ parameters, operationsOfClient, clientCount }: Scenario): number =>
    parameters.sizes.replicaCount ** 2 * operationsOfClient * clientCount;
  return [...PLANS]
    .filter(([, scenario]) => partsOf(scenario, name).size > 0)
    .sort(([, left], [, right]) => costOf(left) - costOf(right))
    .map(([seed]) => seed);
}
