/** Who is asked for what, and what happens to answers. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { type ReplicaId, replicaId, sequence } from '../../../../src/protocol/identifiers.js';
import { Asker } from '../../../../src/runtime/catch-up/asker.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { FetchAnswer, FetchWhat } from '../../../../src/wire/peer-message.js';
import { FakeMetrics, FakeTimers } from '../fakes.js';

const DIGEST = sha256(utf8('digest'));
const NOT_FOUND = { kind: 'notFound' } as const;

function batchAt(at: number): FetchWhat {
  return { kind: 'batch', sequence: sequence(at), batchDigest: DIGEST };
}

function answerOf(byte: number): FetchAnswer {
  return { kind: 'batch', batchBytes: Uint8Array.of(byte) };
}

class Asked {
  readonly timers = new FakeTimers();
  readonly metrics = new FakeMetrics();
  readonly sent: { readonly peer: ReplicaId; readonly id: number; readonly what: FetchWhat }[] = [];
  connected: readonly number[] = [1, 2, 3];
  readonly accepted: string[] = [];
  readonly asker = new Asker({
    timers: this.timers,
    metrics: this.metrics,
    connectedPeers: () => this.connected.map(replicaId),
    send: (peer, id, what) => this.sent.push({ peer, id, what }),
  });

  /** Takes the answer with byte 1. */
  ask(what: FetchWhat, name: string) {
    return this.asker.ask(what, (answer, peer) => {
      const isRight = answer.kind === 'batch' && answer.batchBytes[0] === 1;
      this.accepted.push(...(isRight ? [`${name} of ${peer}`] : []));
      return isRight;
    });
  }

  answerLast(answer: FetchAnswer): void {
    const last = this.sent.at(-1);
    assert.ok(last !== undefined);
    this.asker.onAnswer(last.peer, last.id, answer);
  }

  get unanswered(): readonly number[] {
    return this.sent.map(({ peer }) => Number(peer)).sort();
  }
}

describe('the asker', () => {
  it('asks one peer after the other until one gives a right answer', () => {
    const asked = new Asked();
    asked.ask(batchAt(1), 'one');
    asked.answerLast(NOT_FOUND);
    asked.answerLast(answerOf(7));
    asked.answerLast(answerOf(1));
    assert.deepEqual(asked.unanswered, [1, 2, 3]);
    assert.equal(asked.accepted.length, 1);
    assert.equal(asked.timers.running, 0);
    const counts = ['not_found', 'wrong', 'ok'].map((result) =>
      asked.metrics.counts.get(`pbft_fetches_total batch ${result}`),
    );
    assert.deepEqual(counts, [1, 1, 1]);
  });

  it('goes on after a silence, pauses longer and longer after all were tried, and begins again', () => {
    const asked = new Asked();
    asked.ask(batchAt(1), 'one');
    asked.timers.advance(2_000);
    asked.timers.advance(2_000);
    assert.equal(asked.sent.length, 3);
    asked.timers.advance(2_249);
    assert.equal(asked.sent.length, 3);
    asked.timers.advance(1);
    assert.equal(asked.sent.length, 4);
    asked.connected = [];
    asked.timers.advance(2_000 + 500);
    assert.equal(asked.sent.length, 4);
    asked.connected = [1];
    asked.timers.advance(10_000);
    assert.ok(asked.sent.length > 4);
  });

  it('takes no answer of a peer that was not asked, nor one to nothing', () => {
    const asked = new Asked();
    asked.ask(batchAt(1), 'one');
    const [first] = asked.sent;
    assert.ok(first !== undefined);
    asked.asker.onAnswer(replicaId((first.peer % 3) + 1), first.id, answerOf(1));
    asked.asker.onAnswer(first.peer, first.id + 1, answerOf(1));
    assert.deepEqual([asked.accepted, asked.sent.length], [[], 1]);
  });

  it('puts no more to a peer than it serves at a time, and the others when it has answered', () => {
    const asked = new Asked();
    for (let at = 1; at <= 256; at++) {
      asked.ask(batchAt(at), `${at}`);
    }
    assert.deepEqual(asked.unanswered, [1, 1, 2, 2, 3, 3]);
    for (let answered = 0; answered < asked.sent.length; answered++) {
      const question = asked.sent[answered];
      assert.ok(question !== undefined);
      asked.asker.onAnswer(question.peer, question.id, answerOf(1));
      assert.ok(asked.sent.length - answered - 1 <= 6);
    }
    assert.equal(asked.accepted.length, 256);
    assert.deepEqual([asked.sent.length, asked.timers.running], [256, 0]);
  });

  it('asks others of what a silent peer holds up', () => {
    const asked = new Asked();
    for (let at = 1; at <= 20; at++) {
      asked.ask(batchAt(at), `${at}`);
    }
    for (let answered = 0; asked.accepted.length < 20 && answered < 1_000; answered++) {
      const question = asked.sent[answered];
      if (question === undefined) {
        asked.timers.advance(2_000);
        answered--;
      } else if (question.peer !== 1) {
        asked.asker.onAnswer(question.peer, question.id, answerOf(1));
      }
    }
    assert.equal(new Set(asked.accepted).size, 20);
    assert.ok(asked.timers.nowMs <= 1_000 + 2_000);
  });

  it('puts view changes before all that waits', () => {
    const asked = new Asked();
    for (let at = 1; at <= 10; at++) {
      asked.ask(batchAt(at), `${at}`);
    }
    asked.ask({ kind: 'viewChange', replica: replicaId(2), digest: DIGEST }, 'view change');
    asked.answerLast(answerOf(1));
    assert.equal(asked.sent.at(-1)?.what.kind, 'viewChange');
  });

  it('asks nobody any more for what was cancelled, waiting or not, or after it was stopped', () => {
    const asked = new Asked();
    const questions = Array.from({ length: 8 }, (_, index) => asked.ask(batchAt(1 + index), `${index}`));
    questions[7]?.cancel();
    questions[0]?.cancel();
    assert.equal(asked.sent.length, 7);
    questions[0]?.cancel();
    assert.equal(asked.sent.length, 7);
    asked.asker.stop();
    asked.timers.advance(60_000);
    assert.deepEqual([asked.sent.length, asked.timers.running], [7, 0]);
  });

  it('lets an answer ask the next question', () => {
    const asked = new Asked();
    asked.connected = [1];
    asked.ask(batchAt(1), 'one');
    asked.asker.ask(batchAt(2), () => {
      asked.ask(batchAt(3), 'three');
      return true;
    });
    asked.answerLast(answerOf(1));
    asked.answerLast(answerOf(1));
    assert.deepEqual(asked.accepted, ['three of 1']);
  });
});
