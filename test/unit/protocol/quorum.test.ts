/** How many replicas are enough, for every size of cluster. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { view } from '../../../src/protocol/identifiers.js';
import { computeQuorumSizes, isReplicaCountAllowed, primaryOf } from '../../../src/protocol/quorum.js';
import { AssertionError } from '../../../src/util/assert.js';

const ALLOWED = [1, ...Array.from({ length: 97 }, (_, index) => index + 4)];

describe('quorums', () => {
  it('MK-01: of any two at least f + 1 replicas are in both, for every n to 100', () => {
    for (const replicaCount of ALLOWED) {
      const { quorum, faultsMax } = computeQuorumSizes(replicaCount);
      // The least that two sets of this size share.
      const shared = 2 * quorum - replicaCount;
      assert.ok(shared >= faultsMax + 1, `n = ${replicaCount}`);
    }
  });

  it('MK-01: can be made of the correct replicas alone, for every n to 100', () => {
    for (const replicaCount of ALLOWED) {
      const { quorum, faultsMax } = computeQuorumSizes(replicaCount);
      assert.ok(quorum <= replicaCount - faultsMax, `n = ${replicaCount}`);
    }
  });

  it('MK-01: are no larger than they must be, and f is as large as n = 3f + 1 allows', () => {
    for (const replicaCount of ALLOWED) {
      const { quorum, faultsMax, weakQuorum } = computeQuorumSizes(replicaCount);
      assert.ok(2 * (quorum - 1) - replicaCount < faultsMax + 1, `quorum of n = ${replicaCount}`);
      assert.ok(
        3 * faultsMax + 1 <= replicaCount && 3 * (faultsMax + 1) + 1 > replicaCount,
        `f of n = ${replicaCount}`,
      );
      assert.equal(weakQuorum, faultsMax + 1);
    }
  });

  it('MK-01: share a correct replica whichever sets they are and whoever is faulty', () => {
    const cluster = fc.constantFrom(...ALLOWED).chain((replicaCount) => {
      const { quorum, faultsMax } = computeQuorumSizes(replicaCount);
      const ids = Array.from({ length: replicaCount }, (_, id) => id);
      const set = (size: number) => fc.shuffledSubarray(ids, { minLength: size, maxLength: size });
      return fc.tuple(set(quorum), set(quorum), set(faultsMax));
    });
    fc.assert(
      fc.property(cluster, ([first, second, faulty]) => {
        assert.ok(first.some((id) => second.includes(id) && !faulty.includes(id)));
      }),
    );
  });

  it('MK-01: are not 2f + 1 where n is not 3f + 1', () => {
    assert.deepEqual(
      [4, 5, 6, 7, 8, 9, 10].map((count) => computeQuorumSizes(count).quorum),
      [3, 4, 4, 5, 6, 6, 7],
    );
    assert.deepEqual(
      [1, 4, 6, 7, 10, 100].map((count) => computeQuorumSizes(count).faultsMax),
      [0, 1, 1, 2, 3, 33],
    );
  });

  it('MK-01: do not exist for 2 or 3 replicas, none, more than 100, or a part of one', () => {
    for (const replicaCount of [0, 2, 3, 101, -4, 4.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal(isReplicaCountAllowed(replicaCount), false, String(replicaCount));
      assert.throws(() => computeQuorumSizes(replicaCount), AssertionError, String(replicaCount));
    }
    assert.ok(ALLOWED.every(isReplicaCountAllowed));
  });
});

describe('the primary', () => {
  it('is each replica in turn', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 9].map((number) => primaryOf(view(number), 4)),
      [0, 1, 2, 3, 0, 1],
    );
  });
});
