/** How batches and view changes that the core lacks get here. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Event } from '../../../../src/protocol/events.js';
import { type ReplicaId, replicaId, sequence, view } from '../../../../src/protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../../../../src/protocol/messages.js';
import { computeViewChangeDigest } from '../../../../src/protocol/view-change-log.js';
import { Fetcher } from '../../../../src/runtime/catch-up/fetcher.js';
import type { BatchBody } from '../../../../src/runtime/execution/batch-bodies.js';
import { equalBytes, utf8 } from '../../../../src/util/bytes.js';
import type { FetchAnswer, FetchWhat } from '../../../../src/wire/peer-message.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { bodyOf, FakeMetrics, FakeTimers, LIMITS, requestOf } from '../fakes.js';

const BODY = bodyOf(1_000, [requestOf({ number: 1, operations: [utf8('put')] })]);
const WANTED = { kind: 'batch', sequence: sequence(5), digest: BODY.batch.digest } as const;

function viewChangeOf(sender: number, inView: number): Signed<ViewChange> {
  const message = { type: 'viewChange', newView: view(inView), stableCheckpoint: sequence(0) } as const;
  return fakeSigned({ ...message, checkpointCertificate: [], prepared: [] }, sender);
}

function targetOf(viewChange: Signed<ViewChange>) {
  const digest = computeViewChangeDigest(viewChange, sha256);
  return { kind: 'viewChange', replica: viewChange.sender, digest, view: viewChange.message.newView } as const;
}

function answerOf({ sender, payload, signature }: Signed<ViewChange>): FetchAnswer {
  const envelope = { type: 'viewChange', sender: { kind: 'replica', replica: sender }, payload, signature } as const;
  return { kind: 'viewChange', viewChange: envelope };
}

class Bench {
  readonly events: Event[] = [];
  readonly sent: { readonly peer: ReplicaId; readonly id: number; readonly what: FetchWhat }[] = [];
  readonly kept: string[] = [];
  readonly unasked: ReplicaId[] = [];
  readonly timers = new FakeTimers();
  stored: BatchBody | undefined;
  /** What verifyViewChange knows to be good. */
  readonly genuine: Signed<ViewChange>[] = [];
  readonly fetcher = new Fetcher({
    timers: this.timers,
    metrics: new FakeMetrics(),
    connectedPeers: () => [1, 2, 3].map(replicaId),
    send: (peer, id, what) => this.sent.push({ peer, id, what }),
    limits: LIMITS,
    hash: sha256,
    quorum: 3,
    verifyCheckpoints: () => undefined,
    verifyViewChange: ({ signature }) =>
      this.genuine.find((one) => equalBytes(one.signature, signature)) as Verified<Signed<ViewChange>> | undefined,
    keepBatch: ({ digest }) => this.kept.push(digest),
    loadBatch: (_sequence, _digest, done) => done({ ok: true, value: this.stored }),
    onUnasked: (peer) => this.unasked.push(peer),
    onEvent: (event) => this.events.push(event),
  });

  answer(answer: FetchAnswer, which = this.sent.length - 1): void {
    const question = this.sent[which];
    assert.ok(question !== undefined);
    this.fetcher.onAnswer(question.peer, question.id, answer);
  }
}

describe('the fetcher', () => {
  it('asks nobody for a batch that the own store has', () => {
    const bench = new Bench();
    bench.stored = BODY;
    bench.fetcher.fetch(WANTED);
    assert.deepEqual(bench.events, [{ kind: 'batchFetched', sequence: 5, batch: BODY.batch }]);
    assert.deepEqual(bench.sent, []);
  });

  it('asks peers for a batch that it lacks, once, and takes the one with that digest only', () => {
    const bench = new Bench();
    bench.fetcher.fetch(WANTED);
    bench.fetcher.fetch(WANTED);
    assert.equal(bench.sent.length, 1);
    const other = bodyOf(2_000, BODY.requests).batch;
    bench.answer({ kind: 'batch', batchBytes: other.bytes });
    assert.deepEqual([bench.events, bench.kept], [[], []]);
    bench.answer({ kind: 'batch', batchBytes: BODY.batch.bytes });
    assert.deepEqual(bench.events, [{ kind: 'batchFetched', sequence: 5, batch: BODY.batch }]);
    assert.deepEqual([bench.kept, bench.timers.running], [[BODY.batch.digest], 0]);
  });

  it('FU-08: takes no answer of a peer that was not asked, and says whose it is', () => {
    const bench = new Bench();
    bench.fetcher.fetch(WANTED);
    const [asked] = bench.sent;
    assert.ok(asked !== undefined);
    const other = replicaId(3);
    assert.notEqual(asked.peer, other);
    assert.equal(bench.fetcher.onAnswer(other, asked.id, { kind: 'notFound' }), false);
    assert.equal(bench.fetcher.onAnswer(asked.peer, asked.id + 1, { kind: 'notFound' }), false);
    assert.deepEqual(bench.unasked, [other, asked.peer]);
    assert.equal(bench.fetcher.onAnswer(asked.peer, asked.id, { kind: 'notFound' }), true);
    assert.deepEqual(bench.unasked, [other, asked.peer]);
  });

  it('takes a view change by its digest and its own signature, whoever answers', () => {
    const bench = new Bench();
    const [wanted, other] = [viewChangeOf(3, 2), viewChangeOf(3, 4)];
    bench.genuine.push(other);
    bench.fetcher.fetch(targetOf(wanted));
    bench.fetcher.fetch(targetOf(wanted));
    assert.deepEqual(
      bench.sent.map(({ what }) => what),
      [{ kind: 'viewChange', replica: 3, digest: targetOf(wanted).digest }],
    );
    bench.answer(answerOf(other));
    bench.answer(answerOf(wanted));
    assert.deepEqual(bench.events, [], 'one is another, one has a bad signature');
    bench.genuine.push(wanted);
    bench.answer(answerOf(wanted));
    assert.deepEqual(bench.events, [{ kind: 'messageReceived', message: wanted }]);
    assert.equal(bench.timers.running, 0);
  });

  it('gives up the view changes of older views when one of a later view is wanted', () => {
    const bench = new Bench();
    const [older, later] = [viewChangeOf(3, 2), viewChangeOf(3, 4)];
    bench.genuine.push(older, later);
    bench.fetcher.fetch(targetOf(older));
    bench.fetcher.fetch(targetOf(later));
    bench.answer(answerOf(older), 0);
    assert.deepEqual(bench.events, []);
    bench.answer(answerOf(later), 1);
    assert.equal(bench.events.length, 1);
  });

  it('gives up what the NewView of a view named that was left, or is entered', () => {
    for (const [inView, active] of [
      [3, false],
      [2, true],
    ] as const) {
      const bench = new Bench();
      bench.fetcher.fetch(targetOf(viewChangeOf(3, 2)));
      const turn = { view: view(2), active: false, lowWatermark: sequence(0) };
      bench.fetcher.onTurn(turn);
      assert.equal(bench.timers.running, 1);
      bench.fetcher.onTurn({ ...turn, view: view(inView), active });
      assert.equal(bench.timers.running, 0);
    }
  });

  it('asks for one batch a sequence, the one that was wanted last', () => {
    const bench = new Bench();
    const other = bodyOf(2_000, BODY.requests).batch;
    bench.fetcher.fetch(WANTED);
    bench.fetcher.fetch({ ...WANTED, digest: other.digest });
    assert.equal(bench.timers.running, 1);
    bench.answer({ kind: 'batch', batchBytes: BODY.batch.bytes }, 0);
    assert.deepEqual(bench.events, []);
    bench.answer({ kind: 'batch', batchBytes: other.bytes }, 1);
    assert.deepEqual(bench.events, [{ kind: 'batchFetched', sequence: 5, batch: other }]);
    assert.deepEqual([bench.fetcher['batches'].size, bench.timers.running], [0, 0]);
  });

  it('asks for no batch up to h, which comes as ledger', () => {
    const bench = new Bench();
    bench.fetcher.fetch(WANTED);
    const turn = { view: view(0), active: true, lowWatermark: sequence(4) };
    bench.fetcher.onTurn(turn);
    assert.equal(bench.fetcher['batches'].size, 1);
    bench.fetcher.onTurn({ ...turn, lowWatermark: sequence(5) });
    assert.deepEqual([bench.fetcher['batches'].size, bench.timers.running], [0, 0]);
  });

  it('asks for nothing any more that was executed meanwhile, or after it stopped', () => {
    const bench = new Bench();
    bench.fetcher.fetch(WANTED);
    bench.fetcher.onExecuted(sequence(4));
    assert.equal(bench.timers.running, 1);
    bench.fetcher.onExecuted(sequence(5));
    assert.equal(bench.timers.running, 0);
    bench.fetcher.fetch(targetOf(viewChangeOf(3, 2)));
    bench.fetcher.stop();
    assert.equal(bench.timers.running, 0);
  });
});
