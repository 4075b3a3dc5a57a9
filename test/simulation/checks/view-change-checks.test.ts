/** The checks of view changes refuse a run that breaks their invariant and let one pass that keeps it. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/crypto/hash.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { NewView, PreparedProof, ProtocolMessage, ViewChange } from '../../../src/protocol/messages.js';
import type { Digest } from '../../../src/util/digest.js';
import { NULL_BATCH_BYTES } from '../../../src/wire/batch-codec.js';
import { digest, verified } from '../../support/core-cluster.js';
import { checkpoint, GENESIS, header, judged, ONE, registry, sign, THREE, TWO, vote, ZERO } from './builders.js';
import type { Observer, Violations } from './observer.js';
import { viewObjection } from './view-change-proofs.js';
import { ViewChangesCheck } from './view-changes.js';

const NULL_DIGEST = sha256(NULL_BATCH_BYTES);
const KEYS = registry();

function viewChange(parts: Partial<ViewChange> = {}): ViewChange {
  return {
    type: 'viewChange',
    newView: view(1),
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [],
    ...parts,
  };
}

function prePrepare(content: string, at = 1, inView = 0, sender = ZERO) {
  return sign(KEYS, { ...vote('prePrepare', content, at, inView), type: 'prePrepare' as const }, sender);
}

/** A view that begins with these digests from sequence `min` + 1 on. */
function begun(min: number, digests: readonly Digest[]): LogRecord {
  const prePrepares = digests.map((batchDigest, index) =>
    sign(KEYS, { type: 'prePrepare', view: view(1), sequence: sequence(min + index + 1), batchDigest } as const, ONE),
  );
  const newView: NewView = { type: 'newView', newView: view(1), viewChanges: [], prePrepares };
  const viewChanges = [verified(sign(KEYS, viewChange({ stableCheckpoint: sequence(min) }), TWO))];
  return { kind: 'newView', begun: { newView: verified(sign(KEYS, newView, ONE)), viewChanges } };
}

/** Sequence 1, committed in a view. */
function committed(inView: number) {
  const commits = [verified(sign(KEYS, { ...vote('commit', 'batch 1', 1, inView), type: 'commit' as const }, ONE))];
  return { ...header(1, GENESIS), certificate: { commits } };
}

describe('the checks of view changes', () => {
  const make = (violations: Violations): Observer => new ViewChangesCheck(violations, NULL_DIGEST);
  const run = (inView: number, record: LogRecord, isKnownBefore = true) =>
    judged(make, (check) => {
      if (!isKnownBefore) {
        check.onAppended(TWO, record);
      }
      check.onExecuted(ZERO, [committed(inView)], () => true);
      if (isKnownBefore) {
        check.onAppended(TWO, record);
      }
    });

  for (const isKnownBefore of [true, false]) {
    const when = isKnownBefore ? 'before' : 'after';
    it(`refuse a new view without what was committed, learnt ${when} it began`, () => {
      assert.equal(run(0, begun(0, [digest('batch 1')]), isKnownBefore), undefined);
      assert.equal(run(0, begun(0, [digest('another')]), isKnownBefore), 4);
      assert.equal(run(0, begun(0, [NULL_DIGEST]), isKnownBefore), 4);
      assert.equal(run(0, begun(0, []), isKnownBefore), 4);
    });
  }

  it('let a new view do without what a checkpoint certifies, and without what was committed in it or later', () => {
    assert.equal(run(0, begun(1, [])), undefined);
    assert.equal(run(1, begun(0, [])), undefined);
  });

  it('know where null batches may stand, and in which views they may be decided there', () => {
    const check = new ViewChangesCheck({ first: undefined, report: () => undefined }, NULL_DIGEST);
    check.onAppended(ZERO, begun(4, [digest('a'), NULL_DIGEST]));
    assert.deepEqual([check.mayBeNull(5, 1), check.mayBeNull(6, 1)], [false, true]);
    assert.deepEqual(
      [check.mayBeNull(6, undefined), check.mayBeNull(6, 0), check.mayBeNull(6, 2)],
      [true, false, false],
    );
  });
});

describe('the independent judge of statements about views', () => {
  const rules = { verifier: KEYS.verifier, replicaCount: 4, checkpointInterval: 4, windowSize: 8 };
  const judge = (message: ProtocolMessage, sender: ReplicaId = ONE) => viewObjection(message, sender, rules);
  const prepare = (sender: ReplicaId, content = 'one', at = 1) =>
    sign(KEYS, { ...vote('prepare', content, at), type: 'prepare' as const }, sender);
  const proof = (parts: Partial<PreparedProof> = {}): PreparedProof => ({
    prePrepare: prePrepare('one'),
    prepares: [prepare(ONE), prepare(TWO)],
    ...parts,
  });
  const certificate = [ZERO, ONE, TWO].map((sender) => sign(KEYS, checkpoint('one', 4), sender));

  it('takes a view change that proves what it says', () => {
    assert.equal(judge(viewChange()), undefined);
    assert.equal(judge(viewChange({ prepared: [proof()] })), undefined);
    assert.equal(judge(viewChange({ stableCheckpoint: sequence(4), checkpointCertificate: certificate })), undefined);
  });

  const refused: readonly (readonly [string, Partial<ViewChange>])[] = [
    ['a checkpoint without a certificate', { stableCheckpoint: sequence(4) }],
    ['one with too few', { stableCheckpoint: sequence(4), checkpointCertificate: certificate.slice(1) }],
    ['one of another sequence', { stableCheckpoint: sequence(8), checkpointCertificate: certificate }],
    [
      'a checkpoint that is none',
      {
        stableCheckpoint: sequence(5),
        checkpointCertificate: [ZERO, ONE, TWO].map((sender) => sign(KEYS, checkpoint('one', 5), sender)),
      },
    ],
    [
      'a checkpoint of two states',
      {
        stableCheckpoint: sequence(4),
        checkpointCertificate: [...certificate.slice(1), sign(KEYS, checkpoint('two', 4), ZERO)],
      },
    ],
    ['a certificate for no checkpoint', { checkpointCertificate: certificate }],
    ['one sequence twice', { prepared: [proof(), proof()] }],
    [
      'a sequence above the window',
      {
        prepared: [
          proof({ prePrepare: prePrepare('one', 9), prepares: [prepare(ONE, 'one', 9), prepare(TWO, 'one', 9)] }),
        ],
      },
    ],
    ['a prepare of the primary', { prepared: [proof({ prepares: [prepare(ONE), prepare(TWO), prepare(ZERO)] })] }],
    ['too few prepares', { prepared: [proof({ prepares: [prepare(ONE)] })] }],
    ['one prepare twice', { prepared: [proof({ prepares: [prepare(ONE), prepare(ONE)] })] }],
    ['prepares of another digest', { prepared: [proof({ prepares: [prepare(ONE), prepare(TWO, 'two')] })] }],
    [
      'a pre-prepare by another than the primary',
      { prepared: [proof({ prePrepare: prePrepare('one', 1, 0, THREE) })] },
    ],
    ['a view that is not below', { newView: view(0), prepared: [proof()] }],
    [
      'a signature that is not valid',
      { prepared: [proof({ prepares: [prepare(ONE), { ...prepare(TWO), sender: THREE }] })] },
    ],
  ];
  for (const [what, parts] of refused) {
    it(`refuses a view change with ${what}`, () => {
      assert.notEqual(judge(viewChange(parts)), undefined);
    });
  }

  it('takes a new view by its primary with a quorum, and no other', () => {
    const viewChanges = [ZERO, ONE, TWO].map((replica) => ({ replica, digest: digest('a view change') }));
    const newView = (parts: Partial<NewView>): NewView => ({
      type: 'newView',
      newView: view(1),
      viewChanges,
      prePrepares: [prePrepare('one', 1, 1, ONE)],
      ...parts,
    });
    assert.equal(judge(newView({})), undefined);
    assert.notEqual(judge(newView({}), TWO), undefined);
    assert.notEqual(judge(newView({ viewChanges: viewChanges.slice(1) })), undefined);
    assert.notEqual(judge(newView({ prePrepares: [prePrepare('one', 1, 0, ZERO)] })), undefined);
    assert.notEqual(judge(newView({ prePrepares: [{ ...prePrepare('one', 1, 1, TWO), sender: ONE }] })), undefined);
  });
});
