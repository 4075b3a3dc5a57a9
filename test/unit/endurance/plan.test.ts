import assert from 'node:assert/strict';
import { readOptions, UsageError } from '../../endurance/options.js';
import { drawRound } from '../../endurance/plan.js';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);
const ROUNDS = Array.from({ length: 20 }, (_, index) => index + 1);

describe('the rounds of an endurance run', () => {
  it('are the same for the same seed, and others for another one', () => {
    const draw = (seed: number) =>
      ROUNDS.map((round) => drawRound({ seed, replicaCount: 4, signal: 'SIGKILL', loadSeconds: 0 }, round));
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  it('kill every single replica and all together', () => {
    const plans = SEEDS.flatMap((seed) =>
      ROUNDS.map((round) => drawRound({ seed, replicaCount: 4, signal: 'SIGKILL', loadSeconds: 0 }, round)),
    );
    const victims = new Set(plans.map((plan) => plan.victims.join()));
    assert.deepEqual([...victims].sort(), ['0', '0,1,2,3', '1', '2', '3']);
    const ofAll = plans.filter((plan) => plan.victims.length === 4);
    assert.ok(ofAll.length > plans.length / 8 && ofAll.length < plans.length / 2, `${ofAll.length} of ${plans.length}`);
    assert.ok(ofAll.every(({ putsWithout }) => putsWithout === 0));
  });

  it('stops all replicas in every round where they are stopped by request', () => {
    const plans = ROUNDS.map((round) =>
      drawRound({ seed: 1, replicaCount: 4, signal: 'SIGINT', loadSeconds: 20 }, round),
    );
    assert.ok(plans.every(({ victims, signal }) => victims.length === 4 && signal === 'SIGINT'));
  });
});

describe('the choices of an endurance run', () => {
  it('are 100 rounds of four replicas with a seed of its own', () => {
    const { rounds, replicaCount, seed } = readOptions([]);
    assert.deepEqual({ rounds, replicaCount }, { rounds: 100, replicaCount: 4 });
    assert.ok(Number.isSafeInteger(seed));
  });

  it('are taken from the flags', () => {
    const options = readOptions(['--rounds', '10', '--seed', '0', '--replicas', '7', '--load-seconds', '20']);
    assert.deepEqual(options, { rounds: 10, seed: 0, replicaCount: 7, signal: 'SIGKILL', loadSeconds: 20 });
  });

  for (const flags of [
    ['--rounds', '0'],
    ['--rounds', 'many'],
    ['--seed', '-1'],
    ['--replicas', '3'],
    ['--replicas', '1'],
    ['--load-seconds', 'long'],
    ['--unknown', '1'],
  ]) {
    it(`are refused in words: ${flags.join(' ')}`, () => {
      assert.throws(() => readOptions(flags), UsageError);
    });
  }
});
