/** The loss that picks what it lets through leads views to where certificates contradict each other, and stops nothing. */
import assert from 'node:assert/strict';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import { computeQuorumSizes } from '../../../src/protocol/quorum.js';
import { digest } from '../../support/core-cluster.js';
import { runSeed } from '../run.js';
import { SelectiveLoss } from './selective-loss.js';

const SIZES = computeQuorumSizes(7);
const IDS = Array.from({ length: SIZES.replicaCount }, (_, id) => replicaId(id));
const SEQUENCES = Array.from({ length: 16 }, (_, index) => sequence(index + 1));
const VIEWS = Array.from({ length: 200 }, (_, index) => index + 1);
const vote = (inView: number) => ({ view: view(inView), sequence: sequence(1), batchDigest: digest('batch') });

/** Who gets the prepares of a view, and whose ViewChanges for it are lost at this time after the first of them. */
function look(loss: SelectiveLoss, inView: number, afterMs = 0) {
  const [one] = IDS;
  assert.ok(one !== undefined);
  const viewChange = {
    type: 'viewChange',
    newView: view(inView),
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [],
  } as const;
  return {
    // Some sequences are missing: who gets none of many gets none.
    preparing: IDS.filter((to) =>
      SEQUENCES.some((at) => !loss.loses(0, one, to, { ...vote(inView), sequence: at, type: 'prepare' })),
    ),
    late: IDS.filter((from) => loss.loses(afterMs, from, one, viewChange)),
  };
}

describe('selective loss', () => {
  it('lets few prepare in many views, and all in many others', () => {
    const loss = new SelectiveLoss(1, SIZES);
    const few = VIEWS.filter((each) => look(loss, each).preparing.length <= SIZES.replicaCount - SIZES.quorum);
    assert.ok(few.length > VIEWS.length / 4 && few.length < (3 * VIEWS.length) / 4, `few in ${few.length}`);
  });

  it('often keeps those who prepared alone from being heard, and from preparing in the next view', () => {
    const loss = new SelectiveLoss(1, SIZES);
    const unheard = VIEWS.filter((each) => look(loss, each).late.length > 0);
    assert.ok(unheard.length > VIEWS.length / 4);
    for (const each of unheard) {
      const { late, preparing } = look(loss, each);
      assert.ok(late.length <= SIZES.replicaCount - SIZES.quorum);
      assert.ok(late.every((id) => !preparing.includes(id)));
    }
  });

  it('lets every ViewChange through in the end, and picks the same each time', () => {
    const [loss, again] = [new SelectiveLoss(1, SIZES), new SelectiveLoss(1, SIZES)];
    for (const each of VIEWS) {
      assert.deepEqual(look(loss, each), look(again, each));
      assert.deepEqual(look(loss, each, 1_500).late, []);
    }
  });

  it('leads to certificates that contradict each other, of views older than the last, and to gaps', function () {
    this.timeout(60_000);
    const sums = new Map<string, number>();
    for (const seed of DEEP_SEEDS) {
      for (const [situation, count] of Object.entries(runSeed({ seed, keepsTrace: false }).situations)) {
        sums.set(situation, (sums.get(situation) ?? 0) + count);
      }
    }
    const never = [...sums].filter(([, count]) => count === 0).map(([situation]) => situation);
    assert.deepEqual(never, [], 'what these seeds never come to');
  });
});

/** Small clusters in which the network picks; what one does not come to the other does. */
const DEEP_SEEDS = [51, 100];
