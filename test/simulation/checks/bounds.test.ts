/** The bounds check catches what is held beyond them, and real replicas stay within while they hold something. */
import assert from 'node:assert/strict';
import { replicaId } from '../../../src/protocol/identifiers.js';
import type { ReplicaHeld } from '../../support/held.js';
import { Cluster } from '../cluster/cluster.js';
import { drawParameters } from '../cluster/parameters.js';
import { Random } from '../kernel/random.js';
import { BoundsCheck, computeBounds, type HeldName } from './bounds.js';
import { Violations } from './observer.js';

const PARAMETERS = drawParameters(new Random('bounds'));

function held(changed: Partial<ReplicaHeld>): ReplicaHeld {
  return { ...computeBounds(PARAMETERS), ...changed };
}

describe('the bounds check', () => {
  it('lets pass what is just within every bound', () => {
    const violations = new Violations();
    new BoundsCheck(violations, PARAMETERS).judge(replicaId(0), held({}));
    assert.equal(violations.first, undefined);
  });

  for (const name of Object.keys(computeBounds(PARAMETERS)) as HeldName[]) {
    it(`reports invariant 13 for one too many of ${name}`, () => {
      const violations = new Violations();
      new BoundsCheck(violations, PARAMETERS).judge(
        replicaId(0),
        held({ [name]: computeBounds(PARAMETERS)[name] + 1 }),
      );
      assert.equal(violations.first?.invariant, 13);
      assert.match(violations.first?.text ?? '', new RegExp(name));
    });
  }

  it('counts what running replicas hold of each other', () => {
    const cluster = new Cluster({
      seed: 'bounds',
      parameters: PARAMETERS,
      byzantine: new Map([[replicaId(1), ['stormingViews', 'lyingClient']]]),
      keepsTrace: false,
      observers: [],
    });
    cluster.start();
    cluster.runUntil(10_000);
    assert.equal(cluster.world.violations.first, undefined);
    const counted: HeldName[] = [
      'slots',
      'votesOfSlot',
      'viewChanges',
      'waitingRequests',
      'peerLaneMessages',
      'clients',
    ];
    for (const name of counted) {
      assert.ok((cluster.bounds.most.get(name) ?? 0) > 0, `${name} is counted`);
    }
  });
});
