/** The check of what view changes show refuses one that hides a commit, and a commit that comes after one hid it. */
import assert from 'node:assert/strict';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { PreparedProof, ViewChange } from '../../../src/protocol/messages.js';
import { judged, ONE, registry, seen, sign, TWO, vote, ZERO } from './builders.js';
import { ShownCommitsCheck } from './shown-commits.js';

const KEYS = registry();

/** A commit of replica 1 at sequence 1. */
function commit(inView = 0) {
  return seen(sign(KEYS, { ...vote('commit', 'one', 1, inView), type: 'commit' as const }, ONE));
}

/** A view change of replica 1 that proves sequence 1 in a view, or nothing. */
function viewChange(to: number, provenIn?: number, stableCheckpoint = 0) {
  const proof = (inView: number): PreparedProof => ({
    prePrepare: sign(KEYS, { ...vote('prePrepare', 'one', 1, inView), type: 'prePrepare' as const }, ZERO),
    prepares: [],
  });
  const message: ViewChange = {
    type: 'viewChange',
    newView: view(to),
    stableCheckpoint: sequence(stableCheckpoint),
    checkpointCertificate: [],
    prepared: provenIn === undefined ? [] : [proof(provenIn)],
  };
  return seen(sign(KEYS, message, ONE));
}

function judge(messages: readonly ReturnType<typeof seen>[], isCorrect = true) {
  return judged(
    (violations) => new ShownCommitsCheck(violations, () => isCorrect),
    (check) => {
      for (const message of messages) {
        check.onSent(ONE, TWO, message);
      }
    },
  );
}

describe('the check of what view changes show (invariant 4)', () => {
  it('refuses a view change that hides a commit, or shows it in a lower view', () => {
    assert.equal(judge([commit(), viewChange(1)]), 4);
    assert.equal(judge([commit(1), viewChange(2, 0)]), 4);
  });

  it('refuses a commit of a lower view that comes afterwards', () => {
    assert.equal(judge([viewChange(1), commit()]), 4);
  });

  it('takes what is shown, what is stable, what is of a later view, and what a Byzantine replica says', () => {
    assert.equal(judge([commit(), viewChange(1, 0), commit(), viewChange(2, 0)]), undefined);
    assert.equal(judge([commit(), viewChange(1, undefined, 4)]), undefined);
    assert.equal(judge([viewChange(1), commit(1)]), undefined);
    assert.equal(judge([commit(), viewChange(1)], false), undefined);
  });
});
