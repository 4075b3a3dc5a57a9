/** Fetching the ledger: what is handed over is what a quorum's checkpoint names, whatever a source answers. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Header } from '../../../../src/ledger/header.js';
import { computeHeaderDigest, encodeHeader } from '../../../../src/ledger/header-codec.js';
import type { FetchedEntry } from '../../../../src/protocol/events.js';
import { replicaId, type Sequence, sequence } from '../../../../src/protocol/identifiers.js';
import type { Accept } from '../../../../src/runtime/catch-up/asker.js';
import { LedgerFetch } from '../../../../src/runtime/catch-up/ledger-fetch.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { EncodedLedgerEntry, FetchAnswer, FetchWhat } from '../../../../src/wire/peer-message.js';
import { verified } from '../../../support/core-cluster.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { batchOfRequests, checkpointOf, signedRequest } from '../../../support/peer-messages.js';
import { LIMITS } from '../fakes.js';

const INTERVAL = 4;
const GENESIS = sha256(utf8('genesis'));

/** A ledger of so many batches, as any correct replica has it. */
class Ledger {
  readonly headers: Header[] = [];
  readonly batches: Uint8Array[] = [];
  readonly digests = [GENESIS];

  constructor(length: number) {
    for (let at = 1; at <= length; at++) {
      const batch = batchOfRequests([signedRequest(at)]);
      const header: Header = {
        sequence: at,
        previousHeaderDigest: this.digestAt(at - 1),
        batchDigest: batch.digest,
        resultsRoot: sha256(utf8(`results ${at}`)),
        writesDigest: sha256(utf8(`writes ${at}`)),
        timestampMs: at,
      };
      this.headers.push(header);
      this.batches.push(batch.bytes);
      this.digests.push(computeHeaderDigest(header, sha256));
    }
  }

  digestAt(at: number) {
    return this.digests[at] ?? assert.fail(`no sequence ${at}`);
  }

  entries(first: number, last: number, headersOnly: boolean): EncodedLedgerEntry[] {
    return Array.from({ length: last - first + 1 }, (_, index) => ({
      headerBytes: encodeHeader(this.headers[first - 1 + index] ?? assert.fail('no such header')),
      batchBytes: headersOnly ? new Uint8Array() : (this.batches[first - 1 + index] ?? assert.fail('no such batch')),
    }));
  }
}

const LEDGER = new Ledger(40);

/** A fetch whose questions the test answers. */
class Bench {
  readonly handed: FetchedEntry[] = [];
  readonly certified: number[] = [];
  readonly kept: string[] = [];
  readonly asked: string[] = [];
  question: { readonly what: FetchWhat; readonly accept: Accept } | undefined;
  canVerify = true;
  readonly fetch = new LedgerFetch({
    asker: {
      ask: (what: FetchWhat, accept: Accept) => {
        assert.equal(this.question, undefined, 'one question at a time');
        const question = { what, accept };
        this.question = question;
        this.asked.push(nameOf(what));
        return {
          cancel: () => {
            this.question = undefined;
          },
        };
      },
    },
    limits: { ...LIMITS, checkpointInterval: INTERVAL },
    hash: sha256,
    quorum: 3,
    verifyCheckpoints: (_peer, envelopes) =>
      this.canVerify
        ? envelopes.map((envelope, index) => {
            const [at, signer] = [Number(Buffer.from(envelope.payload).toString()), envelope.sender];
            assert.ok(signer.kind === 'replica');
            const digest = index === 0 || at < 1_000 ? LEDGER.digestAt(at % 1_000) : GENESIS;
            return verified(fakeSigned(checkpointOf(at % 1_000, digest), signer.replica));
          })
        : undefined,
    keepBatch: ({ digest }) => this.kept.push(digest),
    onEvent: (event) => {
      if (event.kind === 'checkpointCertificateReceived') {
        this.certified.push(event.certificate.checkpoints[0]?.message.sequence ?? assert.fail('an empty certificate'));
        return;
      }
      assert.ok(event.kind === 'ledgerFetched');
      this.handed.push(...event.entries);
    },
  });

  start(first: number, last: number): void {
    this.fetch.start(sequence(first), { sequence: sequence(last), headerDigest: LEDGER.digestAt(last) });
  }

  /** Answers the question; a right answer ends it. */
  answer(answer: FetchAnswer): boolean {
    const { question } = this;
    assert.ok(question, 'something is asked');
    this.question = undefined;
    const isTaken = question.accept(answer, replicaId(2));
    if (!isTaken) {
      this.question = question;
    }
    return isTaken;
  }

  /** Answers a question for the ledger as a correct peer does, with so many entries at most. */
  answerRightly(countMax = Number.POSITIVE_INFINITY): void {
    const { what } = this.question ?? assert.fail('nothing is asked');
    assert.ok(what.kind === 'ledger');
    const last = Math.min(what.last, what.first + (what.headersOnly ? Number.POSITIVE_INFINITY : countMax) - 1);
    const entries = LEDGER.entries(what.first, last, what.headersOnly);
    assert.ok(this.answer({ kind: 'ledger', entries }));
  }

  execute(at: number): void {
    this.fetch.onExecuted(sequence(at));
  }

  get sequences(): Sequence[] {
    return this.handed.map((entry) => entry.sequence);
  }
}

function nameOf(what: FetchWhat): string {
  return what.kind === 'ledger'
    ? `${what.headersOnly ? 'headers' : 'batches'} ${what.first} to ${what.last}`
    : what.kind;
}

/** A certificate at a sequence; 1,000 more for one whose members differ. The bench makes checkpoints of it. */
function certificate(at: number, signers: readonly number[]): FetchAnswer {
  return {
    kind: 'checkpointCertificate',
    checkpoints: signers.map((signer) => ({
      type: 'checkpoint',
      sender: { kind: 'replica', replica: replicaId(signer) },
      payload: utf8(String(at)),
      signature: utf8('signature'),
    })),
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('fetching the ledger', () => {
  it('asks for the headers, then for the batches that they name, and hands them over in order', () => {
    const bench = new Bench();
    bench.start(3, 8);
    bench.answerRightly();
    bench.answerRightly();
    assert.deepEqual(bench.asked, ['headers 3 to 8', 'batches 3 to 8']);
    assert.deepEqual(bench.sequences, range(3, 8));
    assert.deepEqual(
      bench.handed.map(({ headerDigest, batch }) => [headerDigest, batch.digest]),
      range(3, 8).map((at) => [LEDGER.digestAt(at), LEDGER.headers[at - 1]?.batchDigest]),
    );
    assert.equal(bench.kept.length, 6);
  });

  it('asks for the next batches when the last ones are executed, not before', () => {
    const bench = new Bench();
    bench.start(1, 7);
    bench.answerRightly();
    bench.answerRightly(3);
    assert.equal(bench.question, undefined);
    bench.execute(1);
    bench.execute(2);
    assert.equal(bench.question, undefined);
    bench.execute(3);
    assert.equal(bench.asked.at(-1), 'batches 4 to 7');
    bench.answerRightly();
    assert.deepEqual(bench.sequences, range(1, 7));
    bench.execute(7);
    assert.equal(bench.question, undefined);
  });

  it('goes on at once where what it hands over was executed meanwhile', () => {
    const bench = new Bench();
    bench.start(1, 7);
    bench.answerRightly();
    bench.execute(7);
    bench.answerRightly(3);
    assert.equal(bench.asked.at(-1), 'batches 4 to 7');
    bench.answerRightly();
    bench.start(8, 12);
    assert.equal(bench.asked.at(-1), 'headers 8 to 12');
  });

  it('fetches what is long in pieces that end in certificates, headers backwards in ranges of 2K', () => {
    const bench = new Bench();
    bench.start(1, 40);
    assert.equal(bench.asked.at(-1), 'checkpointCertificate');
    assert.ok(bench.answer(certificate(20, [0, 2, 3])));
    for (let index = 0; index < 3; index++) {
      bench.answerRightly();
    }
    assert.deepEqual(bench.asked.slice(1), ['headers 13 to 20', 'headers 5 to 12', 'headers 1 to 4', 'batches 1 to 8']);
    bench.answerRightly();
    bench.execute(8);
    bench.answerRightly();
    bench.execute(16);
    bench.answerRightly();
    assert.deepEqual(bench.sequences, range(1, 20));
    assert.equal(bench.question, undefined);
    bench.execute(20);
    assert.equal(bench.asked.at(-1), 'checkpointCertificate');
  });

  it('tells the core of a certificate above its target before it hands over what that certifies', () => {
    const bench = new Bench();
    bench.start(1, 20);
    assert.ok(bench.answer(certificate(12, [0, 2, 3])));
    assert.deepEqual(bench.certified, []);
    bench.fetch.stop();
    bench.start(1, 20);
    assert.ok(bench.answer(certificate(32, [0, 2, 3])));
    assert.deepEqual(bench.certified, [32]);
    assert.deepEqual(bench.handed, []);
  });

  it('goes on to a target that moved up while it ran', () => {
    const bench = new Bench();
    bench.start(1, 4);
    bench.start(1, 8);
    bench.answerRightly();
    bench.answerRightly();
    bench.execute(4);
    assert.equal(bench.asked.at(-1), 'headers 5 to 8');
  });

  it('asks nothing more when it is stopped', () => {
    const bench = new Bench();
    bench.start(1, 7);
    bench.fetch.stop();
    assert.equal(bench.question, undefined);
    bench.start(1, 7);
    bench.answerRightly();
    bench.answerRightly(3);
    bench.fetch.stop();
    bench.execute(3);
    assert.equal(bench.question, undefined);
  });
});

describe('fetching the ledger from liars', () => {
  const headers = (change: (entries: EncodedLedgerEntry[]) => EncodedLedgerEntry[]): FetchAnswer => ({
    kind: 'ledger',
    entries: change(LEDGER.entries(3, 8, true)),
  });
  const changed = (entry: EncodedLedgerEntry | undefined, at: number): EncodedLedgerEntry => {
    const headerBytes = (entry ?? assert.fail('no entry')).headerBytes.slice();
    headerBytes[at] = (headerBytes[at] ?? 0) ^ 1;
    return { headerBytes, batchBytes: new Uint8Array() };
  };

  const wrongHeaders: Readonly<Record<string, FetchAnswer>> = {
    'nothing of the kind': { kind: 'batch', batchBytes: utf8('batch') },
    'no headers': headers(() => []),
    'too few': headers((entries) => entries.slice(1)),
    'too many': headers((entries) => [...LEDGER.entries(2, 2, true), ...entries]),
    'another order': headers((entries) => [...entries].reverse()),
    'the right number of other headers': { kind: 'ledger', entries: LEDGER.entries(4, 9, true) },
    'one with a bit changed': headers((entries) => [...entries.slice(0, 5), changed(entries[5], 60)]),
    'a chain that breaks below': headers((entries) => [changed(entries[0], 60), ...entries.slice(1)]),
    'bytes that are no header': headers((entries) => [
      ...entries.slice(0, 5),
      { headerBytes: utf8('no'), batchBytes: new Uint8Array() },
    ]),
  };
  for (const [title, answer] of Object.entries(wrongHeaders)) {
    it(`takes no headers where the answer is ${title}`, () => {
      const bench = new Bench();
      bench.start(3, 8);
      assert.equal(bench.answer(answer), false);
      bench.answerRightly();
      bench.answerRightly();
      assert.deepEqual(bench.sequences, range(3, 8));
    });
  }

  const wrongBatches: Readonly<Record<string, FetchAnswer>> = {
    'nothing of the kind': { kind: 'checkpointCertificate', checkpoints: [] },
    'no batches': { kind: 'ledger', entries: [] },
    'more than was asked for': { kind: 'ledger', entries: LEDGER.entries(3, 9, false) },
    'other batches': { kind: 'ledger', entries: LEDGER.entries(4, 6, false) },
    'one wrong batch among right ones': {
      kind: 'ledger',
      entries: [...LEDGER.entries(3, 5, false), ...LEDGER.entries(7, 7, false)],
    },
    'headers without batches': { kind: 'ledger', entries: LEDGER.entries(3, 8, true) },
    'bytes that are no batch': {
      kind: 'ledger',
      entries: LEDGER.entries(3, 3, false).map(({ headerBytes }) => ({ headerBytes, batchBytes: utf8('no') })),
    },
  };
  for (const [title, answer] of Object.entries(wrongBatches)) {
    it(`hands nothing over where the answer is ${title}`, () => {
      const bench = new Bench();
      bench.start(3, 8);
      bench.answerRightly();
      assert.equal(bench.answer(answer), false);
      assert.deepEqual(bench.handed, []);
      bench.answerRightly();
      assert.deepEqual(bench.sequences, range(3, 8));
    });
  }

  const wrongCertificates: Readonly<Record<string, FetchAnswer>> = {
    'nothing of the kind': { kind: 'batch', batchBytes: utf8('batch') },
    'CK-07: too few signers': certificate(20, [0, 2]),
    'CK-07: one signer twice': certificate(20, [0, 2, 2]),
    'CK-07: a quorum and one of it twice': certificate(20, [0, 2, 3, 3]),
    'CK-07: members that differ': certificate(1_020, [0, 2, 3]),
    'CK-07: a sequence below what is lacked': certificate(4, [0, 2, 3]),
  };
  for (const [title, answer] of Object.entries(wrongCertificates)) {
    it(`takes no certificate where the answer is ${title}`, () => {
      const bench = new Bench();
      bench.start(5, 40);
      assert.equal(bench.answer(answer), false);
      assert.ok(bench.answer(certificate(20, [0, 2, 3])));
      assert.equal(bench.asked.at(-1), 'headers 13 to 20');
    });
  }

  it('CK-07: takes no certificate with a signature that does not verify', () => {
    const bench = new Bench();
    bench.canVerify = false;
    bench.start(5, 40);
    assert.equal(bench.answer(certificate(20, [0, 2, 3])), false);
  });
});
