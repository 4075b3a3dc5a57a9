/**
 * The edge: bytes of a peer become verified events of the core, or nothing. Here, and only here, signatures of others
 * are checked, once: cheap checks first (sender, view, window, already counted), then RSA. (protocol.md 2)
 *
 * 1. Total: nothing that a peer sends throws.
 * 2. A statement is judged by its own signature, not by who relayed it; a Status only from its own link.
 * 3. What a certificate of commits or checkpoints decides needs no signature of clients: correct replicas among its
 *    signers checked them.
 */

import type { RejectedType, RejectionReason } from '../../ports/metrics.js';
import type { Verifier } from '../../ports/signatures.js';
import { areDistinct } from '../../protocol/certificates.js';
import type { Core } from '../../protocol/core.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type {
  EncodedBatch,
  ProtocolMessage,
  RequestKey,
  Signed,
  SignedRequest,
  Verified,
  ViewChange,
} from '../../protocol/messages.js';
import type { InputType } from '../../protocol/notes.js';
import type { Rejection } from '../../protocol/rejection.js';
import { checked, isOf } from '../../protocol/verified.js';
import type { Digest, Hash } from '../../util/digest.js';
import { type DecodedBatch, decodeBatch } from '../../wire/batch-codec.js';
import type { Envelope } from '../../wire/envelope.js';
import type { WireLimits } from '../../wire/limits.js';
import { decodePayload } from '../../wire/message-codec.js';
import { decodePeerMessage } from '../../wire/peer-codec.js';
import type { PeerInput } from '../../wire/peer-message.js';
import { decodeRequest, type UnverifiedRequest } from '../../wire/request-codec.js';
import type { PreparedOperations } from '../execution/prepared-operations.js';
import { EvidenceJudge } from './evidence-judge.js';
import { OwnStatementJudge } from './own-statement-judge.js';
import { isProtocolType, openStatement } from './unverified.js';
import type { VerifiedRequests } from './verified-requests.js';

/** What ingress needs. */
export interface IngressOptions {
  readonly replica: ReplicaId;
  readonly core: Pick<
    Core,
    'screen' | 'screenRequest' | 'screenCommitted' | 'screenCheckpoints' | 'screenEvidence' | 'screenOwn'
  >;
  readonly limits: WireLimits;
  readonly hash: Hash;
  readonly verifier: Verifier;
  readonly verifiedRequests: VerifiedRequests;
  readonly operations: Pick<PreparedOperations, 'isBatchTooCostly' | 'isRequestTooCostly'>;
  /** Whether the request is executed or dead by the client table. */
  readonly isSettled: (key: RequestKey) => boolean;
  /** Whether the client table would refuse the number now though it may take it later. */
  readonly isBeyondWindow: (request: SignedRequest) => boolean;
  /** Keeps a batch's requests at hand for execution. */
  readonly keepBatch: (batch: EncodedBatch, requests: readonly SignedRequest[]) => void;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  readonly onRejected: (type: RejectedType, reason: RejectionReason, peer: ReplicaId) => void;
}

/** What a message of a peer comes to: an event for the core, or a question or an answer of those who catch up. */
export type Judged = Event | Extract<PeerInput, { kind: 'fetch' | 'fetchAnswer' }>;

/** Whether a message of a type travels alone; a pre-prepare comes with its batch. */
const IS_LONE: Readonly<Record<ProtocolMessage['type'], boolean>> = {
  prePrepare: false,
  prepare: true,
  commit: true,
  checkpoint: true,
  status: true,
  viewChange: true,
  newView: true,
};

/** Judges what peers send. */
export class Ingress {
  private readonly own: OwnStatementJudge;
  private readonly evidence: EvidenceJudge;

  constructor(private readonly options: IngressOptions) {
    this.own = new OwnStatementJudge(options);
    this.evidence = new EvidenceJudge({ ...options, isGenuine: (signed) => this.isGenuine(signed) });
  }

  /** What a peer's message comes to, or undefined where it is not taken. */
  judge(peer: ReplicaId, bytes: Uint8Array): Judged | undefined {
    const decoded = decodePeerMessage(bytes, this.options.limits);
    if (!decoded.ok) {
      return this.reject('frame', 'malformed', peer);
    }
    const input = decoded.value;
    switch (input.kind) {
      case 'signed':
        return this.judgeSigned(peer, input.envelope);
      case 'proposal':
        return this.judgeProposal(peer, input.prePrepare, input.batchBytes);
      case 'request':
        return this.judgeRequest(peer, input.bytes);
      case 'committedBatch':
        return this.judgeCommittedBatch(peer, input.batchBytes, input.commits);
      case 'checkpointCertificate':
        return this.judgeCheckpointCertificate(peer, input.checkpoints);
      case 'evidence':
        return this.evidence.judge(peer, input.first, input.second);
      case 'fetch':
      case 'fetchAnswer':
        return input;
      case 'greeting':
      case 'hello':
        return this.reject('frame', 'misplaced', peer);
    }
  }

  private judgeSigned(peer: ReplicaId, envelope: Envelope): Event | undefined {
    if (envelope.sender.kind === 'replica' && envelope.sender.replica === this.options.replica) {
      return this.own.judge(peer, envelope);
    }
    if (!isProtocolType(envelope.type) || !IS_LONE[envelope.type]) {
      return this.reject('frame', 'misplaced', peer);
    }
    if (envelope.type === 'status' && !(envelope.sender.kind === 'replica' && envelope.sender.replica === peer)) {
      return this.reject('status', 'relayed', peer);
    }
    const signed = this.verify(peer, envelope);
    if (signed === undefined) {
      return undefined;
    }
    const { message } = signed;
    if (message.type === 'prePrepare') {
      return this.reject('prePrepare', 'misplaced', peer);
    }
    if (message.type === 'newView' && !message.prePrepares.every((prePrepare) => this.isGenuine(prePrepare))) {
      return this.reject('newView', 'signature', peer);
    }
    const received: Event = { kind: 'messageReceived', message: checked({ ...signed, message }), over: peer };
    return this.evidence.judgeWithLate(peer, signed) ?? received;
  }

  /** Decodes, screens and verifies one replica's statement. */
  private verify(peer: ReplicaId, envelope: Envelope): Signed | undefined {
    const { type, sender, payload, signature } = envelope;
    if (sender.kind !== 'replica' || !isProtocolType(type)) {
      return this.reject('frame', 'misplaced', peer);
    }
    const decoded = decodePayload(type, payload, this.options.limits);
    if (!decoded.ok) {
      return this.reject(type, 'malformed', peer);
    }
    if (sender.replica === this.options.replica) {
      // Own statements come from own signing only: one that a peer relays is known or forged.
      return this.reject(type, 'own', peer);
    }
    const signed = { message: decoded.value, sender: sender.replica, payload, signature };
    const rejection = this.options.core.screen(signed);
    if (rejection !== undefined) {
      if (rejection.code === 'late' && sender.replica === peer) {
        this.evidence.late.keep(signed);
      }
      return this.reject(type, rejection.code, peer);
    }
    return this.isGenuine(signed) ? signed : this.reject(type, 'signature', peer);
  }

  /** The view change in an envelope whose own signature is right; its certificates are judged later. */
  verifyViewChange(envelope: Envelope): Verified<Signed<ViewChange>> | undefined {
    const signed = openStatement(envelope, this.options.limits);
    return signed !== undefined && isOf(signed, 'viewChange') && this.isGenuine(signed) ? checked(signed) : undefined;
  }

  private isGenuine({ message, sender, payload, signature }: Signed): boolean {
    return this.options.verifier.verifyReplica(message.type, sender, payload, signature);
  }

  private judgeProposal(peer: ReplicaId, envelope: Envelope, batchBytes: Uint8Array): Event | undefined {
    const signed = this.verify(peer, envelope);
    if (signed === undefined) {
      return undefined;
    }
    const { message } = signed;
    if (message.type !== 'prePrepare') {
      return this.reject('prePrepare', 'misplaced', peer);
    }
    const decoded = this.decodeBatch(peer, 'prePrepare', batchBytes, message.batchDigest);
    if (decoded !== undefined && this.options.operations.isBatchTooCostly(decoded.requests)) {
      return this.reject('prePrepare', 'tooCostly', peer);
    }
    if (decoded === undefined || !this.verifyRequests(peer, decoded.requests)) {
      return undefined;
    }
    this.options.keepBatch(
      decoded.batch,
      decoded.requests.map(({ request }) => request),
    );
    return {
      kind: 'prePrepareReceived',
      prePrepare: checked({ ...signed, message }),
      batch: checked(decoded.batch),
      // What is done already waits for nothing, whoever proposes it again.
      requests: decoded.requests.flatMap(({ request }) => (this.options.isSettled(request) ? [] : [checked(request)])),
      over: peer,
    };
  }

  private decodeBatch(
    peer: ReplicaId,
    type: InputType,
    batchBytes: Uint8Array,
    digest: Digest,
  ): DecodedBatch | undefined {
    const { limits, hash } = this.options;
    if (batchBytes.length > limits.batchBytesMax) {
      return this.reject(type, 'malformed', peer);
    }
    const decoded = decodeBatch(batchBytes, limits, hash);
    if (!decoded.ok) {
      return this.reject(type, 'malformed', peer);
    }
    return decoded.value.batch.digest === digest ? decoded.value : this.reject(type, 'digest', peer);
  }

  private verifyRequests(peer: ReplicaId, requests: readonly UnverifiedRequest[]): boolean {
    for (const request of requests) {
      if (!this.options.verifiedRequests.verify(request)) {
        this.reject('prePrepare', 'requestSignature', peer);
        return false;
      }
    }
    return true;
  }

  private judgeRequest(peer: ReplicaId, bytes: Uint8Array): Event | undefined {
    const { limits, hash, core, isSettled, isBeyondWindow, verifiedRequests } = this.options;
    const decoded = decodeRequest(bytes, limits, hash);
    if (!decoded.ok) {
      return this.reject('request', 'malformed', peer);
    }
    const { request } = decoded.value;
    if (isSettled(request)) {
      return this.reject('request', 'settled', peer);
    }
    if (isBeyondWindow(request)) {
      return this.reject('request', 'beyondWindow', peer);
    }
    const rejection = core.screenRequest(request, request.bytes.length);
    if (rejection !== undefined) {
      return this.reject('request', rejection.code, peer);
    }
    if (this.options.operations.isRequestTooCostly(request)) {
      return this.reject('request', 'tooCostly', peer);
    }
    if (!verifiedRequests.verify(decoded.value)) {
      return this.reject('request', 'signature', peer);
    }
    return { kind: 'requestReceived', request: checked(request), from: peer };
  }

  private judgeCommittedBatch(
    peer: ReplicaId,
    batchBytes: Uint8Array,
    envelopes: readonly Envelope[],
  ): Event | undefined {
    const commits = this.verifyAll(peer, 'commit', 'committedBatch', envelopes, (statements) =>
      this.options.core.screenCommitted(statements),
    );
    const first = commits?.[0]?.message;
    if (commits === undefined || first === undefined) {
      return undefined;
    }
    const decoded = this.decodeBatch(peer, 'committedBatch', batchBytes, first.batchDigest);
    if (decoded === undefined) {
      return undefined;
    }
    this.options.keepBatch(
      decoded.batch,
      decoded.requests.map(({ request }) => request),
    );
    return {
      kind: 'committedBatchReceived',
      batch: checked(decoded.batch),
      certificate: { commits },
      from: peer,
    };
  }

  private judgeCheckpointCertificate(peer: ReplicaId, envelopes: readonly Envelope[]): Event | undefined {
    const checkpoints = this.verifyAll(peer, 'checkpoint', 'checkpointCertificate', envelopes, (statements) =>
      this.options.core.screenCheckpoints(statements),
    );
    return checkpoints === undefined
      ? undefined
      : { kind: 'checkpointCertificateReceived', certificate: { checkpoints }, from: peer };
  }

  /** The verified checkpoints of a certificate that was asked for; undefined where one is bad. */
  verifyCheckpoints(
    peer: ReplicaId,
    envelopes: readonly Envelope[],
  ): readonly Verified<Signed<Extract<ProtocolMessage, { type: 'checkpoint' }>>>[] | undefined {
    return this.verifyAll(peer, 'checkpoint', 'checkpointCertificate', envelopes, () => undefined);
  }

  /** Verifies each statement of a certificate; own ones too, because others may hold what this replica lost. */
  private verifyAll<T extends 'commit' | 'checkpoint'>(
    peer: ReplicaId,
    type: T,
    inputType: InputType,
    envelopes: readonly Envelope[],
    screen: (statements: readonly Signed<Extract<ProtocolMessage, { type: T }>>[]) => Rejection | undefined,
  ): readonly Verified<Signed<Extract<ProtocolMessage, { type: T }>>>[] | undefined {
    const statements: Signed<Extract<ProtocolMessage, { type: T }>>[] = [];
    for (const envelope of envelopes) {
      const signed = openStatement(envelope, this.options.limits);
      if (signed === undefined || !isOf(signed, type)) {
        return this.reject(inputType, 'malformed', peer);
      }
      statements.push(signed);
    }
    const signers = statements.map(({ sender }) => sender);
    if (!areDistinct(signers, 1)) {
      return this.reject(inputType, 'badCertificate', peer);
    }
    const rejection = screen(statements);
    if (rejection !== undefined) {
      return this.reject(inputType, rejection.code, peer);
    }
    if (!statements.every((signed) => this.isGenuine(signed))) {
      return this.reject(inputType, 'signature', peer);
    }
    return statements.map((signed) => checked(signed)).sort((left, right) => left.sender - right.sender);
  }

  private reject(type: RejectedType, reason: RejectionReason, peer: ReplicaId): undefined {
    this.options.onRejected(type, reason, peer);
    return undefined;
  }
}
