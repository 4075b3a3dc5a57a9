/** Arbitrary well-formed messages, and the limits that they keep. */
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type {
  Checkpoint,
  Commit,
  NamedViewChange,
  NewView,
  PrePrepare,
  Prepare,
  ProtocolMessage,
  Signed,
  SignedRequest,
  Status,
  ViewChange,
} from '../../../src/protocol/messages.js';
import { defined } from '../../../src/util/assert.js';
import { type ClientId, clientIdOf, type Digest, digestOf } from '../../../src/util/digest.js';
import { type Envelope, encodeEnvelope } from '../../../src/wire/envelope.js';
import type { Greeting, Hello } from '../../../src/wire/hello-codec.js';
import { INTEGER_MAX, type WireLimits } from '../../../src/wire/limits.js';
import { encodePayload } from '../../../src/wire/message-codec.js';
import type { PeerOutput } from '../../../src/wire/peer-message.js';
import { computeRequestDigest, encodeRequestPayload, type RequestContent } from '../../../src/wire/request-codec.js';
import type { SignatureType } from '../../../src/wire/signature-type.js';

export const LIMITS: WireLimits = {
  replicaCount: 7,
  windowSize: 32,
  checkpointInterval: 8,
  batchOperationsMax: 20,
  batchBytesMax: 8192,
  requestBytesMax: 4096,
};

const bytes = (length: { minLength: number; maxLength: number }) => fc.uint8Array(length);
const bytes32 = bytes({ minLength: 32, maxLength: 32 });
export const digest: fc.Arbitrary<Digest> = bytes32.map((value) => defined(digestOf(value), '32 bytes'));
export const clientId: fc.Arbitrary<ClientId> = bytes32.map((value) => defined(clientIdOf(value), '32 bytes'));
export const replica = fc.integer({ min: 0, max: LIMITS.replicaCount - 1 }).map(replicaId);

/** Numbers around each length of a varint, and any other. */
export const number: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 32 - 1, 2 ** 32, 2 ** 49 - 1, 2 ** 49, INTEGER_MAX),
  fc.maxSafeNat().map((value) => Math.min(value, INTEGER_MAX)),
);
const anyView = number.map(view);
const anySequence = number.map((value) => sequence(Math.max(1, value)));
const sequenceOrNone = number.map(sequence);

function vote<T extends 'prePrepare' | 'prepare' | 'commit'>(type: T) {
  return fc.record({ type: fc.constant(type), view: anyView, sequence: anySequence, batchDigest: digest });
}
export const prePrepare: fc.Arbitrary<PrePrepare> = vote('prePrepare');
export const prepare: fc.Arbitrary<Prepare> = vote('prepare');
export const commit: fc.Arbitrary<Commit> = vote('commit');
export const checkpoint: fc.Arbitrary<Checkpoint> = fc.record({
  type: fc.constant('checkpoint'),
  sequence: anySequence,
  headerDigest: digest,
});

const bitmap = bytes({ minLength: 0, maxLength: LIMITS.windowSize / 8 });
const heldCheckpoints = fc
  .uniqueArray(fc.record({ replica, sequence: anySequence }), {
    maxLength: 12,
    selector: (held) => `${held.sequence}/${held.replica}`,
  })
  .map((held) => held.sort((left, right) => left.sequence - right.sequence || left.replica - right.replica));
const viewChangeName: fc.Arbitrary<NamedViewChange> = fc.record({ replica, digest });
const heldViewChanges = fc
  .uniqueArray(viewChangeName, { maxLength: 6, selector: (name) => `${name.replica}/${name.digest}` })
  .map((names) => names.sort((left, right) => left.replica - right.replica || (left.digest < right.digest ? -1 : 1)));
export const status: fc.Arbitrary<Status> = fc.record({
  type: fc.constant('status'),
  to: replica,
  view: anyView,
  active: fc.boolean(),
  lowWatermark: sequenceOrNone,
  lastExecuted: sequenceOrNone,
  clockMs: number,
  missingPrePrepares: bitmap,
  missingPrepares: bitmap,
  missingCommits: bitmap,
  checkpoints: heldCheckpoints,
  number: number.map((value) => Math.max(1, value)),
  recovering: fc.boolean(),
  viewChanges: heldViewChanges,
  newViewDigest: fc.option(digest, { nil: undefined }),
  heard: number,
});

export const signature = bytes({ minLength: 1, maxLength: 64 });
export function signed<M extends ProtocolMessage>(of: fc.Arbitrary<M>): fc.Arbitrary<Signed<M>> {
  return fc
    .record({ message: of, sender: replica, signature })
    .map((parts) => ({ ...parts, payload: encodePayload(parts.message) }));
}

const laterView = number.map((value) => view(Math.max(1, value)));
const atDifferentSequences = { maxLength: 4, selector: (of: Signed<PrePrepare>) => of.message.sequence };
const prePrepares = fc
  .uniqueArray(signed(prePrepare), atDifferentSequences)
  .map((all) => all.sort((left, right) => left.message.sequence - right.message.sequence));
const prepares = fc.array(signed(prepare), { maxLength: LIMITS.replicaCount - 1 });
const proofs = prePrepares.chain((all) =>
  fc.tuple(...all.map((one) => fc.record({ prePrepare: fc.constant(one), prepares }))),
);
export const viewChange: fc.Arbitrary<ViewChange> = fc.record({
  type: fc.constant('viewChange'),
  newView: laterView,
  stableCheckpoint: sequenceOrNone,
  checkpointCertificate: fc.array(signed(checkpoint), { maxLength: LIMITS.replicaCount }),
  prepared: proofs,
});
export const newView: fc.Arbitrary<NewView> = fc.record({
  type: fc.constant('newView'),
  newView: laterView,
  viewChanges: fc
    .uniqueArray(viewChangeName, { selector: (name) => name.replica })
    .map((names) => names.sort((left, right) => left.replica - right.replica)),
  prePrepares,
});
export const message: fc.Arbitrary<ProtocolMessage> = fc.oneof(
  prePrepare,
  prepare,
  commit,
  checkpoint,
  status,
  viewChange,
  newView,
);

export const greeting: fc.Arbitrary<Greeting> = fc.record({ nonce: bytes32, from: replica, to: replica });
export const hello: fc.Arbitrary<Hello> = fc.record({
  protocolVersion: fc.nat(),
  clusterId: digest,
  parametersDigest: digest,
  from: replica,
  to: replica,
  diallerNonce: bytes32,
  listenerNonce: bytes32,
  diallerCertificateDigest: digest,
  listenerCertificateDigest: digest,
});

const payload = bytes({ minLength: 1, maxLength: 40 });
const clientEnvelope: fc.Arbitrary<Envelope> = fc.record({
  type: fc.constant('request'),
  sender: fc.record({ kind: fc.constant('client'), clientId }),
  payload,
  signature,
});
const replicaEnvelope: fc.Arbitrary<Envelope> = fc.record({
  type: fc.constantFrom<SignatureType[]>(
    ...([
      'prePrepare',
      'prepare',
      'commit',
      'checkpoint',
      'status',
      'hello',
      'header',
      'viewChange',
      'newView',
    ] as const),
  ),
  sender: fc.record({ kind: fc.constant('replica'), replica }),
  payload,
  signature,
});
export const envelope: fc.Arbitrary<Envelope> = fc.oneof(clientEnvelope, replicaEnvelope);
const helloEnvelope: fc.Arbitrary<Envelope> = replicaEnvelope.map((value) => ({ ...value, type: 'hello' }));

const operation = bytes({ minLength: 0, maxLength: 24 });
export const requestContent: fc.Arbitrary<RequestContent> = fc
  .record({
    clientId,
    number: number.map((value) => Math.max(1, value)),
    gap: number,
    operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
  })
  .map(({ gap, ...content }) => ({ ...content, acknowledged: Math.max(0, content.number - 1 - gap) }));

/** The request that a client with this signature would have sent. */
export function requestOf(content: RequestContent, signatureBytes: Uint8Array): SignedRequest {
  const encoded = encodeRequestPayload(content);
  const sender = { kind: 'client', clientId: content.clientId } as const;
  return {
    ...content,
    digest: computeRequestDigest(content.clientId, encoded, sha256),
    bytes: encodeEnvelope({ type: 'request', sender, payload: encoded, signature: signatureBytes }),
  };
}
export const request: fc.Arbitrary<SignedRequest> = fc
  .tuple(requestContent, signature)
  .map(([content, signatureBytes]) => requestOf(content, signatureBytes));
export const requests = (minLength: number) =>
  fc.uniqueArray(request, {
    minLength,
    maxLength: 5,
    selector: ({ clientId: id, number: value }) => `${id}/${value}`,
  });

const body = bytes({ minLength: 1, maxLength: 200 });
const commits = fc.array(signed(commit), { minLength: 1, maxLength: LIMITS.replicaCount });
const checkpoints = fc.array(signed(checkpoint), { minLength: 1, maxLength: LIMITS.replicaCount });
const ledgerSequences = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 50 }), fc.nat({ max: 2 * LIMITS.checkpointInterval - 1 }), fc.boolean())
  .map(([first, distance, headersOnly]) => ({ first: sequence(first), last: sequence(first + distance), headersOnly }));
const entry = fc.record({
  headerBytes: bytes({ minLength: 1, maxLength: 200 }),
  batchBytes: bytes({ minLength: 0, maxLength: 200 }),
});
const entries = fc.array(entry, { minLength: 1, maxLength: 2 * LIMITS.checkpointInterval });

const kind = <K extends string>(value: K) => fc.constant(value);
export const peerOutput: fc.Arbitrary<PeerOutput> = fc.oneof(
  fc.record({ kind: kind('greeting'), greeting }),
  fc.record({ kind: kind('hello'), envelope: helloEnvelope }),
  fc.record({ kind: kind('signed'), signed: signed(message) }),
  fc.record({ kind: kind('proposal'), prePrepare: signed(prePrepare), batchBytes: body }),
  fc.record({ kind: kind('request'), bytes: request.map((value) => value.bytes) }),
  fc.record({ kind: kind('committedBatch'), batchBytes: body, commits }),
  fc.record({ kind: kind('checkpointCertificate'), checkpoints }),
  fc.record({
    kind: kind('fetch'),
    id: number,
    what: fc.oneof(
      fc.record({ kind: kind('batch'), sequence: anySequence, batchDigest: digest }),
      ledgerSequences.map((range) => ({ kind: 'ledger' as const, ...range })),
      fc.record({ kind: kind('checkpointCertificate'), sequence: sequenceOrNone }),
      fc.record({ kind: kind('viewChange'), replica, digest }),
    ),
  }),
  fc.record({
    kind: kind('fetchAnswer'),
    id: number,
    answer: fc.oneof(
      fc.record({ kind: kind('notFound') }),
      fc.record({ kind: kind('batch'), batchBytes: body }),
      fc.record({ kind: kind('ledger'), entries }),
      fc.record({ kind: kind('checkpointCertificate'), checkpoints }),
      fc.record({ kind: kind('viewChange'), viewChange: signed(viewChange) }),
    ),
  }),
  fc.record({ kind: kind('evidence'), first: signed(prePrepare), second: signed(prePrepare) }),
  fc.record({ kind: kind('evidence'), first: signed(newView), second: signed(newView) }),
);
