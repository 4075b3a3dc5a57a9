/** What leaves, when: after its signature and the records before it, in whatever order these come. */
import assert from 'node:assert/strict';
import type { Completion } from '../../../../src/ports/key-value-store.js';
import type { SignatureType } from '../../../../src/ports/signatures.js';
import type { Event } from '../../../../src/protocol/events.js';
import { replicaId, sequence, view } from '../../../../src/protocol/identifiers.js';
import type { Commit, PrePrepare, Prepare, Status } from '../../../../src/protocol/messages.js';
import { Egress } from '../../../../src/runtime/egress/egress.js';
import type { BatchBody } from '../../../../src/runtime/execution/batch-bodies.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { decodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { verified } from '../../../support/core-cluster.js';
import { fakeSignature, fakeSigned } from '../../../support/fake-signatures.js';
import { bodyOf, LIMITS, requestOf } from '../fakes.js';

const OWN = 2;
const BODY = bodyOf(1_000, [requestOf({ number: 1, operations: [utf8('put')] })]);
const PREPARE: Prepare = {
  type: 'prepare',
  view: view(0),
  sequence: sequence(7),
  batchDigest: BODY.batch.digest,
};
const PRE_PREPARE: PrePrepare = { ...PREPARE, type: 'prePrepare' };
const COMMIT: Commit = { ...PREPARE, type: 'commit' };

/** Everything around egress in the test's hands. */
class Bench {
  readonly sent: { readonly to: number; readonly message: Uint8Array; readonly priority: string }[] = [];
  readonly events: Event[] = [];
  readonly fatal: string[] = [];
  readonly signing: (() => void)[] = [];
  readonly waiting: (() => void)[] = [];
  loaded: Parameters<Completion<BatchBody | undefined>>[0] = { ok: true, value: BODY };
  readonly egress = new Egress({
    replica: replicaId(OWN),
    peers: [replicaId(0), replicaId(1), replicaId(3)],
    signer: {
      sign: (type: SignatureType, payload, done) => {
        this.signing.push(() => done(fakeSignature(type, OWN, payload)));
      },
    },
    transport: {
      send: (to, message, priority) => {
        this.sent.push({ to, message, priority });
        return true;
      },
    },
    afterDurable: (run) => this.waiting.push(run),
    loadBatch: (_sequence, _digest, done) => done(this.loaded),
    onSigned: (event) => this.events.push(event),
    onFatal: (reason) => this.fatal.push(reason),
  });

  /** Every signature that was asked for is made. */
  sign(): void {
    for (const done of this.signing.splice(0)) {
      done();
    }
  }

  /** Everything that was written is on disk. */
  sync(): void {
    for (const run of this.waiting.splice(0)) {
      run();
    }
  }

  /** What was sent, as `to kind priority`. */
  get summary(): string[] {
    return this.sent.map(({ to, message, priority }) => {
      const decoded = decodePeerMessage(message, LIMITS);
      assert.ok(decoded.ok);
      return `${to} ${decoded.value.kind} ${priority}`;
    });
  }
}

const ORDERS = {
  'its signature comes first': ['sign', 'sync'],
  'the disk comes first': ['sync', 'sign'],
} as const;

describe('egress', () => {
  for (const [name, [first, second]] of Object.entries(ORDERS)) {
    it(`CR-07: lets a vote go when it is signed and what was before it is durable, where ${name}`, () => {
      const bench = new Bench();
      bench.egress.broadcast(PREPARE);
      bench[first]();
      assert.deepEqual([bench.sent, bench.events], [[], []]);
      bench[second]();
      assert.deepEqual(bench.summary, ['0 signed vote', '1 signed vote', '3 signed vote']);
    });

    it(`CR-07: lets a proposal go with its batch when both are done, where ${name}`, () => {
      const bench = new Bench();
      bench.egress.propose({ kind: 'propose', message: PRE_PREPARE, batch: BODY.batch, requests: BODY.requests });
      bench[first]();
      assert.deepEqual([bench.sent, bench.events], [[], []]);
      bench[second]();
      assert.deepEqual(bench.summary, ['0 proposal vote', '1 proposal vote', '3 proposal vote']);
    });
  }

  it('CR-07: never lets a vote go whose record does not become durable, and hands it back to nobody', () => {
    const bench = new Bench();
    bench.egress.broadcast(COMMIT);
    bench.egress.broadcast(PREPARE);
    bench.sign();
    assert.deepEqual([bench.sent, bench.events], [[], []]);
  });

  it('encodes a vote once and sends the same bytes to all, signed as this replica', () => {
    const bench = new Bench();
    bench.egress.broadcast(COMMIT);
    bench.sign();
    bench.sync();
    const [first] = bench.sent;
    assert.ok(first !== undefined && bench.sent.every(({ message }) => message === first.message));
    const decoded = decodePeerMessage(first.message, LIMITS);
    assert.ok(decoded.ok && decoded.value.kind === 'signed');
    const { message, ...expected } = fakeSigned(COMMIT, OWN);
    const { type, sender, payload, signature } = decoded.value.envelope;
    assert.deepEqual(
      { type, sender, payload: new Uint8Array(payload), signature: new Uint8Array(signature) },
      {
        type: message.type,
        sender: { kind: 'replica', replica: OWN },
        payload: new Uint8Array(expected.payload),
        signature: new Uint8Array(expected.signature),
      },
    );
  });

  it('hands the signed copy back to the core once it is on its way', () => {
    const bench = new Bench();
    bench.egress.broadcast(COMMIT);
    bench.sync();
    assert.deepEqual(bench.events, []);
    bench.sign();
    assert.deepEqual(bench.events, [{ kind: 'messageSigned', message: fakeSigned(COMMIT, OWN) }]);
    assert.equal(bench.sent.length, 3);
  });

  it('sends a Status to its addressee alone, after the disk, and hands it to nobody', () => {
    const bench = new Bench();
    bench.egress.sendStatus(STATUS);
    bench.sign();
    assert.deepEqual(bench.sent, []);
    bench.sync();
    assert.deepEqual(bench.summary, ['3 signed vote']);
    assert.deepEqual(bench.events, []);
  });

  it('proposes again what is in the store', () => {
    const bench = new Bench();
    const batch = { sequence: sequence(7), digest: BODY.batch.digest };
    bench.egress.propose({ kind: 'propose', message: PRE_PREPARE, batch, requests: [] });
    bench.sign();
    bench.sync();
    assert.deepEqual(bench.summary, ['0 proposal vote', '1 proposal vote', '3 proposal vote']);
    const decoded = decodePeerMessage(bench.sent[0]?.message ?? new Uint8Array(), LIMITS);
    assert.ok(decoded.ok && decoded.value.kind === 'proposal');
    assert.deepEqual(new Uint8Array(decoded.value.batchBytes), new Uint8Array(BODY.batch.bytes));
  });

  it('gives up where the own proposal is not in the store', () => {
    const bench = new Bench();
    bench.loaded = { ok: true, value: undefined };
    const batch = { sequence: sequence(7), digest: BODY.batch.digest };
    bench.egress.propose({ kind: 'propose', message: PRE_PREPARE, batch, requests: [] });
    assert.deepEqual([bench.fatal, bench.signing], [['the batch proposed at sequence 7 is not in the store'], []]);
  });
});

describe('egress, forwarding', () => {
  const prePrepare = verified(fakeSigned(PRE_PREPARE, 0));
  const commits = [0, 1, 3].map((sender) => verified(fakeSigned(COMMIT, sender)));
  const to = replicaId(1);

  it('sends what is signed already after what was written before it, votes before bulk', () => {
    const bench = new Bench();
    const checkpoint = { type: 'checkpoint', sequence: sequence(128), headerDigest: BODY.batch.digest } as const;
    const [request] = BODY.requests;
    assert.ok(request);
    bench.egress.forward(to, { kind: 'message', message: fakeSigned(PREPARE, OWN) });
    bench.egress.forward('all', { kind: 'request', request });
    bench.egress.forward(to, { kind: 'proposal', prePrepare });
    bench.egress.forward(to, { kind: 'committedBatch', sequence: sequence(7), certificate: { commits } });
    const checkpoints = [0, 1, 3].map((sender) => verified(fakeSigned(checkpoint, sender)));
    bench.egress.forward(to, { kind: 'checkpointCertificate', certificate: { checkpoints } });
    assert.deepEqual([bench.sent, bench.signing], [[], []]);
    bench.sync();
    assert.deepEqual(bench.summary, [
      '1 signed vote',
      '0 request bulk',
      '1 request bulk',
      '3 request bulk',
      '1 proposal bulk',
      '1 committedBatch bulk',
      '1 checkpointCertificate vote',
    ]);
  });

  it('sends no batch that is gone, and gives up where the store fails', () => {
    const bench = new Bench();
    bench.loaded = { ok: true, value: undefined };
    bench.egress.forward(to, { kind: 'proposal', prePrepare });
    bench.sync();
    assert.deepEqual([bench.sent, bench.fatal], [[], []]);
    bench.loaded = { ok: false, error: { code: 'corrupt', message: 'a checksum is wrong' } };
    bench.egress.forward(to, { kind: 'proposal', prePrepare });
    assert.deepEqual([bench.sent, bench.fatal], [[], ['a checksum is wrong']]);
  });
});

const STATUS: Status = {
  type: 'status',
  to: replicaId(3),
  view: view(0),
  active: true,
  lowWatermark: sequence(0),
  lastExecuted: sequence(6),
  clockMs: 1_000,
  missingPrePrepares: new Uint8Array(),
  missingPrepares: new Uint8Array(),
  missingCommits: new Uint8Array(),
  checkpoints: [],
  number: 1,
  recovering: false,
  viewChanges: [],
  newViewDigest: undefined,
  heard: 0,
};
