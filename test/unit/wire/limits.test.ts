import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { Commit, Signed, Status } from '../../../src/protocol/messages.js';
import { concatBytes } from '../../../src/util/bytes.js';
import { computeEnvelopeBytesMax, encodeEnvelope } from '../../../src/wire/envelope.js';
import { computeFrameShareBytes, frameOf, messagesOf } from '../../../src/wire/frame.js';
import {
  computeHeldCheckpointsMax,
  computeHeldViewChangesMax,
  FRAME_MESSAGES_MAX,
  INTEGER_MAX,
} from '../../../src/wire/limits.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { PAYLOADS } from '../../../src/wire/payloads.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { PEER_MESSAGE, type PeerOutput } from '../../../src/wire/peer-message.js';
import { LIMITS, peerOutput } from './arbitraries.js';
import { DIGEST, findingOf, SIGNATURE, SIZE_LIMITS } from './support.js';

describe('wire: the limits', () => {
  const held = (count: number): Status['checkpoints'] =>
    Array.from({ length: count }, (_, index) => ({
      replica: replicaId(index % LIMITS.replicaCount),
      sequence: sequence(INTEGER_MAX - count + index),
    }));
  const names = (count: number): Status['viewChanges'] =>
    Array.from({ length: count }, (_, index) => ({
      replica: replicaId(Math.floor(index / 5)),
      digest: sha256(Uint8Array.of(index)),
    })).sort((left, right) => left.replica - right.replica || (left.digest < right.digest ? -1 : 1));
  const statusOf = (checkpoints: number, bitmapBytes: number, viewChanges = 0): Status => {
    const bitmap = new Uint8Array(bitmapBytes).fill(255);
    return {
      type: 'status',
      to: replicaId(6),
      view: view(INTEGER_MAX),
      active: true,
      lowWatermark: sequence(INTEGER_MAX),
      lastExecuted: sequence(INTEGER_MAX),
      clockMs: INTEGER_MAX,
      missingPrePrepares: bitmap,
      missingPrepares: bitmap,
      missingCommits: bitmap,
      checkpoints: held(checkpoints),
      number: INTEGER_MAX,
      recovering: true,
      viewChanges: names(viewChanges),
      newViewDigest: DIGEST,
      heard: INTEGER_MAX,
    };
  };
  const decodeStatus = (status: Status): string => findingOf(decodePayload('status', encodePayload(status), LIMITS));

  it('allow the largest status, and nothing longer in it', () => {
    const checkpointsMax = computeHeldCheckpointsMax(LIMITS);
    assert.equal(checkpointsMax, 35);
    assert.equal(decodeStatus(statusOf(checkpointsMax, 4)), 'ok');
    assert.equal(decodeStatus(statusOf(checkpointsMax + 1, 4)), 'checkpoints has more than 35 elements');
    assert.equal(decodeStatus(statusOf(0, 5)), 'missing_pre_prepares has 5 bytes, allowed are 1 to 4');
    const viewChangesMax = computeHeldViewChangesMax(LIMITS);
    assert.equal(viewChangesMax, 28);
    assert.equal(decodeStatus(statusOf(checkpointsMax, 4, viewChangesMax)), 'ok');
    assert.equal(decodeStatus(statusOf(0, 1, viewChangesMax + 1)), 'view_changes has more than 28 elements');
    const payload = encodePayload(statusOf(checkpointsMax, 4, viewChangesMax));
    const sender = { kind: 'replica', replica: replicaId(6) } as const;
    const envelope = encodeEnvelope({ type: 'status', sender, payload, signature: SIGNATURE });
    assert.equal(payload.length, PAYLOADS.status.sizeBytesMax(SIZE_LIMITS));
    assert.equal(envelope.length, computeEnvelopeBytesMax({ status: PAYLOADS.status }, SIZE_LIMITS));
  });

  it('want the checkpoints of a status in order, each once', () => {
    const [first, second] = held(2);
    assert.ok(first !== undefined && second !== undefined);
    for (const checkpoints of [
      [second, first],
      [first, first],
    ]) {
      assert.equal(
        decodeStatus({ ...statusOf(0, 1), checkpoints }),
        'checkpoints[1] is not above the one before by sequence, then replica',
      );
    }
  });

  it('want the view changes of a status in order, each once', () => {
    const [first, second] = names(2);
    assert.ok(first !== undefined && second !== undefined);
    for (const viewChanges of [
      [second, first],
      [first, first],
    ]) {
      assert.equal(
        decodeStatus({ ...statusOf(0, 1), viewChanges }),
        'view_changes[1] is not above the one before by replica, then digest',
      );
    }
    const [payload, foreign] = [statusOf(0, 1), { replica: replicaId(7), digest: DIGEST }];
    assert.match(decodeStatus({ ...payload, viewChanges: [foreign] }), /^view_changes\[0\]\.replica is 7/);
  });

  const largestVote = (type: 'commit' | 'prePrepare'): Signed => {
    const message = { type, view: view(INTEGER_MAX), sequence: sequence(INTEGER_MAX), batchDigest: DIGEST };
    return { message, sender: replicaId(6), payload: encodePayload(message), signature: SIGNATURE };
  };
  const largestCommit = largestVote('commit') as Signed<Commit>;

  it('allow votes with the longest signature', () => {
    const message = encodePeerMessage({ kind: 'signed', signed: largestCommit });
    assert.equal(findingOf(decodePeerMessage(message, LIMITS)), 'ok');
    const { payload, signature } = largestCommit;
    const envelope = encodeEnvelope({
      type: 'commit',
      sender: { kind: 'replica', replica: replicaId(6) },
      payload,
      signature,
    });
    assert.equal(envelope.length, computeEnvelopeBytesMax({ commit: PAYLOADS.commit }, SIZE_LIMITS));
  });

  it('allow the longest batch with a proposal or with commits of all replicas, within the computed maximum', () => {
    const batchBytes = new Uint8Array(LIMITS.batchBytesMax);
    const commits = Array.from({ length: LIMITS.replicaCount }, () => largestCommit);
    const prePrepare = largestVote('prePrepare') as never;
    const headerOnly = { headerBytes: new Uint8Array(144), batchBytes: new Uint8Array(0) };
    for (const message of [
      encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes }),
      encodePeerMessage({ kind: 'committedBatch', batchBytes, commits }),
      encodePeerMessage({ kind: 'fetchAnswer', id: INTEGER_MAX, answer: { kind: 'batch', batchBytes } }),
      encodePeerMessage({
        kind: 'fetchAnswer',
        id: INTEGER_MAX,
        answer: { kind: 'ledger', entries: [{ headerBytes: new Uint8Array(144), batchBytes }] },
      }),
      encodePeerMessage({
        kind: 'fetchAnswer',
        id: INTEGER_MAX,
        answer: { kind: 'ledger', entries: new Array(2 * LIMITS.checkpointInterval).fill(headerOnly) },
      }),
    ]) {
      assert.equal(findingOf(decodePeerMessage(message, LIMITS)), 'ok');
      assert.ok(message.length <= PEER_MESSAGE.sizeBytesMax(SIZE_LIMITS), `${message.length}`);
    }
  });

  it('IV-04 allow no batch above the limit and no list with more entries than there are replicas', () => {
    const batchBytes = new Uint8Array(LIMITS.batchBytesMax + 1);
    const commits = Array.from({ length: LIMITS.replicaCount + 1 }, () => largestCommit);
    const proposal = encodePeerMessage({
      kind: 'proposal',
      prePrepare: { ...largestVote('prePrepare'), signature: Uint8Array.of(1) } as never,
      batchBytes,
    });
    assert.equal(
      findingOf(decodePeerMessage(proposal, LIMITS)),
      'proposal.batch has 8193 bytes, allowed are 1 to 8192',
    );
    const committed = encodePeerMessage({ kind: 'committedBatch', batchBytes: Uint8Array.of(1), commits });
    assert.equal(findingOf(decodePeerMessage(committed, LIMITS)), 'committed_batch.commits has more than 7 elements');
    const hundredThousand = concatBytes([Uint8Array.of(0x0a, 1, 1), new Uint8Array(200_000).fill(0x12)]);
    const huge = concatBytes([Uint8Array.of(0x32, 0xc3, 0x9a, 0x0c), hundredThousand]);
    assert.match(findingOf(decodePeerMessage(huge, LIMITS)), /^committed_batch has 200003 bytes, allowed are/);
  });

  it('allow ledger ranges of at most two checkpoint intervals', () => {
    const of = (first: number, last: number): string => {
      const what = { kind: 'ledger', first: sequence(first), last: sequence(last), headersOnly: true } as const;
      return findingOf(decodePeerMessage(encodePeerMessage({ kind: 'fetch', id: 1, what }), LIMITS));
    };
    assert.equal(of(5, 20), 'ok');
    assert.equal(of(5, 21), 'fetch.ledger.last is 21, allowed are 5 to 20');
    assert.equal(of(5, 4), 'fetch.ledger.last is 4, allowed are 5 to 20');
    assert.equal(of(INTEGER_MAX, INTEGER_MAX), 'ok');
    const entries = Array.from({ length: 17 }, () => ({ headerBytes: Uint8Array.of(1), batchBytes: Uint8Array.of(1) }));
    const answer = encodePeerMessage({ kind: 'fetchAnswer', id: 1, answer: { kind: 'ledger', entries } });
    assert.equal(findingOf(decodePeerMessage(answer, LIMITS)), 'fetch_answer.ledger.entries has more than 16 elements');
  });

  it('allow no message of another type where one type belongs', () => {
    const short = { ...largestCommit, signature: Uint8Array.of(1) };
    const misplaced = encodePeerMessage({ kind: 'checkpointCertificate', checkpoints: [short as never] });
    assert.equal(
      findingOf(decodePeerMessage(misplaced, LIMITS)),
      'checkpoint_certificate.checkpoints[0].type is commit, checkpoint belongs here',
    );
    const { payload, signature } = largestCommit;
    const sender = { kind: 'replica', replica: replicaId(1) } as const;
    const hello = encodeEnvelope({ type: 'hello', sender, payload, signature });
    const wrapped = concatBytes([Uint8Array.of(0x1a, 0x80 | (hello.length & 127), hello.length >> 7), hello]);
    assert.equal(
      findingOf(decodePeerMessage(wrapped, LIMITS)),
      'signed.type is hello, prePrepare or prepare or commit or checkpoint or status or viewChange or newView belongs here',
    );
  });

  it('allow no certificate without a signed message, and no range of the ledger without an entry', () => {
    const cases: readonly [PeerOutput, string][] = [
      [{ kind: 'committedBatch', batchBytes: Uint8Array.of(1), commits: [] }, 'committed_batch.commits'],
      [{ kind: 'checkpointCertificate', checkpoints: [] }, 'checkpoint_certificate.checkpoints'],
      [{ kind: 'fetchAnswer', id: 1, answer: { kind: 'ledger', entries: [] } }, 'fetch_answer.ledger.entries'],
      [
        { kind: 'fetchAnswer', id: 1, answer: { kind: 'checkpointCertificate', checkpoints: [] } },
        'fetch_answer.checkpoint_certificate.checkpoints',
      ],
    ];
    for (const [output, field] of cases) {
      assert.equal(findingOf(decodePeerMessage(encodePeerMessage(output), LIMITS)), `${field} has no element`);
    }
  });

  it('allow no message of no kind, and no frame without one or with too many', () => {
    for (const bytes of [[], [0x00], [0x5a, 0], [0x7a, 0], [0xff]]) {
      assert.equal(findingOf(decodePeerMessage(Uint8Array.from(bytes), LIMITS)), 'is of no known kind');
    }
    assert.equal(findingOf(messagesOf(new Uint8Array(0))), 'messages has no element');
    const messages = Array.from({ length: FRAME_MESSAGES_MAX + 1 }, () => Uint8Array.of(1));
    assert.equal(findingOf(messagesOf(frameOf(messages.slice(1)))), 'ok');
    const tooMany = concatBytes(messages.map(() => Uint8Array.of(0x0a, 1, 1)));
    assert.equal(findingOf(messagesOf(tooMany)), `messages has more than ${FRAME_MESSAGES_MAX} elements`);
    assert.throws(() => frameOf(messages), /at most/);
  });

  it('count a message in a frame with its tag and length', () => {
    fc.assert(
      fc.property(fc.array(peerOutput, { minLength: 1, maxLength: 4 }), (outputs) => {
        const messages = outputs.map(encodePeerMessage);
        const sum = messages.reduce((total, message) => total + computeFrameShareBytes(message.length), 0);
        assert.equal(frameOf(messages).length, sum);
      }),
    );
  });
});
