/** Late votes that are kept unread: which, how many, and when one is read after all. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { LateVotes } from '../../../../src/runtime/ingress/late-votes.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { checkpointOf, voteOf } from '../../../support/peer-messages.js';

const DIGEST = sha256(utf8('a batch'));
const OTHER = sha256(utf8('another batch'));
const WINDOW = 8;

function late(type: 'prepare' | 'commit', at: number, { digest = DIGEST, inView = 0, sender = 3 } = {}) {
  return fakeSigned(voteOf(type, at, digest, inView), sender);
}

describe('late votes', () => {
  it('FU-08: are taken out by a vote of the same sender, phase, view and sequence with another digest, once', () => {
    const votes = new LateVotes(WINDOW);
    const kept = late('commit', 1);
    votes.keep(kept);
    for (const other of [
      late('commit', 1),
      late('prepare', 1, { digest: OTHER }),
      late('commit', 2, { digest: OTHER }),
      late('commit', 1 + WINDOW, { digest: OTHER }),
      late('commit', 1, { digest: OTHER, inView: 1 }),
      late('commit', 1, { digest: OTHER, sender: 2 }),
      fakeSigned(checkpointOf(4, OTHER), 3),
    ]) {
      assert.equal(votes.takeContradicted(other), undefined);
    }
    assert.equal(votes.takeContradicted(late('commit', 1, { digest: OTHER })), kept);
    assert.equal(votes.takeContradicted(late('commit', 1, { digest: OTHER })), undefined);
    assert.equal(votes.size, 0);
  });

  it('FU-08: are at most one a sequence, phase and sender, the first of the highest view', () => {
    const votes = new LateVotes(WINDOW);
    const first = late('commit', 1, { inView: 2 });
    for (const vote of [late('commit', 1), first, late('commit', 1, { inView: 2 }), late('commit', 1, { inView: 1 })]) {
      votes.keep(vote);
    }
    assert.equal(votes.size, 1);
    assert.equal(votes.takeContradicted(late('commit', 1, { digest: OTHER, inView: 2 })), first);
  });

  it('FU-08: are of sequences of one window only, however many are kept and in whatever order', () => {
    const votes = new LateVotes(WINDOW);
    for (let at = 1; at <= 10 * WINDOW; at++) {
      for (const sender of [0, 2, 3]) {
        votes.keep(late('prepare', at, { sender }));
        votes.keep(late('commit', at, { sender }));
      }
    }
    assert.equal(votes.size, 2 * WINDOW * 3);
    votes.keep(late('commit', 1));
    assert.equal(votes.size, 2 * WINDOW * 3);
    assert.equal(votes.takeContradicted(late('commit', 1, { digest: OTHER })), undefined);
    assert.notEqual(votes.takeContradicted(late('commit', 10 * WINDOW, { digest: OTHER })), undefined);
  });

  it('are votes: nothing else is kept', () => {
    const votes = new LateVotes(WINDOW);
    votes.keep(fakeSigned(checkpointOf(4, DIGEST), 3));
    assert.equal(votes.size, 0);
  });
});
