import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import type { Checkpoint, Commit, PrePrepare, Prepare, Signed, Verified } from '../../../src/protocol/messages.js';
import type { Result } from '../../../src/util/result.js';
import { decodeBatch, encodeBatch, NULL_BATCH_BYTES } from '../../../src/wire/batch-codec.js';
import * as certificates from '../../../src/wire/certificate-codec.js';
import { decodeEnvelope, encodeEnvelope, encodeSigned } from '../../../src/wire/envelope.js';
import { frameOf, messagesOf, probeFrameOf, probeOf, RIVAL_BYTES_MAX } from '../../../src/wire/frame.js';
import { decodeHeaderStatement, encodeHeaderStatement } from '../../../src/wire/header-statement-codec.js';
import { decodeHello, encodeHello } from '../../../src/wire/hello-codec.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import type { PeerInput, PeerOutput } from '../../../src/wire/peer-message.js';
import { decodeRequest, encodeRequestPayload } from '../../../src/wire/request-codec.js';
import { HeaderStatement, SignedMessage } from '../../gen/pbft/v1/message.js';
import { ConnectRequest, ConnectResponse } from '../../gen/pbft/v1/peer.js';
import * as arbitrary from './arbitraries.js';
import {
  envelopeOf,
  generatedBatch,
  generatedEnvelope,
  generatedHello,
  generatedPayload,
  generatedPeerMessage,
  generatedRequest,
} from './generated.js';

const { LIMITS } = arbitrary;

function take<T>(result: Result<T, { field: string; description: string }>): T {
  assert.ok(result.ok, result.ok ? '' : `${result.error.field} ${result.error.description}`);
  return result.value;
}

/** Byte strings of all kinds as plain arrays, so that Buffers and views compare by content. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return [...value];
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

function assertSame(actual: unknown, expected: unknown): void {
  assert.deepEqual(plain(actual), plain(expected));
}

/** What a peer's message looks like when it arrives. */
function arrivalOf(output: PeerOutput): PeerInput {
  switch (output.kind) {
    case 'signed':
      return { kind: 'signed', envelope: envelopeOf(output.signed) };
    case 'proposal':
      return { ...output, prePrepare: envelopeOf(output.prePrepare) };
    case 'committedBatch':
      return { ...output, commits: output.commits.map(envelopeOf) };
    case 'checkpointCertificate':
      return { ...output, checkpoints: output.checkpoints.map(envelopeOf) };
    case 'fetchAnswer': {
      const { answer } = output;
      switch (answer.kind) {
        case 'checkpointCertificate':
          return { ...output, answer: { ...answer, checkpoints: answer.checkpoints.map(envelopeOf) } };
        case 'viewChange':
          return { ...output, answer: { ...answer, viewChange: envelopeOf(answer.viewChange) } };
        default:
          return { ...output, answer };
      }
    }
    case 'evidence':
      return { ...output, first: envelopeOf(output.first), second: envelopeOf(output.second) };
    default:
      return output;
  }
}

describe('wire: what is encoded', () => {
  it('is what the generated code encodes, and decodes to the same payload', () => {
    fc.assert(
      fc.property(arbitrary.message, (message) => {
        const payload = encodePayload(message);
        assertSame(payload, generatedPayload(message));
        assertSame(take(decodePayload(message.type, payload, LIMITS)), message);
      }),
    );
  });

  it('is what the generated code encodes, and decodes to the same envelope', () => {
    fc.assert(
      fc.property(arbitrary.envelope, (envelope) => {
        const encoded = encodeEnvelope(envelope);
        assertSame(encoded, SignedMessage.encode(generatedEnvelope(envelope)).finish());
        assertSame(take(decodeEnvelope(encoded)), envelope);
      }),
    );
  });

  it('is what the generated code encodes, and decodes to the same request', () => {
    fc.assert(
      fc.property(arbitrary.requestContent, arbitrary.signature, (content, signature) => {
        const payload = encodeRequestPayload(content);
        assertSame(payload, generatedRequest(content));
        const request = arbitrary.requestOf(content, signature);
        assertSame(take(decodeRequest(request.bytes, LIMITS, sha256)), { request, payload, signature });
      }),
    );
  });

  it('is what the generated code encodes, and decodes to the same batch', () => {
    fc.assert(
      fc.property(arbitrary.number, arbitrary.requests(1), (timestampMs, requests) => {
        const encoded = encodeBatch(timestampMs, requests);
        assertSame(encoded, generatedBatch(timestampMs, requests));
        const decoded = take(decodeBatch(encoded, LIMITS, sha256));
        assertSame(
          decoded.requests.map(({ request }) => request),
          requests,
        );
        assertSame(decoded.batch, {
          digest: sha256(encoded),
          sizeBytes: encoded.length,
          timestampMs,
          requests: requests.map(({ clientId, number }) => ({ clientId, number })),
          operationCount: requests.reduce((sum, { operations }) => sum + operations.length, 0),
          bytes: encoded,
        });
      }),
    );
  });

  it('is the fixed two bytes for the null batch', () => {
    assertSame(encodeBatch(0, []), NULL_BATCH_BYTES);
    assertSame(NULL_BATCH_BYTES, generatedBatch(0, []));
    const { batch, requests } = take(decodeBatch(NULL_BATCH_BYTES, LIMITS, sha256));
    assert.equal(batch.timestampMs, 0);
    assert.equal(batch.operationCount, 0);
    assert.deepEqual([batch.requests, requests], [[], []]);
  });

  it('is what the generated code encodes, and decodes to the same message between peers', () => {
    fc.assert(
      fc.property(arbitrary.peerOutput, (output) => {
        const encoded = encodePeerMessage(output);
        assertSame(encoded, generatedPeerMessage(output));
        assertSame(take(decodePeerMessage(encoded, LIMITS)), arrivalOf(output));
      }),
      { numRuns: 300 },
    );
  });

  it('is what the generated code encodes, and decodes to the same hello and header statement', () => {
    fc.assert(
      fc.property(arbitrary.hello, arbitrary.digest, (hello, digest) => {
        const encoded = encodeHello(hello);
        assertSame(encoded, generatedHello(hello));
        assertSame(take(decodeHello(encoded)), hello);
        const statement = encodeHeaderStatement(digest);
        assert.equal(HeaderStatement.decode(statement).headerDigest.toString('hex'), digest);
        assert.equal(take(decodeHeaderStatement(statement)), digest);
      }),
    );
  });

  it('is one frame for both directions, of messages that are encoded already', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.peerOutput, { minLength: 1, maxLength: 5 }), (outputs) => {
        const messages = outputs.map(encodePeerMessage);
        const frame = frameOf(messages);
        assertSame(take(messagesOf(frame)), messages);
        assertSame(ConnectRequest.encode(ConnectRequest.decode(frame)).finish(), frame);
        assertSame(ConnectResponse.encode(ConnectResponse.decode(frame)).finish(), frame);
        assert.equal(probeOf(frame), undefined);
      }),
    );
  });

  it('is a probe alone in its frame, at most 128 bytes long', () => {
    const probes = fc.record({
      number: fc.nat(),
      isAnswer: fc.boolean(),
      rival: fc.uint8Array({ maxLength: RIVAL_BYTES_MAX }),
    });
    fc.assert(
      fc.property(probes, (probe) => {
        const frame = probeFrameOf(probe);
        const read = probeOf(frame);
        assert.ok(read !== undefined);
        assertSame(take(read), probe);
        assertSame(ConnectRequest.encode(ConnectRequest.decode(frame)).finish(), frame);
        assert.equal(messagesOf(frame).ok, false);
        assert.equal(probeOf(Uint8Array.of(...frame, ...frameOf([Uint8Array.of(1)])))?.ok, false);
      }),
    );
    const long = ConnectRequest.encode({
      messages: [],
      probe: { number: 1, isAnswer: false, rival: Buffer.alloc(129) },
    });
    assert.equal(probeOf(long.finish())?.ok, false);
  });
});

describe('wire: what the store keeps', () => {
  const verified = <M extends PrePrepare | Prepare | Commit | Checkpoint>(of: fc.Arbitrary<M>) =>
    arbitrary.signed(of).map((signed) => signed as Verified<Signed<M>>);
  const several = <M extends PrePrepare | Prepare | Commit | Checkpoint>(of: fc.Arbitrary<M>) =>
    fc.array(verified(of), { maxLength: 7 });

  it('comes back as the same certificate', () => {
    const prepared = fc.record({ prePrepare: verified(arbitrary.prePrepare), prepares: several(arbitrary.prepare) });
    fc.assert(
      fc.property(prepared, several(arbitrary.commit), several(arbitrary.checkpoint), (first, commits, checkpoints) => {
        const second = { commits };
        const third = { checkpoints };
        const { encodePreparedCertificate, encodeCommitCertificate, encodeCheckpointCertificate } = certificates;
        assertSame(take(certificates.decodePreparedCertificate(encodePreparedCertificate(first))), first);
        assertSame(take(certificates.decodeCommitCertificate(encodeCommitCertificate(second))), second);
        assertSame(take(certificates.decodeCheckpointCertificate(encodeCheckpointCertificate(third))), third);
      }),
    );
  });

  it('comes back as the same signed message', () => {
    fc.assert(
      fc.property(arbitrary.signed(arbitrary.message), (signed) => {
        assertSame(take(certificates.decodeSigned(encodeSigned(signed), LIMITS)), signed);
      }),
    );
  });

  it('is malformed where a certificate holds a statement of another type', () => {
    fc.assert(
      fc.property(verified(arbitrary.prepare), (prepare) => {
        const bytes = certificates.encodePreparedCertificate({ prePrepare: prepare as never, prepares: [] });
        assert.deepEqual(certificates.decodePreparedCertificate(bytes), {
          ok: false,
          error: { field: 'pre_prepare.type', description: 'is prepare, prePrepare belongs here' },
        });
      }),
    );
  });
});
