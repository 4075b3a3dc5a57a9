/** What a peer gets of the store, and how much of it. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Header } from '../../../../src/ledger/header.js';
import { encodeHeader } from '../../../../src/ledger/header-codec.js';
import type { StoreError } from '../../../../src/ports/key-value-store.js';
import type { ReplicaStore } from '../../../../src/ports/replica-store.js';
import { replicaId, sequence } from '../../../../src/protocol/identifiers.js';
import { FetchServer } from '../../../../src/runtime/catch-up/fetch-server.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { Result } from '../../../../src/util/result.js';
import { decodePeerMessage } from '../../../../src/wire/peer-codec.js';
import type { FetchWhat } from '../../../../src/wire/peer-message.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { checkpointOf } from '../../../support/peer-messages.js';
import { FakeTimers, LIMITS } from '../fakes.js';

const DIGEST = sha256(utf8('a batch'));
const MIB = 1_048_576;
const CERTIFICATE = { checkpoints: [0, 1, 3].map((sender) => fakeSigned(checkpointOf(128, DIGEST), sender)) };

function header(at: number): Header {
  return {
    sequence: at,
    previousHeaderDigest: DIGEST,
    batchDigest: DIGEST,
    resultsRoot: DIGEST,
    writesDigest: DIGEST,
    timestampMs: at,
  };
}

/** A server over a store whose reads complete when the test says so. */
class Bench {
  readonly timers = new FakeTimers();
  readonly refused: string[] = [];
  readonly failures: string[] = [];
  readonly sent: { readonly to: number; readonly message: Uint8Array }[] = [];
  readonly reads: string[] = [];
  private readonly due: (() => void)[] = [];
  failure: StoreError | undefined;
  lastExecuted = 1_000;
  batchBytes: Uint8Array | undefined = utf8('batch');
  roomBytes = 1_000;
  headerCount = 2;
  readonly server = new FetchServer({
    store: this.store(),
    timers: this.timers,
    checkpointInterval: LIMITS.checkpointInterval,
    lastExecuted: () => sequence(this.lastExecuted),
    findViewChange: () => undefined,
    answerBytesMax: 1_000,
    roomBytes: () => this.roomBytes,
    send: (to, message) => this.sent.push({ to, message }),
    onRefused: (peer, reason) => this.refused.push(`${reason} of ${peer}`),
    onStoreFailed: (message) => this.failures.push(message),
  });

  private store(): ReplicaStore {
    const later =
      (name: string, make: () => unknown) =>
      (...parameters: unknown[]) => {
        const done = parameters.pop() as (result: Result<unknown, StoreError>) => void;
        this.reads.push(`${name} ${JSON.stringify(parameters)}`);
        const { failure } = this;
        this.due.push(() => done(failure === undefined ? { ok: true, value: make() } : { ok: false, error: failure }));
      };
    const store: Partial<Record<keyof ReplicaStore, unknown>> = {
      readBatch: later('batch', () => this.batchBytes),
      readCheckpointCertificate: later('certificate', () => CERTIFICATE),
      readHeaders: later('headers', () => Array.from({ length: this.headerCount }, (_, index) => header(index + 1))),
      readLedger: later('ledger', () => [{ header: header(1), batchBytes: utf8('batch') }]),
    };
    return store as ReplicaStore;
  }

  ask(what: FetchWhat, peer = 2, id = 7): void {
    this.server.serve(replicaId(peer), id, what);
  }

  complete(): void {
    for (const done of this.due.splice(0)) {
      done();
    }
  }

  /** The only answer. */
  get answer() {
    const [{ to, message } = assert.fail('nothing was sent'), ...others] = this.sent;
    assert.deepEqual([to, others], [2, []]);
    const decoded = decodePeerMessage(message, LIMITS);
    assert.ok(decoded.ok && decoded.value.kind === 'fetchAnswer' && decoded.value.id === 7);
    return decoded.value.answer;
  }
}

const BATCH: FetchWhat = { kind: 'batch', sequence: sequence(5), batchDigest: DIGEST };

function ledger(first: number, last: number, headersOnly = false): FetchWhat {
  return { kind: 'ledger', first: sequence(first), last: sequence(last), headersOnly };
}

describe('serving fetches', () => {
  it('answers with the batch', () => {
    const bench = new Bench();
    bench.ask(BATCH);
    bench.complete();
    assert.ok(bench.answer.kind === 'batch');
    assert.deepEqual(Buffer.from(bench.answer.batchBytes), Buffer.from('batch'));
    assert.deepEqual(bench.reads, [`batch ${JSON.stringify([5, DIGEST])}`]);
  });

  it('says that it doesn’t have it', () => {
    const bench = new Bench();
    bench.batchBytes = undefined;
    bench.ask(BATCH);
    bench.complete();
    assert.equal(bench.answer.kind, 'notFound');
  });

  it('answers with a checkpoint certificate', () => {
    const bench = new Bench();
    bench.ask({ kind: 'checkpointCertificate', sequence: sequence(100) });
    bench.complete();
    assert.ok(bench.answer.kind === 'checkpointCertificate');
    assert.equal(bench.answer.checkpoints.length, 3);
  });

  it('answers with headers alone, all that were asked for', () => {
    const bench = new Bench();
    bench.ask(ledger(1, 2, true));
    bench.complete();
    const { answer } = bench;
    assert.ok(answer.kind === 'ledger');
    assert.deepEqual(
      answer.entries.map(({ headerBytes, batchBytes }) => [
        Buffer.from(headerBytes).toString('hex'),
        batchBytes.length,
      ]),
      [1, 2].map((at) => [Buffer.from(encodeHeader(header(at))).toString('hex'), 0]),
    );
  });

  it('answers with as much of the ledger as one answer may hold', () => {
    const bench = new Bench();
    bench.ask(ledger(1, 200));
    bench.complete();
    assert.equal(bench.answer.kind, 'ledger');
    assert.deepEqual(bench.reads, [`ledger ${JSON.stringify([{ first: 1, last: 200, bytesMax: 1_000 }])}`]);
  });

  it('says that it doesn’t have what it has not executed, and reads nothing: a peer can’t make it look damaged', () => {
    for (const headersOnly of [false, true]) {
      const bench = new Bench();
      bench.lastExecuted = 199;
      bench.ask(ledger(151, 200, headersOnly));
      assert.equal(bench.answer.kind, 'notFound');
      assert.deepEqual([bench.reads, bench.failures], [[], []]);
    }
  });

  it('serves ranges of up to two checkpoint intervals and reads nothing of longer ones', () => {
    const bench = new Bench();
    bench.ask(ledger(1, 256));
    bench.ask(ledger(1, 257));
    assert.deepEqual([bench.reads.length, bench.refused], [1, ['malformed of 2']]);
  });

  it('serves a peer two questions at a time, and the others meanwhile', () => {
    const bench = new Bench();
    for (const peer of [2, 2, 2, 3]) {
      bench.ask(BATCH, peer);
    }
    assert.deepEqual([bench.reads.length, bench.refused], [3, ['quota of 2']]);
    bench.complete();
    bench.ask(BATCH);
    assert.equal(bench.reads.length, 4);
  });

  it('lets a peer wait who has used up what it may cost, by what it was sent, and no other', () => {
    const bench = new Bench();
    bench.batchBytes = new Uint8Array(48 * MIB);
    bench.ask(BATCH);
    bench.complete();
    bench.ask(BATCH);
    bench.ask(BATCH, 3);
    assert.deepEqual([bench.reads.length, bench.refused], [2, []]);
    bench.timers.advance(600);
    assert.equal(bench.reads.length, 2);
    bench.timers.advance(100);
    assert.equal(bench.reads.length, 3);
  });

  for (const { headers, readsMax } of [
    { headers: 2, readsMax: 580 },
    { headers: 256, readsMax: 16 },
  ]) {
    it(`FU-09: makes, in a second of ten thousand questions for ${headers} headers, at most ${readsMax} reads for their peer`, () => {
      const bench = new Bench();
      bench.headerCount = headers;
      for (let ms = 0; ms < 1_000; ms++) {
        for (let question = 0; question < 10; question++) {
          bench.ask(ledger(1, headers, true));
        }
        bench.complete();
        bench.timers.advance(1);
      }
      const { length } = bench.reads;
      assert.ok(length > readsMax / 2 && length <= readsMax, `${length} reads`);
      assert.ok(bench.refused.length > 9_000, `${bench.refused.length} refused`);
    });
  }

  it('saves up no more than a second’s worth', () => {
    const bench = new Bench();
    bench.batchBytes = new Uint8Array(32 * MIB);
    bench.ask(BATCH);
    bench.complete();
    bench.timers.advance(60_000);
    bench.ask(BATCH);
    bench.complete();
    bench.ask(BATCH);
    assert.deepEqual([bench.reads.length, bench.refused], [2, []]);
    bench.server.stop();
    bench.timers.advance(60_000);
    assert.equal(bench.reads.length, 2);
  });

  it('GR-04: reads nothing for a peer whose link has no room for an answer, until it has', () => {
    const bench = new Bench();
    bench.roomBytes = 999;
    for (let index = 0; index < 1_000; index++) {
      bench.ask(ledger(1, 256));
      bench.ask(BATCH);
    }
    assert.deepEqual([bench.reads, bench.sent, bench.refused.length], [[], [], 2_000]);
    bench.roomBytes = 1_000;
    bench.ask(BATCH);
    assert.equal(bench.reads.length, 1);
  });

  it('says that the store failed, and answers nothing', () => {
    const bench = new Bench();
    bench.failure = { code: 'corrupt', message: 'a checksum is wrong' };
    bench.ask(BATCH);
    bench.complete();
    assert.deepEqual([bench.failures, bench.sent], [['a checksum is wrong'], []]);
  });
});
