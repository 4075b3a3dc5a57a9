/**
 * IV-08: whatever bytes come, the edge does not throw, and what it refuses leaves no trace in the core. Bytes are random,
 * or those of true messages with something changed; so some get deep into the edge.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Event } from '../../../../src/protocol/events.js';
import { replicaId, sequence, view } from '../../../../src/protocol/identifiers.js';
import type { NewView, ViewChange } from '../../../../src/protocol/messages.js';
import { concatBytes, utf8 } from '../../../../src/util/bytes.js';
import { encodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { IngressBench } from '../../../support/ingress-bench.js';
import {
  batchOfRequests,
  checkpointCertificateBytes,
  checkpointOf,
  committedBatchBytes,
  proposalBytes,
  signedBytes,
  signedRequest,
  statusTo,
  voteOf,
} from '../../../support/peer-messages.js';

const REQUESTS = [signedRequest(1), signedRequest(2)];
const { digest: DIGEST, bytes: BATCH } = batchOfRequests(REQUESTS);
const HEADER = sha256(utf8('header'));

/** Replica 2 prepared the batch in view 0 and leaves it. */
const VIEW_CHANGE: ViewChange = {
  type: 'viewChange',
  newView: view(1),
  stableCheckpoint: sequence(0),
  checkpointCertificate: [],
  prepared: [
    {
      prePrepare: fakeSigned(voteOf('prePrepare', 1, DIGEST), 0),
      prepares: [2, 3].map((sender) => fakeSigned(voteOf('prepare', 1, DIGEST), sender)),
    },
  ],
};

/** Replica 2 begins view 2 with that batch. */
const NEW_VIEW: NewView = {
  type: 'newView',
  newView: view(2),
  viewChanges: [0, 2, 3].map((replica) => ({ replica: replicaId(replica), digest: HEADER })),
  prePrepares: [fakeSigned(voteOf('prePrepare', 1, DIGEST, 2), 2)],
};

/** True messages of every kind, with the link each comes over. */
const TRUE_MESSAGES: readonly { readonly from: number; readonly bytes: Uint8Array }[] = [
  { from: 2, bytes: signedBytes(voteOf('prepare', 1, DIGEST), 2) },
  { from: 2, bytes: signedBytes(voteOf('commit', 1, DIGEST), 3) },
  { from: 3, bytes: signedBytes(checkpointOf(4, HEADER), 3) },
  { from: 2, bytes: signedBytes(statusTo(1, 3), 2) },
  { from: 3, bytes: signedBytes(VIEW_CHANGE, 2) },
  { from: 2, bytes: signedBytes(NEW_VIEW, 2) },
  { from: 0, bytes: proposalBytes(1, REQUESTS) },
  { from: 3, bytes: encodePeerMessage({ kind: 'request', bytes: signedRequest(7).bytes }) },
  { from: 2, bytes: committedBatchBytes(1, REQUESTS, [0, 2, 3]) },
  { from: 2, bytes: checkpointCertificateBytes(4, HEADER, [0, 2, 3]) },
  {
    from: 3,
    bytes: encodePeerMessage({
      kind: 'evidence',
      first: fakeSigned(voteOf('prePrepare', 1, DIGEST), 0),
      second: fakeSigned(voteOf('prePrepare', 1, HEADER), 0),
    }),
  },
  { from: 3, bytes: encodePeerMessage({ kind: 'fetchAnswer', id: 1, answer: { kind: 'batch', batchBytes: BATCH } }) },
];

/** One change of some bytes. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('splice' as const), at: fc.nat(), of: fc.nat() }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply(bytes: Uint8Array, one: Change): Uint8Array {
  const at = bytes.length === 0 ? 0 : one.at % bytes.length;
  const [head, tail] = [bytes.slice(0, at), bytes.slice(at)];
  switch (one.kind) {
    case 'flip':
      return concatBytes([head, Uint8Array.of((tail[0] ?? 0) ^ one.bits), tail.slice(1)]);
    case 'cut':
      return head;
    case 'insert':
      return concatBytes([head, one.bytes, tail]);
    case 'repeat':
      return concatBytes([head, tail.slice(0, one.length), tail]);
    case 'splice':
      return concatBytes([head, (TRUE_MESSAGES[one.of % TRUE_MESSAGES.length]?.bytes ?? head).slice(at)]);
  }
}

const hostileBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.nat({ max: TRUE_MESSAGES.length - 1 }), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([index, changes]) => changes.reduce(apply, TRUE_MESSAGES[index]?.bytes ?? new Uint8Array())),
);

/** What the core holds, as far as its Status and its view for operators say. */
function stateOf({ core }: IngressBench): unknown {
  const effects = core.core.step({ kind: 'peerConnected', peer: replicaId(3) }, { wallMs: 2_000, elapsedMs: 0 });
  return { effects, view: core.core.inspect(0) };
}

/** What of an event was signed or hashed: it must be what somebody said. */
function saidIn(event: Event): string {
  switch (event.kind) {
    case 'messageReceived':
      return `${event.message.sender} ${JSON.stringify(event.message.message, bytesAsText)}`;
    case 'prePrepareReceived':
      return `${event.prePrepare.sender} ${JSON.stringify(event.prePrepare.message)} ${event.batch.digest}`;
    case 'requestReceived':
      return `${event.request.clientId} ${event.request.digest}`;
    case 'committedBatchReceived':
      return event.certificate.commits.map(({ sender, message }) => `${sender} ${JSON.stringify(message)}`).join();
    case 'evidenceReceived':
      return `${JSON.stringify(event.first, bytesAsText)} ${JSON.stringify(event.second, bytesAsText)}`;
    case 'checkpointCertificateReceived':
      return event.certificate.checkpoints.map(({ sender, message }) => `${sender} ${JSON.stringify(message)}`).join();
    default:
      return assert.fail(`a peer's message became ${event.kind}`);
  }
}

function bytesAsText(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

/** Everything that replicas and clients of the true messages said, alone and in certificates. */
const SAID = new Set(
  TRUE_MESSAGES.flatMap(({ from, bytes }) => {
    const event = new IngressBench().judge(bytes, from);
    return event === undefined ? [] : [saidIn(event)];
  }),
);

describe('ingress, whatever comes (IV-08)', () => {
  it('takes each of the true messages', () => {
    assert.equal(SAID.size, TRUE_MESSAGES.length - 1);
  });

  it('never throws, counts what it refuses, and leaves the core as it is', () => {
    const hostile = fc.array(fc.tuple(hostileBytes, fc.constantFrom(0, 2, 3)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(hostile, (messages) => {
        const attacked = new IngressBench();
        const untouched = new IngressBench();
        for (const [bytes, from] of messages) {
          const [rejected, fetched] = [attacked.rejections.length, attacked.fetches.length];
          const event = attacked.judge(bytes, from);
          if (event === undefined) {
            const told = attacked.rejections.length - rejected + (attacked.fetches.length - fetched);
            assert.equal(told, 1, 'refused once, or passed on as a fetch');
          } else {
            assert.ok(isSaid(event), saidIn(event));
          }
        }
        assert.deepEqual(stateOf(attacked), stateOf(untouched));
        assert.deepEqual(attacked.core.effects, untouched.core.effects);
      }),
      { numRuns: 2_000 },
    );
  });

  it('lets the core assert nothing and accuse only who signed twice, in whatever order such messages come', () => {
    const trueBytes = fc.constantFrom(...TRUE_MESSAGES.map(({ bytes }) => bytes));
    const any = fc.tuple(fc.oneof(trueBytes, hostileBytes), fc.constantFrom(0, 2, 3));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), (messages) => {
        const bench = new IngressBench();
        for (const [bytes, from] of messages) {
          bench.take(bytes, from);
        }
        const accused = bench.core.core.inspect(0).evidence.map(({ replica, kind }) => `${kind} of ${replica}`);
        assert.ok(accused.length <= 1 && accused.every((one) => one === 'prePrepare of 0'), accused.join());
      }),
      { numRuns: 500 },
    );
  });

  it('BB-07: takes no statement of a replica in which any bit was changed', () => {
    for (const { from, bytes } of TRUE_MESSAGES.slice(0, 6)) {
      const said = saidIn(new IngressBench().judge(bytes, from) ?? assert.fail('a true message'));
      for (let at = 0; at < bytes.length * 8; at++) {
        const changed = bytes.slice();
        changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
        const event = new IngressBench().judge(changed, from);
        assert.ok(event === undefined || saidIn(event) === said, `bit ${at}`);
      }
    }
  });

  it('BB-03: takes no statement in the name of another, of any type', () => {
    for (const message of [voteOf('prepare', 1, DIGEST), voteOf('commit', 1, DIGEST), checkpointOf(4, HEADER)]) {
      const bench = new IngressBench();
      const stolen = { ...fakeSigned(message, 2), sender: replicaId(3) };
      assert.equal(bench.judge(encodePeerMessage({ kind: 'signed', signed: stolen })), undefined);
      assert.deepEqual(bench.rejections, [`${message.type} signature of 2`]);
    }
  });
});

/** Whether what became an event was said by whom it names; of a certificate a part may be left out. */
function isSaid(event: Event): boolean {
  if (event.kind !== 'committedBatchReceived' && event.kind !== 'checkpointCertificateReceived') {
    return SAID.has(saidIn(event));
  }
  const whole = [...SAID];
  return saidIn(event)
    .split(/,(?=\d )/)
    .every((part) => whole.some((said) => said.includes(part)));
}
