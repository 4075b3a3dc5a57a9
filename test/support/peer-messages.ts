/** What peers of a small cluster send, as bytes, with fake signatures: for tests of the edge. */
import { sha256 } from '../../src/crypto/hash.js';
import { replicaId, type Sequence, sequence, type View, view } from '../../src/protocol/identifiers.js';
import type { Checkpoint, ProtocolMessage, SignedRequest, Status } from '../../src/protocol/messages.js';
import { utf8 } from '../../src/util/bytes.js';
import type { ClientId, Digest } from '../../src/util/digest.js';
import { encodeBatch } from '../../src/wire/batch-codec.js';
import { encodeEnvelope } from '../../src/wire/envelope.js';
import { encodePeerMessage } from '../../src/wire/peer-codec.js';
import { computeRequestDigest, encodeRequestPayload } from '../../src/wire/request-codec.js';
import { fakeSignature, fakeSigned } from './fake-signatures.js';

/** The one client that everybody knows. */
export const CLIENT = 'c1'.repeat(32) as ClientId;

/** A request with one operation, signed by its client unless said. */
export function signedRequest(
  number: number,
  options: {
    readonly client?: ClientId;
    readonly signer?: number | ClientId;
    readonly acknowledged?: number;
    readonly signature?: Uint8Array;
    readonly operations?: readonly Uint8Array[];
  } = {},
): SignedRequest {
  const { client: clientId = CLIENT, acknowledged = 0 } = options;
  const { operations = [utf8(`operation ${number}`)] } = options;
  const payload = encodeRequestPayload({ clientId, number, acknowledged, operations });
  const signature = options.signature ?? fakeSignature('request', options.signer ?? clientId, payload);
  const bytes = encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature });
  return {
    clientId,
    number,
    acknowledged,
    digest: computeRequestDigest(clientId, payload, sha256),
    operations,
    bytes,
  };
}

/** A batch of these requests. */
export function batchOfRequests(requests: readonly SignedRequest[], timestampMs = 1_000) {
  const bytes = encodeBatch(timestampMs, requests);
  return { bytes, digest: sha256(bytes) };
}

/** A vote of one type. */
export interface VoteOf<T> {
  readonly type: T;
  readonly view: View;
  readonly sequence: Sequence;
  readonly batchDigest: Digest;
}

/** A vote on a digest. */
export function voteOf<T extends 'prePrepare' | 'prepare' | 'commit'>(
  type: T,
  at: number,
  batchDigest: Digest,
  inView = 0,
): VoteOf<T> {
  return { type, view: view(inView), sequence: sequence(at), batchDigest };
}

/** A checkpoint of a header digest. */
export function checkpointOf(at: number, headerDigest: Digest): Checkpoint {
  return { type: 'checkpoint', sequence: sequence(at), headerDigest };
}

/** The Status of a replica that lacks nothing. */
export function statusTo(to: number, lastExecuted = 0, heard = 0): Status {
  return {
    type: 'status',
    to: replicaId(to),
    view: view(0),
    active: true,
    lowWatermark: sequence(0),
    lastExecuted: sequence(lastExecuted),
    clockMs: 1_000,
    missingPrePrepares: new Uint8Array(),
    missingPrepares: new Uint8Array(),
    missingCommits: new Uint8Array(),
    checkpoints: [],
    number: 1,
    recovering: false,
    viewChanges: [],
    newViewDigest: undefined,
    heard,
  };
}

/** A lone statement as a peer sends it. */
export function signedBytes(message: ProtocolMessage, sender: number): Uint8Array {
  return encodePeerMessage({ kind: 'signed', signed: fakeSigned(message, sender) });
}

/** A proposal of the primary of view 0, unless said. */
export function proposalBytes(
  at: number,
  requests: readonly SignedRequest[],
  options: { readonly sender?: number; readonly digest?: Digest; readonly batchBytes?: Uint8Array } = {},
): Uint8Array {
  const batch = batchOfRequests(requests);
  const prePrepare = fakeSigned(voteOf('prePrepare', at, options.digest ?? batch.digest), options.sender ?? 0);
  return encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes: options.batchBytes ?? batch.bytes });
}

/** A batch with commits of these replicas. */
export function committedBatchBytes(at: number, requests: readonly SignedRequest[], signers: readonly number[]) {
  const batch = batchOfRequests(requests);
  const commits = signers.map((sender) => fakeSigned(voteOf('commit', at, batch.digest), sender));
  return encodePeerMessage({ kind: 'committedBatch', batchBytes: batch.bytes, commits });
}

/** A checkpoint certificate of these replicas. */
export function checkpointCertificateBytes(at: number, headerDigest: Digest, signers: readonly number[]): Uint8Array {
  const checkpoints = signers.map((sender) => fakeSigned(checkpointOf(at, headerDigest), sender));
  return encodePeerMessage({ kind: 'checkpointCertificate', checkpoints });
}
