/** The edge: what of a peer's bytes becomes an event, and why the rest doesn't. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { replicaId, sequence } from '../../../../src/protocol/identifiers.js';
import { concatBytes, utf8 } from '../../../../src/util/bytes.js';
import { CanonicalWriter } from '../../../../src/wire/canonical-writer.js';
import { type Envelope, encodeEnvelope } from '../../../../src/wire/envelope.js';
import { encodePayload } from '../../../../src/wire/message-codec.js';
import { encodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { fakeSignature, fakeSigned } from '../../../support/fake-signatures.js';
import { IngressBench } from '../../../support/ingress-bench.js';
import { CLIENT, checkpointOf, signedBytes, statusTo, voteOf } from '../../../support/peer-messages.js';

const DIGEST = sha256(utf8('a batch'));
const SIGNED_FIELD = 3;

/** An envelope on its own, whatever is in it. */
function envelopeBytes(envelope: Envelope): Uint8Array {
  return new CanonicalWriter().bytes(SIGNED_FIELD, encodeEnvelope(envelope)).finish();
}

function replicaEnvelope(type: Envelope['type'], sender: number, payload: Uint8Array, signature?: Uint8Array) {
  return envelopeBytes({
    type,
    sender: { kind: 'replica', replica: replicaId(sender) },
    payload,
    signature: signature ?? fakeSignature(type, sender, payload),
  });
}

/** A message that is refused for a reason: without any signature checked, unless said. */
interface Refusal {
  readonly title: string;
  readonly bytes: () => Uint8Array;
  readonly rejection: string;
  readonly from?: number;
  readonly checks?: number;
  readonly prepare?: (bench: IngressBench) => void;
}

const REFUSALS: readonly Refusal[] = [
  { title: 'bytes that are no message', bytes: () => utf8('hello'), rejection: 'frame malformed of 2' },
  { title: 'nothing', bytes: () => new Uint8Array(), rejection: 'frame malformed of 2' },
  {
    title: 'a greeting on a link that stands',
    bytes: () => encodePeerMessage({ kind: 'greeting', greeting: GREETING }),
    rejection: 'frame misplaced of 2',
  },
  {
    title: 'a hello on a link that stands',
    bytes: () =>
      encodePeerMessage({
        kind: 'hello',
        envelope: {
          type: 'hello',
          sender: { kind: 'replica', replica: replicaId(2) },
          payload: utf8('hello'),
          signature: utf8('signature'),
        },
      }),
    rejection: 'frame misplaced of 2',
  },
  {
    title: 'a pre-prepare without its batch',
    bytes: () => signedBytes(voteOf('prePrepare', 1, DIGEST), 0),
    rejection: 'frame misplaced of 2',
  },
  {
    title: 'a header, signed by a replica, among the votes',
    bytes: () => replicaEnvelope('header', 2, utf8('header')),
    rejection: 'frame malformed of 2',
  },
  {
    title: 'a request among the votes (CL-01)',
    bytes: () =>
      envelopeBytes({
        type: 'request',
        sender: { kind: 'client', clientId: CLIENT },
        payload: utf8('payload'),
        signature: utf8('signature'),
      }),
    rejection: 'frame malformed of 2',
  },
  {
    title: 'a vote with a payload of another kind',
    bytes: () => replicaEnvelope('prepare', 2, encodePayload(checkpointOf(4, DIGEST))),
    rejection: 'prepare malformed of 2',
  },
  {
    title: 'IV-03: a view above 2^52',
    bytes: () => replicaEnvelope('commit', 2, votePayload(2n ** 53n, 1n)),
    rejection: 'commit malformed of 2',
  },
  {
    title: 'IV-03: a sequence of 2^64 − 1',
    bytes: () => replicaEnvelope('commit', 2, votePayload(0n, 2n ** 64n - 1n)),
    rejection: 'commit malformed of 2',
  },
  {
    title: 'BB-03: its own statement on what is executed, from a peer',
    bytes: () => signedBytes(voteOf('prepare', 1, DIGEST), 1),
    prepare: (bench) => bench.core.commitAndExecute(1),
    rejection: 'prepare own of 2',
  },
  {
    title: 'FU-01: a statement that it never made under its name, with a forged signature, at the cost of one check',
    bytes: () => {
      const { message, payload, sender } = fakeSigned(voteOf('prepare', 1, DIGEST), 1);
      return encodePeerMessage({ kind: 'signed', signed: { message, payload, sender, signature: new Uint8Array(32) } });
    },
    rejection: 'prepare signature of 2',
    checks: 1,
  },
  {
    title: 'BB-03: a Status of another replica than the link’s',
    bytes: () => signedBytes(statusTo(1), 3),
    rejection: 'status relayed of 2',
  },
  {
    title: 'a Status for another replica',
    bytes: () => signedBytes(statusTo(3), 2),
    rejection: 'status notAddressee of 2',
  },
  {
    title: 'BB-03: a statement in the name of another replica, signed with the own key',
    bytes: () => {
      const payload = encodePayload(voteOf('prepare', 1, DIGEST));
      return replicaEnvelope('prepare', 3, payload, fakeSignature('prepare', 2, payload));
    },
    rejection: 'prepare signature of 2',
    checks: 1,
  },
  {
    title: 'BB-07: a prepare’s payload and signature as a commit',
    bytes: () => {
      const { payload, signature } = fakeSigned(voteOf('prepare', 1, DIGEST), 2);
      return replicaEnvelope('commit', 2, payload, signature);
    },
    rejection: 'commit signature of 2',
    checks: 1,
  },
  {
    title: 'BB-07: a vote signed in another cluster',
    bytes: () => {
      const payload = encodePayload(voteOf('commit', 1, DIGEST));
      return replicaEnvelope('commit', 2, payload, fakeSignature('commit', 2, payload, 'another cluster'));
    },
    rejection: 'commit signature of 2',
    checks: 1,
  },
  {
    title: 'BB-07: a vote whose sequence was changed after signing',
    bytes: () => {
      const { signature } = fakeSigned(voteOf('commit', 1, DIGEST), 2);
      return replicaEnvelope('commit', 2, encodePayload(voteOf('commit', 2, DIGEST)), signature);
    },
    rejection: 'commit signature of 2',
    checks: 1,
  },
  {
    title: 'a vote above the window',
    bytes: () => signedBytes(voteOf('commit', 9, DIGEST), 2),
    rejection: 'commit aboveWindow of 2',
  },
  {
    title: 'BB-05: a prepare of the primary',
    bytes: () => signedBytes(voteOf('prepare', 1, DIGEST), 0),
    rejection: 'prepare fromPrimary of 2',
  },
  {
    title: 'BB-02: a vote that is counted already, with whatever signature',
    prepare: (bench) => void bench.take(signedBytes(voteOf('commit', 1, DIGEST), 2)),
    bytes: () => replicaEnvelope('commit', 2, encodePayload(voteOf('commit', 1, DIGEST)), utf8('another')),
    rejection: 'commit duplicate of 2',
  },
  {
    title: 'a checkpoint that is no multiple of the interval',
    bytes: () => signedBytes(checkpointOf(5, DIGEST), 2),
    rejection: 'checkpoint notCheckpoint of 2',
  },
];

const GREETING = {
  nonce: new Uint8Array(32),
  from: replicaId(2),
  to: replicaId(1),
};

function votePayload(inView: bigint, at: bigint): Uint8Array {
  const varint = (value: bigint): number[] =>
    value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
  const digest = concatBytes([Uint8Array.of(0x1a, 32), new Uint8Array(32)]);
  return concatBytes([Uint8Array.of(0x08, ...varint(inView), 0x10, ...varint(at)), digest]);
}

describe('ingress', () => {
  for (const { title, bytes, rejection, from, checks = 0, prepare } of REFUSALS) {
    it(`refuses ${title}`, () => {
      const bench = new IngressBench();
      prepare?.(bench);
      const before = bench.checks;
      assert.equal(bench.judge(bytes(), from), undefined);
      assert.deepEqual(bench.rejections, [rejection]);
      assert.equal(bench.checks - before, checks);
    });
  }

  it('FU-01: takes its own statement where it does not remember it, of whatever type, and checks the signature first', () => {
    for (const type of ['prePrepare', 'prepare', 'commit'] as const) {
      const bench = new IngressBench();
      const event = bench.judge(signedBytes(voteOf(type, 1, DIGEST), 1));
      assert.equal(event?.kind, 'ownStatementReceived');
      assert.equal(bench.checks, 1);
    }
  });

  it('FU-01: looks at nothing that a peer shows as its own for a second after a forged one, and at others meanwhile', () => {
    const bench = new IngressBench();
    const { message, payload, sender } = fakeSigned(voteOf('commit', 2, DIGEST), 1);
    const signature = new Uint8Array(32);
    const forged = encodePeerMessage({ kind: 'signed', signed: { message, payload, sender, signature } });
    const genuine = signedBytes(voteOf('commit', 2, DIGEST), 1);
    for (let index = 0; index < 100; index++) {
      assert.equal(bench.judge(forged, 3), undefined);
    }
    assert.equal(bench.checks, 1);
    assert.equal(bench.judge(genuine, 3), undefined);
    assert.deepEqual(bench.rejections.at(-1), 'commit quota of 3');
    assert.equal(bench.judge(genuine, 2)?.kind, 'ownStatementReceived');
    bench.core.elapsedMs += 1_001;
    assert.equal(bench.judge(genuine, 3)?.kind, 'ownStatementReceived');
  });

  it('takes a vote by its own signature, whoever passed it on', () => {
    const bench = new IngressBench();
    const event = bench.judge(signedBytes(voteOf('commit', 1, DIGEST), 3), 2);
    assert.ok(event?.kind === 'messageReceived');
    assert.deepEqual([event.message.sender, event.message.message], [3, voteOf('commit', 1, DIGEST)]);
    assert.equal(event.over, 2);
    assert.deepEqual([bench.rejections, bench.checks], [[], 1]);
  });

  it('keeps the bytes that were signed, for certificates', () => {
    const bench = new IngressBench();
    const event = bench.judge(signedBytes(checkpointOf(4, DIGEST), 2));
    assert.ok(event?.kind === 'messageReceived' && event.over === event.message.sender);
    const { payload, signature } = fakeSigned(checkpointOf(4, DIGEST), 2);
    assert.deepEqual(Buffer.from(event.message.payload), Buffer.from(payload));
    assert.deepEqual(Buffer.from(event.message.signature), Buffer.from(signature));
  });

  it('takes a Status from its own link', () => {
    const bench = new IngressBench();
    assert.equal(bench.judge(signedBytes(statusTo(1), 2), 2)?.kind, 'messageReceived');
  });

  it('passes fetches and their answers on and makes no event of them', () => {
    const bench = new IngressBench();
    const what = { kind: 'checkpointCertificate', sequence: sequence(4) } as const;
    assert.equal(bench.judge(encodePeerMessage({ kind: 'fetch', id: 7, what })), undefined);
    assert.equal(
      bench.judge(encodePeerMessage({ kind: 'fetchAnswer', id: 8, answer: { kind: 'notFound' } })),
      undefined,
    );
    assert.deepEqual(bench.fetches, ['2 asks 7 checkpointCertificate', '2 answers 8 notFound']);
    assert.deepEqual(bench.rejections, []);
  });
});
