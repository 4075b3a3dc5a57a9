/** Every decoder of the room with an arbitrary that makes bytes for it and the inverse of what it decodes. */
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import type {
  Checkpoint,
  Commit,
  PrePrepare,
  Prepare,
  ProtocolMessage,
  Signed,
  Verified,
} from '../../../src/protocol/messages.js';
import type { Result } from '../../../src/util/result.js';
import { decodeBatch, encodeBatch } from '../../../src/wire/batch-codec.js';
import * as certificates from '../../../src/wire/certificate-codec.js';
import { decodeEnvelope, type Envelope, encodeEnvelope, encodeSigned } from '../../../src/wire/envelope.js';
import { frameOf, messagesOf } from '../../../src/wire/frame.js';
import { decodeHeaderStatement, encodeHeaderStatement } from '../../../src/wire/header-statement-codec.js';
import { decodeHello, encodeHello, GREETING } from '../../../src/wire/hello-codec.js';
import type { Malformed } from '../../../src/wire/malformed.js';
import { encode } from '../../../src/wire/message.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import type { PeerInput, PeerOutput } from '../../../src/wire/peer-message.js';
import { decodeRequest, encodeRequestPayload } from '../../../src/wire/request-codec.js';
import type { SignatureType } from '../../../src/wire/signature-type.js';
import * as arbitrary from './arbitraries.js';

const { LIMITS } = arbitrary;

export interface DecoderCase {
  readonly name: string;
  /** Well-formed bytes. */
  readonly bytes: fc.Arbitrary<Uint8Array>;
  /** The value where it decodes, encoded again. */
  readonly decode: (bytes: Uint8Array) => Result<Uint8Array, Malformed>;
}

function decoderCase<T>(
  name: string,
  bytes: fc.Arbitrary<Uint8Array>,
  decode: (bytes: Uint8Array) => Result<T, Malformed>,
  encode: (value: T) => Uint8Array,
): DecoderCase {
  return {
    name,
    bytes,
    decode: (input) => {
      const result = decode(input);
      return result.ok ? { ok: true, value: encode(result.value) } : result;
    },
  };
}

const payloadCases = (
  [
    ['prePrepare', arbitrary.prePrepare],
    ['prepare', arbitrary.prepare],
    ['commit', arbitrary.commit],
    ['checkpoint', arbitrary.checkpoint],
    ['status', arbitrary.status],
    ['viewChange', arbitrary.viewChange],
    ['newView', arbitrary.newView],
  ] as const
).map(([type, of]) =>
  decoderCase(
    `payload of a ${type}`,
    fc.oneof(of).map((message) => encodePayload(message)),
    (bytes) => decodePayload(type as SignatureType, bytes, LIMITS),
    encodePayload,
  ),
);

const signedPrepares = fc.array(arbitrary.signed(arbitrary.prepare), { maxLength: 4 });
const trusted = <M extends PrePrepare | Prepare | Commit | Checkpoint>(signed: Signed<M>): Verified<Signed<M>> =>
  signed as Verified<Signed<M>>;

/** An envelope as the encoder wants it: of the message only the type counts. */
function signedOf<M extends ProtocolMessage>(envelope: Envelope): Signed<M> {
  const { type, sender, payload, signature } = envelope;
  const message = { type } as M;
  return { message, sender: sender.kind === 'replica' ? sender.replica : replicaId(0), payload, signature };
}

/** The message that would have arrived so. */
function departureOf(input: PeerInput): PeerOutput {
  switch (input.kind) {
    case 'signed':
      return { kind: 'signed', signed: signedOf(input.envelope) };
    case 'proposal':
      return { ...input, prePrepare: signedOf(input.prePrepare) };
    case 'committedBatch':
      return { ...input, commits: input.commits.map((commit) => signedOf<Commit>(commit)) };
    case 'checkpointCertificate':
      return { ...input, checkpoints: input.checkpoints.map((checkpoint) => signedOf<Checkpoint>(checkpoint)) };
    case 'fetchAnswer': {
      const { answer } = input;
      switch (answer.kind) {
        case 'checkpointCertificate':
          return { ...input, answer: { ...answer, checkpoints: answer.checkpoints.map((one) => signedOf(one)) } };
        case 'viewChange':
          return { ...input, answer: { ...answer, viewChange: signedOf(answer.viewChange) } };
        default:
          return { ...input, answer };
      }
    }
    case 'evidence':
      return { ...input, first: signedOf(input.first), second: signedOf(input.second) };
    default:
      return input;
  }
}

const encodedEnvelope = (envelope: Envelope): Uint8Array => encodeEnvelope(envelope);

export const DECODERS: readonly DecoderCase[] = [
  ...payloadCases,
  decoderCase('envelope', arbitrary.envelope.map(encodedEnvelope), (bytes) => decodeEnvelope(bytes), encodedEnvelope),
  decoderCase(
    'request',
    arbitrary.request.map((request) => request.bytes),
    (bytes) => decodeRequest(bytes, LIMITS, sha256),
    ({ request, signature }) => arbitrary.requestOf(request, signature).bytes,
  ),
  decoderCase(
    'batch',
    fc.tuple(arbitrary.number, arbitrary.requests(1)).map(([time, requests]) => encodeBatch(time, requests)),
    (bytes) => decodeBatch(bytes, LIMITS, sha256),
    ({ batch, requests }) =>
      encodeBatch(
        batch.timestampMs,
        requests.map(({ request, signature }) => {
          const payload = encodeRequestPayload(request);
          const sender = { kind: 'client', clientId: request.clientId } as const;
          return { ...request, bytes: encodeEnvelope({ type: 'request', sender, payload, signature }) };
        }),
      ),
  ),
  decoderCase(
    'peer message',
    arbitrary.peerOutput.map(encodePeerMessage),
    (bytes) => decodePeerMessage(bytes, LIMITS),
    (input) => encodePeerMessage(departureOf(input)),
  ),
  decoderCase(
    'frame',
    fc
      .array(arbitrary.peerOutput, { minLength: 1, maxLength: 3 })
      .map((outputs) => frameOf(outputs.map(encodePeerMessage))),
    messagesOf,
    frameOf,
  ),
  decoderCase('hello', arbitrary.hello.map(encodeHello), decodeHello, encodeHello),
  decoderCase(
    'greeting',
    arbitrary.greeting.map((greeting) => encode(GREETING, greeting)),
    (bytes) => GREETING.decode(bytes, LIMITS),
    (greeting) => encode(GREETING, greeting),
  ),
  decoderCase(
    'header statement',
    arbitrary.digest.map(encodeHeaderStatement),
    decodeHeaderStatement,
    encodeHeaderStatement,
  ),
  decoderCase(
    'signed message',
    arbitrary.signed(arbitrary.message).map(encodeSigned),
    (bytes) => certificates.decodeSigned(bytes, LIMITS),
    encodeSigned,
  ),
  decoderCase(
    'prepared certificate',
    fc
      .tuple(arbitrary.signed(arbitrary.prePrepare), signedPrepares)
      .map(([prePrepare, prepares]) =>
        certificates.encodePreparedCertificate({ prePrepare: trusted(prePrepare), prepares: prepares.map(trusted) }),
      ),
    certificates.decodePreparedCertificate,
    certificates.encodePreparedCertificate,
  ),
  decoderCase(
    'commit certificate',
    fc
      .array(arbitrary.signed(arbitrary.commit), { minLength: 1, maxLength: 4 })
      .map((commits) => certificates.encodeCommitCertificate({ commits: commits.map(trusted) })),
    certificates.decodeCommitCertificate,
    certificates.encodeCommitCertificate,
  ),
  decoderCase(
    'checkpoint certificate',
    fc
      .array(arbitrary.signed(arbitrary.checkpoint), { minLength: 1, maxLength: 4 })
      .map((checkpoints) => certificates.encodeCheckpointCertificate({ checkpoints: checkpoints.map(trusted) })),
    certificates.decodeCheckpointCertificate,
    certificates.encodeCheckpointCertificate,
  ),
];
