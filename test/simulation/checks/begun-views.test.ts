/** The checks of how views begin refuse a run that breaks their invariant and let one pass that keeps it. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/crypto/hash.js';
import { type ReplicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { PreparedProof, Signed, ViewChange } from '../../../src/protocol/messages.js';
import { computeQuorumSizes } from '../../../src/protocol/quorum.js';
import type { Digest } from '../../../src/util/digest.js';
import { NULL_BATCH_BYTES } from '../../../src/wire/batch-codec.js';
import { digest, verified } from '../../support/core-cluster.js';
import { BegunViewsCheck } from './begun-views.js';
import { accepted, checkpoint, judged, ONE, registry, sign, THREE, TWO, vote, ZERO } from './builders.js';
import { DecidedCheck } from './decided.js';
import type { Observer, Violations } from './observer.js';

const NULL_DIGEST = sha256(NULL_BATCH_BYTES);
const KEYS = registry();
const VIEW = 2;

function proof(content: string, at: number, inView: number): PreparedProof {
  const primary = [ZERO, ONE, TWO, THREE][inView] ?? ZERO;
  const [first, second] = [ZERO, ONE, TWO, THREE].filter((id) => id !== primary);
  const prepare = (sender: ReplicaId = THREE) =>
    sign(KEYS, { ...vote('prepare', content, at, inView), type: 'prepare' as const }, sender);
  return {
    prePrepare: sign(KEYS, { ...vote('prePrepare', content, at, inView), type: 'prePrepare' as const }, primary),
    prepares: [prepare(first), prepare(second)],
  };
}

function viewChange(sender: ReplicaId, parts: Partial<ViewChange> = {}): Signed<ViewChange> {
  const message: ViewChange = {
    type: 'viewChange',
    newView: view(VIEW),
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [],
    ...parts,
  };
  return sign(KEYS, message, sender);
}

function nameOf({ sender, payload }: Signed): { readonly replica: ReplicaId; readonly digest: Digest } {
  return { replica: sender, digest: sha256(Uint8Array.of(0, 0, 0, sender, ...payload)) };
}

/** View 2 begins with these digests, from the sequence after `min` on. */
function begun(
  viewChanges: readonly Signed<ViewChange>[],
  digests: readonly Digest[],
  { min = 0, named = viewChanges }: { readonly min?: number; readonly named?: readonly Signed<ViewChange>[] } = {},
): LogRecord {
  const prePrepares = digests.map((batchDigest, index) => {
    const at = sequence(min + index + 1);
    return sign(KEYS, { type: 'prePrepare', view: view(VIEW), sequence: at, batchDigest } as const, TWO);
  });
  const newView = sign(
    KEYS,
    { type: 'newView', newView: view(VIEW), viewChanges: named.map(nameOf), prePrepares } as const,
    TWO,
  );
  return { kind: 'newView', begun: { newView: verified(newView), viewChanges: viewChanges.map(verified) } };
}

const make = (violations: Violations): Observer =>
  new BegunViewsCheck({
    violations,
    verifier: KEYS.verifier,
    replicaCount: 4,
    checkpointInterval: 4,
    windowSize: 8,
    nullBatchDigest: NULL_DIGEST,
  });

function judge(...records: readonly LogRecord[]) {
  return judged(make, (check) => {
    for (const record of records) {
      check.onAppended(ONE, record);
    }
  });
}

describe('the check of how views begin', () => {
  const certificate = [ZERO, ONE, TWO].map((sender) => sign(KEYS, checkpoint('four', 4), sender));
  const stable: LogRecord = { kind: 'stableCheckpoint', certificate: { checkpoints: certificate.map(verified) } };
  const ahead = viewChange(TWO, { stableCheckpoint: sequence(4), checkpointCertificate: certificate });
  const old = viewChange(ZERO, { prepared: [proof('old', 1, 0), proof('three', 3, 0)] });
  const recent = viewChange(ONE, { prepared: [proof('recent', 1, 1)] });
  const empty = viewChange(TWO);
  const all = [old, recent, empty];
  const right = [digest('recent'), NULL_DIGEST, digest('three')];

  it('takes a new view that follows from the view changes that it names', () => {
    assert.equal(judge(begun(all, right)), undefined);
    assert.equal(judge(begun([viewChange(ZERO), recent, empty], [digest('recent')])), undefined);
    assert.equal(judge(stable, begun([old, recent, ahead], [], { min: 4 })), undefined);
  });

  it('refuses one above a checkpoint that did not become the own stable one before', () => {
    assert.equal(judge(begun([old, recent, ahead], [], { min: 4 })), 4);
    assert.equal(judge(begun([old, recent, ahead], [], { min: 4 }), stable), 4);
  });

  const others: readonly (readonly [string, readonly Digest[]])[] = [
    ['the digest of a lower view', [digest('old'), NULL_DIGEST, digest('three')]],
    ['the null batch where something prepared', [NULL_DIGEST, NULL_DIGEST, digest('three')]],
    ['something where nothing prepared', [digest('recent'), digest('two'), digest('three')]],
    ['less', right.slice(0, 2)],
    ['nothing', []],
    ['more', [...right, NULL_DIGEST]],
  ];
  for (const [what, digests] of others) {
    it(`refuses one with ${what}`, () => {
      assert.equal(judge(begun(all, digests)), 10);
    });
  }

  const bad = { ...proof('bad', 1, 1), prepares: proof('recent', 1, 1).prepares };
  const unsigned = proof('bad', 1, 1);
  const forged = {
    ...unsigned,
    prepares: unsigned.prepares.map((prepare) => ({ ...prepare, signature: new Uint8Array(12) })),
  };
  const lists: readonly (readonly [string, readonly Signed<ViewChange>[], readonly Signed<ViewChange>[]])[] = [
    ['a certificate that proves nothing', [viewChange(ZERO), viewChange(ONE, { prepared: [bad] }), empty], []],
    ['a certificate that nobody signed', [viewChange(ZERO), viewChange(ONE, { prepared: [forged] }), empty], []],
    ['too few view changes', [recent, empty], []],
    ['two of one replica', [recent, viewChange(ONE), empty], []],
    ['one for another view', [viewChange(ZERO, { newView: view(3) }), recent, empty], []],
    ['one that its sender did not sign', [{ ...viewChange(ZERO), signature: new Uint8Array(12) }, recent, empty], []],
    ['others than it names', [viewChange(ZERO), recent, empty], all],
  ];
  for (const [what, viewChanges, named] of lists) {
    it(`refuses one with ${what}`, () => {
      const content = digest(what.startsWith('a certificate') ? 'bad' : 'recent');
      assert.equal(judge(begun(viewChanges, [content], named.length === 0 ? {} : { named })), 10);
    });
  }

  const proposal = (content: string, at: number, inView = VIEW, batchDigest = digest(content)): LogRecord => {
    const record = accepted(content);
    assert.ok(record.kind === 'accepted');
    const prePrepare = { ...vote('prePrepare', content, at, inView), type: 'prePrepare' as const, batchDigest };
    return { ...record, prePrepare };
  };

  it('refuses what is taken at or below its highest sequence besides', () => {
    const record = begun(all, right);
    assert.equal(judge(record, proposal('three', 3)), undefined);
    assert.equal(judge(record, proposal('four', 4)), undefined);
    assert.equal(judge(record, proposal('another', 3)), 4);
    assert.equal(judge(record, proposal('another', 2)), 4);
    assert.equal(judge(record, proposal('another', 3, 0)), undefined);
  });

  it('refuses the null batch where no new view put it', () => {
    assert.equal(judge(proposal('null', 1, 0, NULL_DIGEST)), 5);
    assert.equal(judge(begun(all, right), proposal('null', 4, VIEW, NULL_DIGEST)), 5);
    assert.equal(judge(begun(all, right), proposal('null', 2, VIEW, NULL_DIGEST)), undefined);
  });
});

describe('the check of what is decided', () => {
  const prepared = (content: string, inView: number): LogRecord => {
    const { prePrepare, prepares } = proof(content, 1, inView);
    return {
      kind: 'prepared',
      certificate: { prePrepare: verified(prePrepare), prepares: prepares.map(verified) },
    };
  };
  const run = (isLate: boolean, holders: readonly ReplicaId[], record: LogRecord) =>
    judged(
      (violations) => new DecidedCheck(violations, computeQuorumSizes(4)),
      (check) => {
        const decide = (): void => {
          for (const holder of holders) {
            check.onAppended(holder, prepared('one', 0));
            check.onDurable(holder, prepared('one', 0));
          }
        };
        if (!isLate) {
          decide();
        }
        check.onAppended(THREE, record);
        if (isLate) {
          decide();
        }
      },
    );
  const certificate = [ZERO, ONE, TWO].map((sender) => sign(KEYS, checkpoint('four', 4), sender));
  const ahead = viewChange(TWO, { stableCheckpoint: sequence(4), checkpointCertificate: certificate });

  for (const isLate of [false, true]) {
    const when = isLate ? 'later' : 'before';
    it(`refuses another digest in a later view than two of four prepared ${when}`, () => {
      assert.equal(run(isLate, [ZERO, ONE], prepared('two', 1)), 4);
      assert.equal(run(isLate, [ZERO, ONE], prepared('one', 1)), undefined);
      assert.equal(run(isLate, [ZERO], prepared('two', 1)), undefined);
      assert.equal(run(isLate, [ZERO, ZERO], prepared('two', 1)), undefined);
    });

    it(`refuses a new view without what two of four prepared ${when}`, () => {
      assert.equal(run(isLate, [ZERO, ONE], begun([viewChange(ZERO)], [digest('one')])), undefined);
      assert.equal(run(isLate, [ZERO, ONE], begun([viewChange(ZERO)], [NULL_DIGEST])), 4);
      assert.equal(run(isLate, [ZERO, ONE], begun([viewChange(ZERO)], [])), 4);
      assert.equal(run(isLate, [ZERO], begun([viewChange(ZERO)], [])), undefined);
      assert.equal(run(isLate, [ZERO, ONE], begun([ahead], [], { min: 4 })), undefined);
    });
  }
});
