/** Which ViewChanges are valid, in which order, and at what cost. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Event } from '../../../../src/protocol/events.js';
import { sequence, view } from '../../../../src/protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../../../../src/protocol/messages.js';
import { computeViewChangeDigest } from '../../../../src/protocol/view-change-log.js';
import { ViewChangeJudge } from '../../../../src/runtime/ingress/view-change-judge.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { Digest } from '../../../../src/util/digest.js';
import { CountingVerifier, fakeSigned } from '../../../support/fake-signatures.js';

const BATCH = sha256(utf8('batch'));

function proofAt(at: number) {
  const vote = { view: view(0), sequence: sequence(at), batchDigest: BATCH } as const;
  return {
    prePrepare: fakeSigned({ type: 'prePrepare', ...vote } as const, 0),
    prepares: [1, 2].map((backup) => fakeSigned({ type: 'prepare', ...vote } as const, backup)),
  };
}

/** A ViewChange with that many prepared certificates of three signatures each, above a checkpoint with three. */
function viewChangeOf(sender: number, proofs: number, inView = 1): Verified<Signed<ViewChange>> {
  const message: ViewChange = {
    type: 'viewChange',
    newView: view(inView),
    stableCheckpoint: sequence(4),
    checkpointCertificate: [0, 1, 2].map((id) =>
      fakeSigned({ type: 'checkpoint', sequence: sequence(4), headerDigest: BATCH } as const, id),
    ),
    prepared: Array.from({ length: proofs }, (_, index) => proofAt(5 + index)),
  };
  return fakeSigned(message, sender) as Verified<Signed<ViewChange>>;
}

/** The same with the bytes of one signature in it changed. */
function spoiled(viewChange: Verified<Signed<ViewChange>>, where: 'checkpoint' | 'prePrepare' | 'prepare') {
  const bad = <S extends Signed>(signed: S): S => ({ ...signed, signature: new Uint8Array(32) });
  const { message } = viewChange;
  const { checkpointCertificate, prepared } = message;
  return {
    ...viewChange,
    message: {
      ...message,
      checkpointCertificate: checkpointCertificate.map((one, index) =>
        where === 'checkpoint' && index === 2 ? bad(one) : one,
      ),
      prepared: prepared.map((proof, index) => ({
        prePrepare: where === 'prePrepare' && index === 1 ? bad(proof.prePrepare) : proof.prePrepare,
        prepares: proof.prepares.map((one, at) => (where === 'prepare' && index === 1 && at === 1 ? bad(one) : one)),
      })),
    },
  };
}

class Court {
  private nowMs = 0;
  private deferred: (() => void)[] = [];
  readonly verifier = new CountingVerifier(new Set());
  readonly verdicts: string[] = [];
  readonly dropped = new Set<Digest>();
  readonly judge: ViewChangeJudge;
  /** What one signature costs by the clock of the test. */
  signatureMs = 0;

  constructor(statementsMax = 100) {
    this.judge = new ViewChangeJudge({
      verifier: {
        verifyReplica: (...of) => {
          this.nowMs += this.signatureMs;
          return this.verifier.verifyReplica(...of);
        },
      },
      timers: { elapsedMs: () => this.nowMs, defer: (run) => this.deferred.push(run) },
      statementsMax,
      isHeld: (digest) => !this.dropped.has(digest),
      onJudged: ({ replica, isValid }: Extract<Event, { kind: 'viewChangeJudged' }>) =>
        this.verdicts.push(`${replica} ${isValid ? 'valid' : 'bad'}`),
    });
  }

  submit(viewChange: Verified<Signed<ViewChange>>): Digest {
    const digest = computeViewChangeDigest(viewChange, sha256);
    this.judge.judge(viewChange, digest);
    return digest;
  }

  /** One turn of the loop. */
  turn(): void {
    const due = this.deferred;
    this.deferred = [];
    for (const run of due) {
      run();
    }
  }

  turnUntilIdle(): void {
    while (this.deferred.length > 0) {
      this.turn();
    }
  }
}

describe('the judge of view changes', () => {
  it('finds valid what has only good signatures, and an empty one', () => {
    const court = new Court();
    court.submit(viewChangeOf(1, 4));
    const { message, ...envelope } = viewChangeOf(2, 0);
    court.submit({ ...envelope, message: { ...message, checkpointCertificate: [] } } as Verified<Signed<ViewChange>>);
    assert.deepEqual(court.verdicts, [], 'never within the call');
    court.turnUntilIdle();
    assert.deepEqual(court.verdicts.sort(), ['1 valid', '2 valid']);
  });

  for (const where of ['checkpoint', 'prePrepare', 'prepare'] as const) {
    it(`finds bad what has one bad signature of a ${where}, and voids no other`, () => {
      const court = new Court();
      court.submit(viewChangeOf(2, 3));
      court.submit(spoiled(viewChangeOf(1, 3), where) as Verified<Signed<ViewChange>>);
      court.submit(viewChangeOf(3, 3));
      court.turnUntilIdle();
      assert.deepEqual(court.verdicts.sort(), ['1 bad', '2 valid', '3 valid']);
    });
  }

  it('checks a statement that comes again once, and again where its signature is another', () => {
    const court = new Court();
    court.submit(viewChangeOf(1, 4));
    court.turnUntilIdle();
    assert.equal(court.verifier.replicaChecks, 15);
    court.submit(viewChangeOf(2, 4, 2));
    court.turnUntilIdle();
    assert.equal(court.verifier.replicaChecks, 15);
    court.submit(spoiled(viewChangeOf(3, 4), 'prepare') as Verified<Signed<ViewChange>>);
    court.turnUntilIdle();
    assert.equal(court.verifier.replicaChecks, 16);
    assert.deepEqual(court.verdicts, ['1 valid', '2 valid', '3 bad']);
  });

  it('GR-01 works in slices of about two milliseconds', () => {
    const court = new Court(1_000);
    court.signatureMs = 0.25;
    court.submit(viewChangeOf(1, 60));
    court.turn();
    const inOneSlice = court.verifier.replicaChecks;
    assert.ok(inOneSlice >= 8 && inOneSlice <= 24, `${inOneSlice}`);
    court.turnUntilIdle();
    assert.deepEqual(court.verdicts, ['1 valid']);
  });

  it('lets the senders take turns: a long one holds up nobody', () => {
    const court = new Court(1_000);
    court.signatureMs = 0.25;
    court.submit(viewChangeOf(1, 200));
    court.submit(viewChangeOf(2, 1));
    for (let turn = 0; turn < 4; turn++) {
      court.turn();
    }
    assert.deepEqual(court.verdicts, ['2 valid']);
    court.turnUntilIdle();
    assert.deepEqual(court.verdicts, ['2 valid', '1 valid']);
  });

  it('GR-01 drops what the core let go of, so that a sender of many fills no queue', () => {
    const court = new Court();
    for (let inView = 1; inView <= 50; inView++) {
      const digest = court.submit(viewChangeOf(1, 2, inView));
      if (inView < 50) {
        court.dropped.add(digest);
      }
    }
    court.turnUntilIdle();
    assert.deepEqual(court.verdicts, ['1 valid']);
  });

  it('GR-01 ends what it began, so that nobody hides a bad one by sending the next', () => {
    const court = new Court(1_000);
    court.signatureMs = 0.25;
    const long = viewChangeOf(1, 60);
    const first = court.submit({
      ...long,
      message: { ...long.message, prepared: [...long.message.prepared, ...spoiled(long, 'prepare').message.prepared] },
    });
    court.turn();
    court.dropped.add(first);
    court.submit(viewChangeOf(1, 2, 2));
    court.turnUntilIdle();
    assert.deepEqual(court.verdicts, ['1 bad', '1 valid']);
  });

  it('judges nothing after it was stopped', () => {
    const court = new Court();
    court.submit(viewChangeOf(1, 2));
    court.judge.stop();
    court.turnUntilIdle();
    assert.deepEqual([court.verdicts, court.verifier.replicaChecks], [[], 0]);
  });
});
