/**
 * A message on the network, taken apart for the checks: which signed statements it carries, and what it is in words.
 * Each is taken apart once, however many peers it goes to.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { PrePrepare, ProtocolMessage, Signed } from '../../../src/protocol/messages.js';
import { decodeEnvelope, type Envelope } from '../../../src/wire/envelope.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import { decodePayload } from '../../../src/wire/message-codec.js';
import { decodePeerMessage } from '../../../src/wire/peer-codec.js';
import type { FetchAnswer, PeerInput } from '../../../src/wire/peer-message.js';
import { fingerprint } from '../kernel/trace.js';

/** A replica's signed statement. */
export interface SeenStatement {
  readonly sender: ReplicaId;
  readonly message: ProtocolMessage;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** A message that was sent. */
export interface SeenMessage {
  /** Undefined where it is not even well-formed. */
  readonly input: PeerInput | undefined;
  readonly statements: readonly SeenStatement[];
  /** Whether each statement of a replica in it could be read; what could not is not among `statements`. */
  readonly isWhole: boolean;
  readonly sizeBytes: number;
}

/** Takes messages apart, remembering those it has seen. */
export class MessageReader {
  private readonly seen = new WeakMap<Uint8Array, SeenMessage>();

  constructor(private readonly limits: WireLimits) {}

  /** The parts of a message. */
  read(bytes: Uint8Array): SeenMessage {
    let message = this.seen.get(bytes);
    if (message === undefined) {
      const decoded = decodePeerMessage(bytes, this.limits);
      const input = decoded.ok ? decoded.value : undefined;
      const envelopes = input === undefined ? [] : envelopesOf(input);
      const read = envelopes.map((envelope) => this.statementOf(envelope));
      const isWhole = read.every((statements) => statements.length > 0);
      message = { input, statements: read.flat(), isWhole, sizeBytes: bytes.length };
      this.seen.set(bytes, message);
    }
    return message;
  }

  private statementOf({ type, sender, payload, signature }: Envelope): SeenStatement[] {
    if (sender.kind !== 'replica' || type === 'request' || type === 'hello' || type === 'header') {
      return [];
    }
    const decoded = decodePayload(type, payload, this.limits);
    if (!decoded.ok) {
      return [];
    }
    const message = decoded.value;
    return [{ sender: sender.replica, message, payload, signature }, ...carriedBy(message)];
  }
}

/**
 * Whether it is a statement that goes back to whoever signed it, to remind him of it (protocol.md 8a): nobody has judged
 * what stands in it, and what he forged there nobody said.
 */
export function isShownToItsSigner({ input }: SeenMessage, to: ReplicaId): boolean {
  const sender = input?.kind === 'signed' ? input.envelope.sender : undefined;
  return sender?.kind === 'replica' && sender.replica === to;
}

/** The statements inside a statement about views. */
function carriedBy(message: ProtocolMessage): readonly SeenStatement[] {
  switch (message.type) {
    case 'viewChange':
      return [
        ...message.checkpointCertificate,
        ...message.prepared.flatMap(({ prePrepare, prepares }) => [prePrepare, ...prepares]),
      ];
    case 'newView':
      return message.prePrepares;
    default:
      return [];
  }
}

function envelopesOf(input: PeerInput): readonly Envelope[] {
  switch (input.kind) {
    case 'signed':
      return [input.envelope];
    case 'proposal':
      return [input.prePrepare];
    case 'committedBatch':
      return input.commits;
    case 'checkpointCertificate':
      return input.checkpoints;
    case 'fetchAnswer':
      return answerEnvelopes(input.answer);
    case 'evidence':
      return [input.first, input.second];
    default:
      return [];
  }
}

function answerEnvelopes(answer: FetchAnswer): readonly Envelope[] {
  switch (answer.kind) {
    case 'checkpointCertificate':
      return answer.checkpoints;
    default:
      return [];
  }
}

/** A message in a few words. */
export function describeMessage({ input, statements, sizeBytes }: SeenMessage): string {
  if (input === undefined) {
    return `malformed (${sizeBytes} bytes)`;
  }
  const said = statements.map(({ sender, message }) => `${sender}: ${describeStatement(message)}`).join(', ');
  switch (input.kind) {
    case 'request':
      return describeRequest(input.bytes);
    case 'fetch':
      return `fetch ${JSON.stringify(input.what)}`;
    case 'fetchAnswer':
      return `fetchAnswer ${input.answer.kind} ${said}`;
    default:
      return `${input.kind} ${said}`.trimEnd();
  }
}

/** A statement in a few words. */
export function describeStatement(message: ProtocolMessage): string {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return `${message.type} v${message.view} s${message.sequence} ${message.batchDigest.slice(0, 8)}`;
    case 'checkpoint':
      return `checkpoint s${message.sequence} ${message.headerDigest.slice(0, 8)}`;
    case 'status':
      return `status v${message.view} h${message.lowWatermark} executed ${message.lastExecuted}`;
    case 'viewChange':
      return `viewChange v${message.newView} h${message.stableCheckpoint} ${describeList(message.prepared)}`;
    case 'newView':
      return `newView v${message.newView} by ${message.viewChanges.map(({ replica }) => replica).join(' ')} ${describeList(
        message.prePrepares.map((prePrepare) => ({ prePrepare })),
      )}`;
  }
}

function describeRequest(bytes: Uint8Array): string {
  const envelope = decodeEnvelope(bytes);
  const { sender } = envelope.ok ? envelope.value : {};
  return `request ${sender?.kind === 'client' ? sender.clientId.slice(0, 8) : 'malformed'} ${fingerprint(bytes).toString(16)}`;
}

function describeList(proofs: readonly { readonly prePrepare: Signed<PrePrepare> }[]): string {
  const said = proofs.map(({ prePrepare: { message } }) => {
    return `v${message.view} s${message.sequence} ${message.batchDigest.slice(0, 8)}`;
  });
  return `[${said.join(', ')}]`;
}
