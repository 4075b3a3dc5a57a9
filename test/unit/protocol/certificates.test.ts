/** The one rule of certificates: so many distinct replicas on one statement. */
import assert from 'node:assert/strict';
import { isCheckpointQuorum, isCommitQuorum, isPreparedProof } from '../../../src/protocol/certificates.js';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { Checkpoint, Commit, PrePrepare, Prepare } from '../../../src/protocol/messages.js';
import { computeQuorumSizes } from '../../../src/protocol/quorum.js';
import { digest } from '../../support/core-cluster.js';

const SIZES = computeQuorumSizes(4);

const by = <M>(message: M, ...senders: readonly number[]) =>
  senders.map((sender) => ({ message, sender: replicaId(sender) }));

const commit = (of: Partial<Commit> = {}): Commit => ({
  type: 'commit',
  view: view(1),
  sequence: sequence(5),
  batchDigest: digest('a'),
  ...of,
});
const prepare = (of: Partial<Prepare> = {}): Prepare => ({ ...commit(), type: 'prepare', ...of });
const checkpoint = (of: Partial<Checkpoint> = {}): Checkpoint => ({
  type: 'checkpoint',
  sequence: sequence(8),
  headerDigest: digest('h'),
  ...of,
});
const prePrepare = { ...prepare(), type: 'prePrepare', timestampMs: 0 } as unknown as PrePrepare;

describe('a certificate', () => {
  it('takes a quorum of distinct replicas', () => {
    assert.equal(isCommitQuorum(by(commit(), 0, 1, 2), 3), true);
    assert.equal(isCommitQuorum(by(commit(), 0, 1), 3), false);
    assert.equal(isCheckpointQuorum(by(checkpoint(), 3, 1, 2), 3), true);
    assert.equal(isCheckpointQuorum([], 3), false);
  });

  it('counts nobody twice, and takes no set that names one twice, however large', () => {
    assert.equal(isCommitQuorum(by(commit(), 0, 1, 1), 3), false);
    assert.equal(isCheckpointQuorum(by(checkpoint(), 0, 1, 2, 2), 3), false);
  });

  it('is on one view, sequence and digest', () => {
    for (const other of [{ view: view(2) }, { sequence: sequence(6) }, { batchDigest: digest('b') }]) {
      assert.equal(isCommitQuorum([...by(commit(), 0, 1), ...by(commit(other), 2)], 3), false);
    }
    for (const other of [{ sequence: sequence(16) }, { headerDigest: digest('i') }]) {
      assert.equal(isCheckpointQuorum([...by(checkpoint(), 0, 1), ...by(checkpoint(other), 2)], 3), false);
    }
  });
});

describe('a proof that a batch prepared', () => {
  const [proposal, notPrimary] = [by(prePrepare, 1)[0], by(prePrepare, 2)[0]];
  assert.ok(proposal !== undefined && notPrimary !== undefined);

  it("takes the view's primary and quorum − 1 others on what it proposed", () => {
    assert.equal(isPreparedProof(proposal, by(prepare(), 0, 2), SIZES), true);
    assert.equal(isPreparedProof(notPrimary, by(prepare(), 0, 3), SIZES), false);
    assert.equal(isPreparedProof(proposal, by(prepare(), 0), SIZES), false);
    assert.equal(isPreparedProof(proposal, by(prepare({ batchDigest: digest('b') }), 0, 2), SIZES), false);
  });

  it("does not count the primary's own prepare, nor anybody's twice", () => {
    assert.equal(isPreparedProof(proposal, by(prepare(), 0, 1), SIZES), false);
    assert.equal(isPreparedProof(proposal, by(prepare(), 0, 0), SIZES), false);
  });
});
