/** The edge: batches with the requests in them, requests on their own, and certificates. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { replicaId } from '../../../../src/protocol/identifiers.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { ClientId, Digest } from '../../../../src/util/digest.js';
import { CanonicalWriter } from '../../../../src/wire/canonical-writer.js';
import { type Envelope, encodeEnvelope } from '../../../../src/wire/envelope.js';
import { encodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { fakeSigned } from '../../../support/fake-signatures.js';
import { IngressBench } from '../../../support/ingress-bench.js';
import {
  batchOfRequests,
  CLIENT,
  checkpointCertificateBytes,
  checkpointOf,
  committedBatchBytes,
  proposalBytes,
  signedRequest,
  voteOf,
} from '../../../support/peer-messages.js';

const DIGEST = sha256(utf8('a batch'));
const OTHER = sha256(utf8('another batch'));

describe('ingress, proposals', () => {
  const requests = [signedRequest(1), signedRequest(2)];

  it('takes the primary’s proposal with a batch whose requests are all well signed, and keeps the batch at hand', () => {
    const bench = new IngressBench();
    const event = bench.judge(proposalBytes(1, requests), 0);
    assert.ok(event?.kind === 'prePrepareReceived');
    const { digest } = batchOfRequests(requests);
    assert.deepEqual([event.batch.digest, event.batch.requests.map(({ number }) => number)], [digest, [1, 2]]);
    assert.deepEqual([bench.kept, bench.verifier.clientChecks], [[digest], 2]);
  });

  it('passes no request on that is executed or dead: proposed once more, it must not wait again', () => {
    const bench = new IngressBench();
    bench.table = 'settled';
    const event = bench.judge(proposalBytes(1, requests), 0);
    assert.ok(event?.kind === 'prePrepareReceived');
    assert.deepEqual([event.requests, event.batch.requests.length], [[], 2]);
  });

  const refused: readonly (readonly [string, () => Uint8Array, string, number])[] = [
    ['the digest is another batch’s', () => proposalBytes(1, requests, { digest: OTHER }), 'digest', 1],
    [
      'a byte of the batch was changed on the way',
      () => {
        const batchBytes = batchOfRequests(requests).bytes.slice();
        batchBytes[batchBytes.length - 1] = (batchBytes.at(-1) ?? 0) ^ 1;
        return proposalBytes(1, requests, { digest: batchOfRequests(requests).digest, batchBytes });
      },
      'digest',
      1,
    ],
    ['it has no batch', () => proposalBytes(1, requests, { batchBytes: utf8('no batch') }), 'malformed', 1],
    ['one request appears twice', () => proposalBytes(1, [signedRequest(1), signedRequest(1)]), 'malformed', 1],
    [
      'a request is signed by another client, among good ones',
      () => proposalBytes(1, [signedRequest(1), signedRequest(2, { signer: 'c2'.repeat(32) as ClientId })]),
      'requestSignature',
      3,
    ],
    [
      'a client is unknown',
      () => proposalBytes(1, [signedRequest(1, { client: 'dd'.repeat(32) as ClientId })]),
      'requestSignature',
      2,
    ],
    [
      'a replica’s id stands for a client',
      () => proposalBytes(1, [signedRequest(1, { signer: 0 })]),
      'requestSignature',
      2,
    ],
    ['it is not of the primary', () => proposalBytes(1, requests, { sender: 2 }), 'notPrimary', 0],
    ['it is above the window', () => proposalBytes(9, requests), 'aboveWindow', 0],
    ['it has more operations than a batch may', () => proposalBytes(1, manyRequests(11)), 'malformed', 1],
  ];
  for (const [title, bytes, reason, checks] of refused) {
    it(`BP-03, CL-01: refuses one where ${title}`, () => {
      const bench = new IngressBench();
      assert.equal(bench.judge(bytes(), 0), undefined);
      assert.deepEqual(bench.rejections, [`prePrepare ${reason} of 0`]);
      assert.deepEqual([bench.checks, bench.kept], [checks, []]);
    });
  }

  it('refuses the one that it accepted already before anything is checked, and judges another digest in full', () => {
    const bench = new IngressBench();
    bench.take(proposalBytes(1, requests), 0);
    const before = bench.checks;
    assert.equal(bench.judge(proposalBytes(1, requests), 0), undefined);
    assert.deepEqual([bench.rejections, bench.checks - before], [['prePrepare duplicate of 0'], 0]);
    assert.equal(bench.judge(proposalBytes(1, [signedRequest(3)]), 0)?.kind, 'prePrepareReceived');
  });

  it('FU-05: refuses a batch that costs more than one may, before signatures of clients are checked', () => {
    const bench = new IngressBench();
    bench.costOfByte = 9_000;
    const [withinLimit, overLimit] = [manyRequests(4), manyRequests(5)];
    assert.equal(bench.judge(proposalBytes(1, overLimit), 0), undefined);
    assert.deepEqual(bench.rejections, ['prePrepare tooCostly of 0']);
    assert.deepEqual([bench.verifier.clientChecks, bench.kept], [0, []]);
    assert.equal(bench.judge(proposalBytes(1, withinLimit), 0)?.kind, 'prePrepareReceived');
  });

  it('FU-05: refuses a request that costs more than one may, alone and in a batch', () => {
    const bench = new IngressBench();
    bench.costOfByte = 10_000;
    assert.equal(bench.judge(encodePeerMessage({ kind: 'request', bytes: signedRequest(1).bytes })), undefined);
    assert.equal(bench.judge(proposalBytes(1, [signedRequest(1)]), 0), undefined);
    assert.deepEqual(bench.rejections, ['request tooCostly of 2', 'prePrepare tooCostly of 0']);
    assert.equal(bench.verifier.clientChecks, 0);
  });

  it('refuses a vote where a pre-prepare belongs', () => {
    const bench = new IngressBench();
    const prepare = new CanonicalWriter()
      .bytes(1, encodeEnvelope({ ...envelopeOf(voteOf('prepare', 1, DIGEST), 2) }))
      .bytes(2, batchOfRequests(requests).bytes)
      .finish();
    assert.equal(bench.judge(new CanonicalWriter().bytes(4, prepare).finish()), undefined);
    assert.deepEqual([bench.rejections, bench.checks], [['frame malformed of 2'], 0]);
  });
});

function envelopeOf(message: ReturnType<typeof voteOf>, sender: number): Envelope {
  const { payload, signature } = fakeSigned(message, sender);
  return { type: message.type, sender: { kind: 'replica', replica: replicaId(sender) }, payload, signature };
}

function manyRequests(count: number) {
  return Array.from({ length: count }, (_, index) => signedRequest(index + 1));
}

function withTable(table: IngressBench['table']) {
  return (bench: IngressBench): void => {
    bench.table = table;
  };
}

describe('ingress, requests', () => {
  const bytesOf = (request: ReturnType<typeof signedRequest>) =>
    encodePeerMessage({ kind: 'request', bytes: request.bytes });

  it('takes a client’s request from whoever passes it on', () => {
    const bench = new IngressBench();
    const event = bench.judge(bytesOf(signedRequest(1)), 3);
    assert.ok(event?.kind === 'requestReceived');
    assert.deepEqual([event.from, event.request.number, event.request.clientId], [3, 1, CLIENT]);
  });

  const refused: readonly (readonly [string, Uint8Array, string, number, ((bench: IngressBench) => void)?])[] = [
    ['bytes that are no request', encodePeerMessage({ kind: 'request', bytes: utf8('no') }), 'malformed', 0],
    ['a bad signature', bytesOf(signedRequest(1, { signature: utf8('bad') })), 'signature', 1],
    ['the signature of a replica', bytesOf(signedRequest(1, { signer: 2 })), 'signature', 1],
    ['an unknown client', bytesOf(signedRequest(1, { client: 'dd'.repeat(32) as ClientId })), 'signature', 1],
    ['one that acknowledges itself', bytesOf(signedRequest(1, { acknowledged: 1 })), 'malformed', 0],
    ['one that is executed', bytesOf(signedRequest(1)), 'settled', 0, withTable('settled')],
    ['one beyond the window', bytesOf(signedRequest(1)), 'beyondWindow', 0, withTable('beyondWindow')],
    [
      'one that waits',
      bytesOf(signedRequest(1)),
      'duplicate',
      0,
      (bench) => void bench.take(bytesOf(signedRequest(1))),
    ],
  ];
  for (const [title, bytes, reason, checks, prepare] of refused) {
    it(`CL-01: refuses ${title}`, () => {
      const bench = new IngressBench();
      prepare?.(bench);
      const before = bench.checks;
      assert.equal(bench.judge(bytes), undefined);
      assert.deepEqual([bench.rejections, bench.checks - before], [[`request ${reason} of 2`], checks]);
    });
  }

  it('checks the signature of a request once, though it comes again in a batch', () => {
    const bench = new IngressBench();
    bench.take(bytesOf(signedRequest(1)));
    assert.equal(bench.judge(proposalBytes(1, [signedRequest(1), signedRequest(2)]), 0)?.kind, 'prePrepareReceived');
    assert.equal(bench.verifier.clientChecks, 2);
  });

  it('CL-01: lets no bad signature pass where the good one of the same request was seen before, or after', () => {
    const bench = new IngressBench();
    const bad = signedRequest(1, { signature: utf8('bad') });
    assert.equal(bench.judge(proposalBytes(1, [bad]), 0), undefined);
    assert.equal(bench.take(bytesOf(signedRequest(1)))?.kind, 'requestReceived');
    assert.equal(bench.judge(proposalBytes(1, [bad]), 0), undefined);
    assert.deepEqual(bench.rejections, ['prePrepare requestSignature of 0', 'prePrepare requestSignature of 0']);
  });
});

describe('ingress, certificates', () => {
  const requests = [signedRequest(1, { signature: utf8('nobody checks it here') })];
  const headerDigest: Digest = DIGEST;

  it('takes a batch by the commits of replicas, its own among them, sorted, without looking at clients’ signatures', () => {
    const bench = new IngressBench();
    const event = bench.judge(committedBatchBytes(1, requests, [3, 1, 2]));
    assert.ok(event?.kind === 'committedBatchReceived');
    assert.deepEqual(
      event.certificate.commits.map(({ sender }) => sender),
      [1, 2, 3],
    );
    assert.deepEqual([bench.verifier.replicaChecks, bench.verifier.clientChecks], [3, 0]);
    assert.deepEqual(bench.kept, [batchOfRequests(requests).digest]);
  });

  it('refuses a batch that is decided already before anything is checked', () => {
    const bench = new IngressBench();
    assert.equal(bench.judge(committedBatchBytes(9, requests, [1, 2, 3])), undefined);
    assert.deepEqual([bench.rejections, bench.checks], [['committedBatch aboveWindow of 2'], 0]);
  });

  it('BB-02: refuses a signer who appears twice before anything is checked', () => {
    const bench = new IngressBench();
    assert.equal(bench.judge(committedBatchBytes(1, requests, [2, 3, 3])), undefined);
    assert.equal(bench.judge(checkpointCertificateBytes(4, headerDigest, [2, 2, 3])), undefined);
    assert.deepEqual(bench.rejections, [
      'committedBatch badCertificate of 2',
      'checkpointCertificate badCertificate of 2',
    ]);
    assert.equal(bench.checks, 0);
  });

  it('refuses a certificate with one bad signature, and counts it once', () => {
    const bench = new IngressBench();
    const batch = batchOfRequests(requests);
    const commits = [1, 2, 3].map((sender) => fakeSigned(voteOf('commit', 1, batch.digest), sender));
    const forged = commits.map((one, index) => (index === 2 ? { ...one, signature: utf8('forged') } : one));
    const bytes = encodePeerMessage({ kind: 'committedBatch', batchBytes: batch.bytes, commits: forged });
    assert.equal(bench.judge(bytes), undefined);
    assert.deepEqual([bench.rejections, bench.kept], [['committedBatch signature of 2'], []]);
  });

  it('refuses commits for another batch', () => {
    const bench = new IngressBench();
    const commits = [1, 2, 3].map((sender) => fakeSigned(voteOf('commit', 1, OTHER), sender));
    const { bytes: batchBytes } = batchOfRequests(requests);
    assert.equal(bench.judge(encodePeerMessage({ kind: 'committedBatch', batchBytes, commits })), undefined);
    assert.deepEqual([bench.rejections, bench.kept], [['committedBatch digest of 2'], []]);
  });

  it('takes a checkpoint certificate, sorted, and refuses one with a bad signature', () => {
    const bench = new IngressBench();
    const event = bench.judge(checkpointCertificateBytes(4, headerDigest, [3, 0, 1]));
    assert.ok(event?.kind === 'checkpointCertificateReceived');
    assert.deepEqual(
      event.certificate.checkpoints.map(({ sender }) => sender),
      [0, 1, 3],
    );
    const checkpoints = [0, 1, 3].map((sender) => ({ ...fakeSigned(checkpointOf(4, headerDigest), sender) }));
    const [first, ...rest] = checkpoints;
    assert.ok(first);
    const bytes = encodePeerMessage({
      kind: 'checkpointCertificate',
      checkpoints: [{ ...first, signature: utf8('forged') }, ...rest],
    });
    assert.equal(bench.judge(bytes), undefined);
    assert.deepEqual(bench.rejections, ['checkpointCertificate signature of 2']);
  });
});
