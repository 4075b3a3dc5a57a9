/** View changes, new views and evidence at the edge: what is checked before the core sees them, and what it signs. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Event } from '../../../../src/protocol/events.js';
import { replicaId, view } from '../../../../src/protocol/identifiers.js';
import type { NewView, PrePrepare, Signed, ViewChange } from '../../../../src/protocol/messages.js';
import { Egress } from '../../../../src/runtime/egress/egress.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { encodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { fakeSignature, fakeSigned } from '../../../support/fake-signatures.js';
import { IngressBench } from '../../../support/ingress-bench.js';
import { voteOf } from '../../../support/peer-messages.js';

const DIGEST = sha256(utf8('a batch'));
const OTHER = sha256(utf8('another batch'));

const VIEW_CHANGE: ViewChange = {
  type: 'viewChange',
  newView: view(2),
  stableCheckpoint: 0 as ViewChange['stableCheckpoint'],
  checkpointCertificate: [],
  prepared: [
    {
      prePrepare: { ...fakeSigned(voteOf('prePrepare', 1, DIGEST), 0), signature: utf8('bad') },
      prepares: [2, 3].map((sender) => fakeSigned(voteOf('prepare', 1, DIGEST), sender)),
    },
  ],
};

function newViewOf(prePrepares: readonly Signed<PrePrepare>[]): NewView {
  const viewChanges = [0, 2, 3].map((replica) => ({ replica: replicaId(replica), digest: DIGEST }));
  return { type: 'newView', newView: view(2), viewChanges, prePrepares };
}

const proposed = (at: number, digest = DIGEST) => fakeSigned(voteOf('prePrepare', at, digest, 2), 2);
const bytesOf = (signed: Signed) => encodePeerMessage({ kind: 'signed', signed });

describe('a view change at the edge', () => {
  it('costs one signature: those in it are judged when they matter', () => {
    const bench = new IngressBench();
    const event = bench.judge(bytesOf(fakeSigned(VIEW_CHANGE, 3)), 2);
    assert.ok(event?.kind === 'messageReceived');
    assert.deepEqual([event.message.sender, event.message.message.type], [3, 'viewChange']);
    assert.deepEqual([bench.rejections, bench.checks], [[], 1]);
  });

  it('is refused with a bad signature of its own, and unseen where the core has no use for it', () => {
    const bench = new IngressBench();
    bench.judge(bytesOf({ ...fakeSigned(VIEW_CHANGE, 3), signature: utf8('bad') }));
    assert.deepEqual([bench.rejections, bench.checks], [['viewChange signature of 2'], 1]);
    bench.take(bytesOf(fakeSigned({ ...VIEW_CHANGE, newView: view(4) }, 3)));
    const checks = bench.checks;
    assert.equal(bench.judge(bytesOf(fakeSigned(VIEW_CHANGE, 3))), undefined);
    assert.deepEqual([bench.rejections.at(-1), bench.checks], ['viewChange stale of 2', checks]);
  });

  it('is taken as an answer to a fetch only with a good signature', () => {
    const { ingress } = new IngressBench();
    const { message, sender, payload, signature } = fakeSigned(VIEW_CHANGE, 3);
    const envelope = { type: message.type, sender: { kind: 'replica', replica: sender }, payload, signature } as const;
    assert.deepEqual(ingress.verifyViewChange(envelope)?.message, message);
    assert.equal(ingress.verifyViewChange({ ...envelope, signature: utf8('bad') }), undefined);
    assert.equal(ingress.verifyViewChange({ ...envelope, type: 'newView' }), undefined);
    assert.equal(ingress.verifyViewChange({ ...envelope, payload: utf8('x') }), undefined);
  });
});

describe('a new view at the edge', () => {
  it('is taken when its own signature and those of its pre-prepares are good', () => {
    const bench = new IngressBench();
    const event = bench.judge(bytesOf(fakeSigned(newViewOf([proposed(1), proposed(2)]), 2)), 3);
    assert.ok(event?.kind === 'messageReceived' && event.message.message.type === 'newView');
    assert.deepEqual([bench.rejections, bench.checks], [[], 3]);
  });

  it('is refused with one bad signature of a pre-prepare', () => {
    const bench = new IngressBench();
    const bad = { ...proposed(2), signature: utf8('bad') };
    assert.equal(bench.judge(bytesOf(fakeSigned(newViewOf([proposed(1), bad]), 2))), undefined);
    assert.deepEqual(bench.rejections, ['newView signature of 2']);
  });

  it('of a replica that is not its primary costs no signature', () => {
    const bench = new IngressBench();
    assert.equal(bench.judge(bytesOf(fakeSigned(newViewOf([proposed(1)]), 3))), undefined);
    assert.deepEqual([bench.rejections, bench.checks], [['newView notPrimary of 2'], 0]);
  });
});

describe('evidence at the edge', () => {
  const evidence = (first: Signed, second: Signed) => encodePeerMessage({ kind: 'evidence', first, second });

  it('is handed over when both signatures are good', () => {
    const bench = new IngressBench();
    const event = bench.judge(evidence(proposed(1), proposed(1, OTHER)), 3);
    assert.ok(event?.kind === 'evidenceReceived');
    assert.deepEqual([event.first.sender, event.second.sender, event.from], [2, 2, 3]);
    assert.deepEqual([bench.rejections, bench.checks], [[], 2]);
  });

  it('accuses nobody whose signature is not on both', () => {
    for (const spoil of ['first', 'second'] as const) {
      const bench = new IngressBench();
      const spoiled = (signed: Signed): Signed => ({ ...signed, signature: utf8('bad') });
      const [first, second] = [proposed(1), proposed(1, OTHER)];
      const bytes = spoil === 'first' ? evidence(spoiled(first), second) : evidence(first, spoiled(second));
      assert.equal(bench.judge(bytes), undefined);
      assert.deepEqual(bench.rejections, ['evidence signature of 2']);
    }
  });

  it('costs no signature where it is of two replicas, or one statement twice', () => {
    const bench = new IngressBench();
    const byAnother = fakeSigned(voteOf('prePrepare', 1, OTHER, 2), 3);
    const signedAgain = { ...proposed(1), signature: utf8('again') };
    assert.equal(bench.judge(evidence(proposed(1), byAnother)), undefined);
    assert.equal(bench.judge(evidence(proposed(1), signedAgain)), undefined);
    assert.deepEqual(bench.rejections, ['evidence noContradiction of 2', 'evidence noContradiction of 2']);
    assert.equal(bench.checks, 0);
  });
});

describe('what is signed for a view change', () => {
  class SigningBench {
    readonly events: Event[] = [];
    readonly sent: Uint8Array[] = [];
    readonly signing: (() => void)[] = [];
    readonly egress = new Egress({
      replica: replicaId(2),
      peers: [replicaId(0)],
      signer: { sign: (type, payload, done) => this.signing.push(() => done(fakeSignature(type, 2, payload))) },
      transport: { send: (_to, message) => this.sent.push(message) > 0 },
      afterDurable: (run) => run(),
      loadBatch: () => assert.fail('no batch is needed'),
      onSigned: (event) => this.events.push(event),
      onFatal: (reason) => assert.fail(reason),
    });
  }

  it('comes back and goes nowhere: it is sent when the core has made it durable', () => {
    for (const message of [VIEW_CHANGE, newViewOf([])]) {
      const bench = new SigningBench();
      bench.egress.sign(message);
      assert.deepEqual(bench.events, []);
      for (const done of bench.signing) {
        done();
      }
      assert.deepEqual(bench.events, [{ kind: 'messageSigned', message: fakeSigned(message, 2) }]);
      assert.deepEqual(bench.sent, []);
    }
  });

  it('comes back in the order that was asked for, all together, whichever signature is made first', () => {
    const bench = new SigningBench();
    const messages = [3, 1, 2].map((at) => voteOf('prePrepare', at, DIGEST, 2));
    bench.egress.signPrePrepares(view(2), messages);
    for (const done of bench.signing.toReversed()) {
      assert.deepEqual(bench.events, []);
      done();
    }
    const prePrepares = messages.map((message) => fakeSigned(message, 2));
    assert.deepEqual(bench.events, [{ kind: 'prePreparesSigned', view: 2, prePrepares }]);
    assert.deepEqual(bench.sent, []);
  });

  it('comes back too where there is nothing to propose again', () => {
    const bench = new SigningBench();
    bench.egress.signPrePrepares(view(2), []);
    assert.deepEqual(bench.events, [{ kind: 'prePreparesSigned', view: 2, prePrepares: [] }]);
  });
});
