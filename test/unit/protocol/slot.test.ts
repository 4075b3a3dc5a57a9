/** What the votes on one sequence amount to. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ReplicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import { computeQuorumSizes, primaryOf } from '../../../src/protocol/quorum.js';
import {
  accept,
  certify,
  computeCommitted,
  computePreparedCertificate,
  countCommit,
  countPrepare,
  createSlot,
  isCommittedLocal,
  isPrepared,
  leaveView,
  type Slot,
} from '../../../src/protocol/slot.js';
import { batchOf, digest, request, signed } from '../../support/core-cluster.js';

const BATCH = batchOf([request('a', 1)]);
const OTHER = digest('another batch');
const SIZES = computeQuorumSizes(4);

/** A vote of a replica in a view, on this batch or the other. */
interface Vote {
  readonly sender: number;
  readonly inView: number;
  readonly isOther: boolean;
}

function fieldsOf({ inView, isOther }: Vote) {
  return { view: view(inView), sequence: sequence(1), batchDigest: isOther ? OTHER : BATCH.digest };
}

/** A slot with a proposal in a view, signed by that view's primary. */
function slotOf(
  options: { readonly inView?: number; readonly isSigned?: boolean; readonly replicaCount?: number } = {},
) {
  const { inView = 0, isSigned = true, replicaCount = 4 } = options;
  const slot = createSlot(sequence(1), 0);
  const sender = primaryOf(view(inView), replicaCount);
  const fields = fieldsOf({ sender, inView, isOther: false });
  const prePrepare = signed({ type: 'prePrepare' as const, ...fields }, sender);
  accept(slot, { prePrepare: prePrepare.message, signed: isSigned ? prePrepare : undefined, batch: BATCH });
  return slot;
}

function addPrepares(slot: Slot, votes: readonly Vote[]): void {
  for (const vote of votes) {
    countPrepare(slot, signed({ type: 'prepare' as const, ...fieldsOf(vote) }, vote.sender));
  }
}

function addCommits(slot: Slot, votes: readonly Vote[]): void {
  for (const vote of votes) {
    countCommit(slot, signed({ type: 'commit' as const, ...fieldsOf(vote) }, vote.sender));
  }
}

const plain = (...senders: number[]): Vote[] => senders.map((sender) => ({ sender, inView: 0, isOther: false }));
const senders = (votes: readonly { readonly sender: ReplicaId }[] | undefined) => votes?.map(({ sender }) => sender);

describe('a prepared certificate', () => {
  it('is the signed pre-prepare and prepares of quorum − 1 others, sorted', () => {
    const slot = slotOf();
    addPrepares(slot, plain(3));
    assert.equal(computePreparedCertificate(slot, SIZES), undefined);
    addPrepares(slot, plain(1, 2));
    const certificate = computePreparedCertificate(slot, SIZES);
    assert.equal(certificate?.prePrepare, slot.proposal?.signed);
    assert.deepEqual(senders(certificate?.prepares), [1, 2]);
  });

  it('BB-05: counts no prepare of the primary', () => {
    const slot = slotOf();
    addPrepares(slot, plain(0, 1));
    assert.equal(computePreparedCertificate(slot, SIZES), undefined);
    const later = slotOf({ inView: 1 });
    addPrepares(
      later,
      [0, 1].map((sender) => ({ sender, inView: 1, isOther: false })),
    );
    assert.equal(computePreparedCertificate(later, SIZES), undefined);
  });

  it('BB-04: counts no prepare of another view, and none for another batch', () => {
    const slot = slotOf({ inView: 4 });
    addPrepares(slot, [
      { sender: 1, inView: 3, isOther: false },
      { sender: 2, inView: 4, isOther: true },
      { sender: 3, inView: 4, isOther: false },
    ]);
    assert.equal(computePreparedCertificate(slot, SIZES), undefined);
  });

  it('needs the pre-prepare, signed', () => {
    const slot = slotOf({ isSigned: false });
    addPrepares(slot, plain(1, 2, 3));
    assert.equal(computePreparedCertificate(slot, SIZES), undefined);
    leaveView(slot);
    addPrepares(slot, plain(1, 2, 3));
    assert.equal(computePreparedCertificate(slot, SIZES), undefined);
  });

  it('makes the slot prepared in the view of its proposal alone', () => {
    const slot = slotOf();
    addPrepares(slot, plain(1, 2));
    assert.equal(isPrepared(slot), false);
    const certificate = computePreparedCertificate(slot, SIZES);
    assert.ok(certificate);
    certify(slot, certificate);
    assert.equal(isPrepared(slot), true);
    const { proposal } = slotOf({ inView: 4 });
    assert.ok(proposal);
    accept(slot, proposal);
    assert.equal(isPrepared(slot), false);
  });
});

describe('a commit certificate', () => {
  it('is a quorum of commits, the primary’s among them, sorted', () => {
    const slot = slotOf();
    addCommits(slot, plain(3, 0));
    assert.equal(computeCommitted(slot, SIZES), undefined);
    addCommits(slot, plain(2));
    const committed = computeCommitted(slot, SIZES);
    assert.deepEqual([committed?.view, committed?.batchDigest], [0, BATCH.digest]);
    assert.deepEqual(senders(committed?.certificate?.commits), [0, 2, 3]);
  });

  it('decides without a proposal, and whatever this replica accepted', () => {
    const slot = createSlot(sequence(1), 0);
    addCommits(
      slot,
      [0, 1, 2].map((sender) => ({ sender, inView: 7, isOther: true })),
    );
    assert.deepEqual(computeCommitted(slot, SIZES)?.batchDigest, OTHER);
    assert.equal(isCommittedLocal(slot), false);
  });

  it('BB-04: counts no votes of different views or for different batches together', () => {
    const slot = slotOf();
    addCommits(slot, [
      { sender: 0, inView: 0, isOther: false },
      { sender: 1, inView: 0, isOther: false },
      { sender: 2, inView: 1, isOther: false },
      { sender: 3, inView: 0, isOther: true },
    ]);
    assert.equal(computeCommitted(slot, SIZES), undefined);
  });
});

describe('certificates of any votes', () => {
  const cluster = fc.constantFrom(4, 5, 6, 7, 10).chain((replicaCount) => {
    const vote = fc.record({
      sender: fc.nat({ max: replicaCount - 1 }),
      inView: fc.nat({ max: 2 }),
      isOther: fc.boolean(),
    });
    return fc.record({
      replicaCount: fc.constant(replicaCount),
      votes: fc.array(vote, { maxLength: 3 * replicaCount }),
    });
  });

  it('BB-02, BB-05: hold distinct signers, of one view and batch, enough of them, and of prepares no primary', () => {
    fc.assert(
      fc.property(cluster, ({ replicaCount, votes }) => {
        const sizes = computeQuorumSizes(replicaCount);
        const slot = slotOf({ inView: 1, replicaCount });
        addPrepares(slot, votes);
        addCommits(slot, votes);
        const prepared = computePreparedCertificate(slot, sizes);
        const last = [...new Map(votes.map((vote) => [vote.sender, vote])).values()];
        const fitting = last.filter(({ sender, inView, isOther }) => sender !== 1 && inView === 1 && !isOther);
        assert.equal(prepared !== undefined, fitting.length >= sizes.quorum - 1);
        if (prepared !== undefined) {
          const signers = senders(prepared.prepares) ?? [];
          assert.equal(new Set([...signers, prepared.prePrepare.sender]).size, sizes.quorum);
          assert.ok(
            prepared.prepares.every(({ message }) => message.view === 1 && message.batchDigest === BATCH.digest),
          );
        }
        const committed = computeCommitted(slot, sizes);
        const groups = [0, 1, 2].flatMap((inView) =>
          [true, false].map((isOther) => last.filter((vote) => vote.inView === inView && vote.isOther === isOther)),
        );
        assert.equal(
          committed !== undefined,
          groups.some((group) => group.length >= sizes.quorum),
        );
        if (committed?.certificate !== undefined) {
          const { commits } = committed.certificate;
          assert.equal(new Set(senders(commits)).size, sizes.quorum);
          assert.ok(
            commits.every(
              ({ message }) => message.view === committed.view && message.batchDigest === committed.batchDigest,
            ),
          );
        }
      }),
    );
  });
});
