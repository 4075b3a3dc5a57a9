/**
 * What a new view begins with: the choice of min-s and O [OSDI §4.4], against an oracle that was written from the paper
 * and shares nothing with the code.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { PreparedProof, ViewChange } from '../../../src/protocol/messages.js';
import { computeQuorumSizes } from '../../../src/protocol/quorum.js';
import {
  computeNewViewPlan,
  isWellFormedViewChange,
  type ViewChangeRules,
} from '../../../src/protocol/view-change-rules.js';
import { digest, NULL_BATCH, signed } from '../../support/core-cluster.js';

const INTERVAL = 4;
const WINDOW = 8;
const NEW_VIEW = 5;

/** What one replica says, in short. */
interface Saying {
  readonly stable: number;
  readonly prepared: readonly { readonly at: number; readonly view: number; readonly content: string }[];
  /** What is wrong with it, where its sender lies. */
  readonly lie: Lie | undefined;
}

const LIES = [
  'too few signers',
  'a signer twice',
  'another state among them',
  'another sequence among them',
  'no multiple of K',
  'too few prepares',
  'a prepare twice',
  'a prepare of the primary',
  'a prepare of another view',
  'a sequence above the window',
  'a sequence at or below h',
  'a view that is not below the new one',
] as const;
type Lie = (typeof LIES)[number];

const saying = fc.record({
  stable: fc.constantFrom(0, 4, 8),
  prepared: fc.uniqueArray(
    fc.record({
      at: fc.integer({ min: 1, max: WINDOW }),
      view: fc.integer({ min: 0, max: NEW_VIEW - 1 }),
      content: fc.constantFrom('x', 'y', 'z'),
    }),
    { selector: ({ at }) => at, maxLength: 5 },
  ),
});
const cluster = fc.constantFrom(4, 5, 6, 7, 10).chain((replicaCount) => {
  const { quorum, faultsMax } = computeQuorumSizes(replicaCount);
  return fc.record({
    replicaCount: fc.constant(replicaCount),
    honest: fc.array(saying, { minLength: quorum, maxLength: quorum }),
    liars: fc.array(fc.record({ said: saying, lie: fc.constantFrom(...LIES) }), { maxLength: faultsMax }),
  });
});

function rulesOf(replicaCount: number): ViewChangeRules {
  return {
    sizes: computeQuorumSizes(replicaCount),
    checkpointInterval: INTERVAL,
    windowSize: WINDOW,
    nullBatchDigest: NULL_BATCH.digest,
  };
}

/** Sequences are relative to h in a saying. */
function toViewChange({ stable, prepared, lie }: Saying, replicaCount: number): ViewChange {
  const { quorum } = computeQuorumSizes(replicaCount);
  const h = lie === 'no multiple of K' ? stable + 1 : stable;
  const checkpoint = (sender: number, at = h, state = `state ${h}`) =>
    signed({ type: 'checkpoint', sequence: sequence(at), headerDigest: digest(state) } as const, sender);
  const all = h === 0 ? [] : Array.from({ length: quorum }, (_, sender) => checkpoint(sender));
  const certificates: Partial<Record<Lie, typeof all>> = {
    'too few signers': all.slice(1),
    'a signer twice': [...all.slice(1), ...all.slice(1, 2)],
    'another state among them': [...all.slice(1), checkpoint(0, h, 'another state')],
    'another sequence among them': [...all.slice(1), checkpoint(0, h + INTERVAL)],
  };
  return {
    type: 'viewChange',
    newView: view(NEW_VIEW),
    stableCheckpoint: sequence(h),
    checkpointCertificate: (lie === undefined ? undefined : certificates[lie]) ?? all,
    prepared: [...prepared]
      .sort((left, right) => left.at - right.at)
      .map((one, index, list) =>
        toProof({ ...one, at: h + one.at }, replicaCount, index === list.length - 1 ? lie : undefined),
      ),
  };
}

function toProof(
  { at, view: inView, content }: Saying['prepared'][number],
  replicaCount: number,
  lie: Lie | undefined,
): PreparedProof {
  const { quorum } = computeQuorumSizes(replicaCount);
  const shownView = lie === 'a view that is not below the new one' ? NEW_VIEW : inView;
  const where =
    lie === 'a sequence above the window'
      ? at + WINDOW
      : lie === 'a sequence at or below h'
        ? Math.max(0, at - WINDOW)
        : at;
  const primary = shownView % replicaCount;
  const backups = Array.from({ length: replicaCount }, (_, id) => id).filter((id) => id !== primary);
  const vote = { view: view(shownView), sequence: sequence(where), batchDigest: digest(`${content} at ${at}`) };
  const prepares = backups.slice(0, quorum - 1).map((sender) => signed({ type: 'prepare', ...vote } as const, sender));
  const spoilt: Partial<Record<Lie, typeof prepares>> = {
    'too few prepares': prepares.slice(1),
    'a prepare twice': [...prepares.slice(1), ...prepares.slice(1, 2)],
    'a prepare of the primary': [...prepares.slice(1), signed({ type: 'prepare', ...vote } as const, primary)],
    'a prepare of another view': [
      ...prepares.slice(1),
      signed({ type: 'prepare', ...vote, view: view(shownView + 1) } as const, backups[0] ?? 0),
    ],
  };
  return {
    prePrepare: signed({ type: 'prePrepare', ...vote } as const, replicaId(primary)),
    prepares: (lie === undefined ? undefined : spoilt[lie]) ?? prepares,
  };
}

/** Whether the lie shows in what is said at all: one about a checkpoint needs one, one about a batch a batch. */
function shows({ stable, prepared, lie }: Saying): boolean {
  switch (lie) {
    case undefined:
      return false;
    case 'no multiple of K':
      return true;
    case 'too few signers':
    case 'a signer twice':
    case 'another state among them':
    case 'another sequence among them':
      return stable > 0;
    case 'a sequence at or below h':
    case 'a sequence above the window':
    case 'too few prepares':
    case 'a prepare twice':
    case 'a prepare of the primary':
    case 'a prepare of another view':
    case 'a view that is not below the new one':
      return prepared.length > 0;
  }
}

/** The paper's words: the latest stable checkpoint in V; for each n up to max-s what prepared in the highest view, or null. */
function oracle(sayings: readonly Saying[]): readonly string[] {
  const minSequence = [...sayings.map(({ stable }) => stable)].sort((left, right) => left - right).pop() ?? 0;
  const shown = sayings.flatMap(({ stable, prepared }) => prepared.map((one) => ({ ...one, n: stable + one.at })));
  const lines = [`min-s ${minSequence}`];
  for (let n = minSequence + 1; shown.some((one) => one.n >= n); n++) {
    const [best] = shown.filter((one) => one.n === n).sort((left, right) => right.view - left.view);
    lines.push(`${n} ${best === undefined ? NULL_BATCH.digest : digest(`${best.content} at ${n}`)}`);
  }
  return lines;
}

/** Correct replicas never prepare two batches in one view at one sequence: of such sayings the first stands for all. */
function withoutContradictions(sayings: readonly Saying[]): readonly Saying[] {
  const said = new Map<string, string>();
  return sayings.map((one) => ({
    ...one,
    prepared: one.prepared.map((row) => {
      const key = `${one.stable + row.at} ${row.view}`;
      const content = said.get(key) ?? row.content;
      said.set(key, content);
      return { ...row, content };
    }),
  }));
}

describe('what a new view begins with', () => {
  it('VC-05, VC-03: is the highest proven checkpoint and, above it, what prepared in the highest view, as the oracle says', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(cluster, ({ replicaCount, honest, liars }) => {
        const rules = rulesOf(replicaCount);
        const sayings = withoutContradictions(honest.map((one) => ({ ...one, lie: undefined })));
        const lies = liars.map(({ said, lie }) => ({ ...said, lie })).filter(shows);
        const valid = [...sayings, ...lies]
          .map((one) => toViewChange(one, replicaCount))
          .filter((one) => isWellFormedViewChange(one, rules));
        const plan = computeNewViewPlan(valid, rules);
        const lines = plan.proposals.map(({ sequence: at, batchDigest }) => `${at} ${batchDigest}`);
        assert.deepEqual([`min-s ${plan.minSequence}`, ...lines], oracle(sayings));
        assert.equal(plan.proof?.stableCheckpoint ?? 0, plan.minSequence);
      }),
      { numRuns: 300 },
    );
  });

  for (const lie of LIES) {
    it(`VC-05, VC-13: does not follow from a ViewChange with ${lie}: it is void as a whole`, () => {
      const said: Saying = { stable: 4, prepared: [{ at: 1, view: 1, content: 'x' }], lie };
      assert.ok(isWellFormedViewChange(toViewChange({ ...said, lie: undefined }, 4), rulesOf(4)));
      assert.ok(!isWellFormedViewChange(toViewChange(said, 4), rulesOf(4)));
    });
  }

  it('VC-05: needs no certificate at 0, and takes none there', () => {
    const none = toViewChange({ stable: 0, prepared: [], lie: undefined }, 4);
    const some = toViewChange({ stable: 4, prepared: [], lie: undefined }, 4);
    assert.ok(isWellFormedViewChange(none, rulesOf(4)));
    assert.ok(!isWellFormedViewChange({ ...none, checkpointCertificate: some.checkpointCertificate }, rulesOf(4)));
    assert.ok(!isWellFormedViewChange({ ...some, checkpointCertificate: [] }, rulesOf(4)));
  });
});
