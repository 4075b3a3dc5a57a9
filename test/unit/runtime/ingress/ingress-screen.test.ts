/** The screen in front of signature checks: what says nothing new costs none, and no evidence is lost by it. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { replicaId, sequence, view } from '../../../../src/protocol/identifiers.js';
import type { NewView, ProtocolMessage, Signed, ViewChange } from '../../../../src/protocol/messages.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { encodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { lateVotesOf } from '../../../support/held.js';
import { IngressBench } from '../../../support/ingress-bench.js';
import {
  batchOfRequests,
  checkpointCertificateBytes,
  checkpointOf,
  committedBatchBytes,
  proposalBytes,
  signedBytes,
  signedRequest,
  voteOf,
} from '../../../support/peer-messages.js';

const REQUESTS = [signedRequest(1)];
const { digest: DIGEST } = batchOfRequests(REQUESTS);
const OTHER = sha256(utf8('another batch'));

function viewChangeOf(newView: number): ViewChange {
  return {
    type: 'viewChange',
    newView: view(newView),
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [],
  };
}

function newViewOf(digest = DIGEST): NewView {
  const viewChanges = [0, 2, 3].map((replica) => ({ replica: replicaId(replica), digest }));
  return { type: 'newView', newView: view(2), viewChanges, prePrepares: [] };
}

function evidenceBytes(first: Signed, second: Signed): Uint8Array {
  return encodePeerMessage({ kind: 'evidence', first, second });
}

const proposed = (digest: typeof DIGEST, sender = 0, inView = 0) =>
  fakeSigned(voteOf('prePrepare', 1, digest, inView), sender);

/** A proposal whose time has not come. */
function earlyProposal(content: number): Uint8Array {
  const { bytes: batchBytes, digest } = batchOfRequests([signedRequest(content)], 1_000_000);
  return encodePeerMessage({
    kind: 'proposal',
    prePrepare: fakeSigned(voteOf('prePrepare', 1, digest), 0),
    batchBytes,
  });
}

/** Replica 1 has a sequence prepared by its own prepare and replica 2's, or also committed by its own, 0's and 2's. */
function certify(bench: IngressBench, phase: 'prepared' | 'committed'): void {
  bench.take(proposalBytes(1, REQUESTS), 0);
  bench.core.vote('prepare', 1, 1, DIGEST);
  bench.take(signedBytes(voteOf('prepare', 1, DIGEST), 2), 2);
  if (phase === 'committed') {
    bench.core.vote('commit', 1, 1, DIGEST);
    bench.take(signedBytes(voteOf('commit', 1, DIGEST), 0), 0);
    bench.take(signedBytes(voteOf('commit', 1, DIGEST), 2), 2);
  }
}

interface Repeated {
  readonly what: string;
  /** Brings the replica to where the message is old. */
  readonly prepare?: (bench: IngressBench) => void;
  readonly bytes: () => Uint8Array;
  /** How often it is taken before. */
  readonly takenBefore?: number;
  readonly rejection: string;
  readonly from?: number;
}

const REPEATED: readonly Repeated[] = [
  {
    what: 'a late prepare, for what is prepared here',
    prepare: (bench) => certify(bench, 'prepared'),
    bytes: () => signedBytes(voteOf('prepare', 1, DIGEST), 3),
    takenBefore: 0,
    rejection: 'prepare late',
  },
  {
    what: 'a late commit, for what is committed here',
    prepare: (bench) => certify(bench, 'committed'),
    bytes: () => signedBytes(voteOf('commit', 1, DIGEST), 3),
    takenBefore: 0,
    rejection: 'commit late',
  },
  {
    what: 'a vote that contradicts the first one, when the proof is held',
    prepare: (bench) => void bench.take(signedBytes(voteOf('commit', 1, DIGEST), 3)),
    bytes: () => signedBytes(voteOf('commit', 1, OTHER), 3),
    rejection: 'commit duplicate',
  },
  {
    what: 'a vote for a later view that is kept already',
    bytes: () => signedBytes(voteOf('prepare', 1, DIGEST, 2), 3),
    rejection: 'prepare duplicate',
  },
  {
    what: 'a proposal whose time has not come',
    bytes: () => earlyProposal(1),
    rejection: 'prePrepare duplicate',
    from: 0,
  },
  {
    what: 'a checkpoint that is held',
    bytes: () => signedBytes(checkpointOf(4, DIGEST), 3),
    rejection: 'checkpoint duplicate',
  },
  {
    what: 'the certificate of a checkpoint that is stable',
    bytes: () => checkpointCertificateBytes(4, DIGEST, [0, 2, 3]),
    rejection: 'checkpointCertificate stale',
  },
  {
    what: 'a certificate that is no quorum',
    bytes: () => checkpointCertificateBytes(4, DIGEST, [0, 2]),
    takenBefore: 0,
    rejection: 'checkpointCertificate badCertificate',
  },
  {
    what: 'a decided batch that waits for the one before it',
    bytes: () => committedBatchBytes(2, REQUESTS, [0, 2, 3]),
    rejection: 'committedBatch duplicate',
  },
  {
    what: 'a batch with commits that are no quorum',
    bytes: () => committedBatchBytes(2, REQUESTS, [0, 3]),
    takenBefore: 0,
    rejection: 'committedBatch badCertificate',
  },
  {
    what: 'a ViewChange that is held',
    bytes: () => signedBytes(viewChangeOf(2), 3),
    rejection: 'viewChange duplicate',
  },
  {
    what: 'a ViewChange that contradicts the first one, when the proof is held',
    prepare: (bench) => void bench.take(signedBytes(viewChangeOf(2), 3)),
    bytes: () => signedBytes({ ...viewChangeOf(2), stableCheckpoint: sequence(4) }, 3),
    rejection: 'viewChange duplicate',
  },
  { what: 'a NewView that is held', bytes: () => signedBytes(newViewOf(), 2), rejection: 'newView duplicate' },
  {
    what: 'a NewView that contradicts the first one, when the proof is held',
    prepare: (bench) => void bench.take(signedBytes(newViewOf(), 2)),
    bytes: () => signedBytes(newViewOf(OTHER), 2),
    rejection: 'newView duplicate',
  },
  {
    what: 'evidence against a backup that is held',
    bytes: () => evidenceBytes(proposed(DIGEST, 2, 2), proposed(OTHER, 2, 2)),
    rejection: 'evidence duplicate',
  },
  {
    what: 'evidence against the primary that was left for it',
    bytes: () => evidenceBytes(proposed(DIGEST), proposed(OTHER)),
    rejection: 'evidence duplicate',
  },
  {
    what: 'statements that are no contradiction',
    bytes: () => evidenceBytes(proposed(DIGEST), fakeSigned(voteOf('prePrepare', 2, OTHER), 0)),
    takenBefore: 0,
    rejection: 'evidence noContradiction',
  },
  {
    what: 'a request of a client that has as many waiting as it may',
    prepare: (bench) => {
      for (let number = 1; number <= 8; number++) {
        bench.take(encodePeerMessage({ kind: 'request', bytes: signedRequest(number).bytes }));
      }
    },
    bytes: () => encodePeerMessage({ kind: 'request', bytes: signedRequest(9).bytes }),
    takenBefore: 0,
    rejection: 'request quota',
  },
];

describe('the screen in front of signature checks', () => {
  for (const { what, prepare, bytes, takenBefore = 1, rejection, from = 3 } of REPEATED) {
    it(`FU-08: ${what} costs no signature check, however often it comes`, () => {
      const bench = new IngressBench();
      prepare?.(bench);
      for (let times = 0; times < takenBefore; times++) {
        assert.notEqual(bench.take(bytes(), from), undefined);
      }
      const before = bench.checks;
      for (let times = 0; times < 3; times++) {
        assert.equal(bench.judge(bytes(), from), undefined);
      }
      assert.deepEqual(
        [bench.rejections.slice(-3), bench.checks - before],
        [[1, 2, 3].map(() => `${rejection} of ${from}`), 0],
      );
    });
  }

  for (const phase of ['prepare', 'commit'] as const) {
    it(`FU-08: a late ${phase} with another digest is checked and kept, and the one that it contradicts then proves it`, () => {
      const bench = new IngressBench();
      certify(bench, phase === 'prepare' ? 'prepared' : 'committed');
      const evidence = () => bench.core.core.inspect(0).evidence.map(({ replica, kind }) => `${kind} by ${replica}`);
      assert.equal(bench.take(signedBytes(voteOf(phase, 1, OTHER), 3))?.kind, 'messageReceived');
      assert.deepEqual(evidence(), []);
      assert.equal(bench.take(signedBytes(voteOf(phase, 1, DIGEST), 3))?.kind, 'messageReceived');
      assert.deepEqual(evidence(), [`${phase} by 3`]);
    });

    it(`FU-08: a late ${phase} is kept unread and read when its sender contradicts it, which proves both`, () => {
      const bench = new IngressBench();
      certify(bench, phase === 'prepare' ? 'prepared' : 'committed');
      const before = bench.checks;
      assert.equal(bench.take(signedBytes(voteOf(phase, 1, DIGEST), 3), 3), undefined);
      assert.deepEqual([bench.rejections.at(-1), bench.checks - before], [`${phase} late of 3`, 0]);
      assert.equal(bench.take(signedBytes(voteOf(phase, 1, OTHER), 3), 3)?.kind, 'evidenceReceived');
      assert.equal(bench.checks - before, 2);
      const { evidence } = bench.core.core.inspect(0);
      assert.deepEqual(
        evidence.map(({ replica, kind, first, second }) => [replica, kind, first.message, second.message]),
        [[3, phase, voteOf(phase, 1, DIGEST), voteOf(phase, 1, OTHER)]],
      );
    });

    it(`BB-03: a late ${phase} in another's name, or with a forged signature, proves nothing and keeps no place`, () => {
      const bench = new IngressBench();
      certify(bench, phase === 'prepare' ? 'prepared' : 'committed');
      const forged = { ...fakeSigned(voteOf(phase, 1, DIGEST), 3), signature: utf8('bad') };
      const forgedBytes = encodePeerMessage({ kind: 'signed', signed: forged });
      bench.take(forgedBytes, 2);
      assert.equal(lateVotesOf(bench.ingress), 0);
      bench.take(forgedBytes, 3);
      assert.equal(lateVotesOf(bench.ingress), 1);
      const before = bench.checks;
      assert.equal(bench.take(signedBytes(voteOf(phase, 1, OTHER), 3), 3)?.kind, 'messageReceived');
      assert.deepEqual([bench.rejections.at(-1), bench.checks - before], [`${phase} signature of 3`, 2]);
      assert.deepEqual([bench.core.core.inspect(0).evidence, lateVotesOf(bench.ingress)], [[], 0]);
      assert.equal(bench.take(signedBytes(voteOf(phase, 1, DIGEST), 3), 3)?.kind, 'messageReceived');
      assert.equal(bench.core.core.inspect(0).evidence.length, 1);
    });
  }

  it('FU-08: nobody’s forged statement keeps the real one out', () => {
    const forgeries: readonly ProtocolMessage[] = [
      viewChangeOf(2),
      voteOf('prepare', 1, DIGEST),
      checkpointOf(4, DIGEST),
    ];
    for (const message of forgeries) {
      const bench = new IngressBench();
      const forged = { ...fakeSigned(message, 3), signature: utf8('bad') };
      assert.equal(bench.take(encodePeerMessage({ kind: 'signed', signed: forged }), 2), undefined);
      assert.equal(bench.take(signedBytes(message, 3), 3)?.kind, 'messageReceived', message.type);
    }
  });

  it('BP-01: two proposals whose time has not come prove the primary faulty like any other', () => {
    const bench = new IngressBench();
    bench.take(earlyProposal(1), 0);
    bench.take(earlyProposal(2), 0);
    const { view: now, evidence } = bench.core.core.inspect(0);
    assert.deepEqual([now, evidence.map(({ kind }) => kind)], [1, ['prePrepare']]);
  });

  it('FU-08: evidence of a kind that is held makes the primary of the present view be left all the same', () => {
    const bench = new IngressBench();
    bench.take(evidenceBytes(proposed(DIGEST), proposed(OTHER)));
    for (const [sender, newView] of [2, 3].flatMap((of) => [[of, 4]] as const)) {
      bench.take(signedBytes(viewChangeOf(newView), sender));
    }
    for (const { viewChange, digest } of bench.core.effects.flatMap((effect) =>
      effect.kind === 'judgeViewChange' ? [effect] : [],
    )) {
      bench.core.step({ kind: 'viewChangeJudged', replica: viewChange.sender, digest, isValid: true });
    }
    assert.equal(bench.core.core.inspect(0).view, 4);
    bench.take(evidenceBytes(proposed(DIGEST, 0, 4), proposed(OTHER, 0, 4)));
    assert.equal(bench.core.core.inspect(0).view, 5);
  });
});
