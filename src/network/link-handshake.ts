/**
 * Speaks the handshake on a stream whose other end TLS has proven, and hands the stream on when both ends have. Anything
 * out of turn ends it. The deadline is the business of who opened the stream.
 */
import { randomBytes } from 'node:crypto';
import type { Signer, Verifier } from '../ports/signatures.js';
import type { Digest } from '../util/digest.js';
import type { Envelope } from '../wire/envelope.js';
import { frameOf, messagesOf } from '../wire/frame.js';
import { decodeHello, encodeHello, type Hello, NONCE_BYTES } from '../wire/hello-codec.js';
import { REPLICA_COUNT_MAX, type WireLimits } from '../wire/limits.js';
import { decodePeerMessage, encodePeerMessage } from '../wire/peer-codec.js';
import type { PeerInput } from '../wire/peer-message.js';
import type { FrameReceiver, LinkStream } from './frame-stream.js';
import { type LinkBinding, type LinkEnds, makeHello, rejectGreeting, rejectHello } from './handshake.js';
import type { LinkEnd } from './link-end.js';
import type { ClusterTerms } from './transport-options.js';

/** More than a Hello with its signature takes. */
const HANDSHAKE_FRAME_BYTES_MAX = 8 * 1024;
/** Nothing with a batch or a request is read here. */
const HANDSHAKE_LIMITS: WireLimits = {
  replicaCount: REPLICA_COUNT_MAX,
  windowSize: 0,
  checkpointInterval: 1,
  batchOperationsMax: 0,
  batchBytesMax: 0,
  requestBytesMax: 0,
};
const NO_NONCE = new Uint8Array(NONCE_BYTES);

/** What both sides of a handshake need. */
export interface HandshakeOptions {
  readonly ends: LinkEnds;
  readonly terms: ClusterTerms;
  readonly signer: Signer;
  readonly verifier: Verifier;
  /** SHA-256 of the own TLS certificate. */
  readonly ownCertificateDigest: Digest;
  /** Of the peer's, known when something comes from it. */
  readonly peerCertificateDigest: () => Digest;
  /** Both ends are proven: messages may flow. */
  readonly onDone: () => void;
  /** It failed, or the stream ended under it. Not called after `onDone`. */
  readonly onFailed: (end: LinkEnd) => void;
}

function helloFrame(payload: Uint8Array, signature: Uint8Array, ends: LinkEnds): Uint8Array {
  const envelope: Envelope = { type: 'hello', sender: { kind: 'replica', replica: ends.own }, payload, signature };
  return frameOf([encodePeerMessage({ kind: 'hello', envelope })]);
}

/** The one message of a frame of the handshake. */
function onlyMessageOf(frame: Uint8Array): PeerInput | undefined {
  if (frame.length > HANDSHAKE_FRAME_BYTES_MAX) {
    return undefined;
  }
  const messages = messagesOf(frame);
  const [message, ...others] = messages.ok ? messages.value : [];
  if (message === undefined || others.length > 0) {
    return undefined;
  }
  const input = decodePeerMessage(message, HANDSHAKE_LIMITS);
  return input.ok ? input.value : undefined;
}

/** What the two sides have in common. */
abstract class LinkHandshake implements FrameReceiver {
  protected readonly stream: LinkStream;
  protected readonly options: HandshakeOptions;

  constructor(stream: LinkStream, options: HandshakeOptions) {
    this.stream = stream;
    this.options = options;
    stream.setReceiver(this);
  }

  abstract onFrame(frame: Uint8Array): void;

  onDrain(): void {
    // Two small frames never fill a stream.
  }

  onEnd(end: LinkEnd): void {
    this.options.onFailed(end);
  }

  protected breakOff(text: string): void {
    this.stream.end({ reason: 'handshake', text: `replica ${this.options.ends.peer}: ${text}` });
  }

  /** Signs and sends the own Hello, unless the stream ends meanwhile. */
  protected sendHello(binding: LinkBinding, onSent: () => void): void {
    const payload = encodeHello(makeHello(this.options.ends, this.options.terms, binding));
    this.options.signer.sign('hello', payload, (signature) => {
      if (!this.stream.hasEnded) {
        this.stream.write(helloFrame(payload, signature, this.options.ends), () => undefined);
        onSent();
      }
    });
  }

  /** The Hello in a frame with its envelope, or undefined. */
  protected helloIn(frame: Uint8Array): { readonly hello: Hello; readonly envelope: Envelope } | undefined {
    const input = onlyMessageOf(frame);
    if (input?.kind !== 'hello') {
      return undefined;
    }
    const { envelope } = input;
    const { sender } = envelope;
    if (envelope.type !== 'hello' || sender.kind !== 'replica' || sender.replica !== this.options.ends.peer) {
      return undefined;
    }
    const hello = decodeHello(envelope.payload);
    return hello.ok ? { hello: hello.value, envelope } : undefined;
  }

  protected isSignedByPeer(envelope: Envelope): boolean {
    const { verifier, ends } = this.options;
    return verifier.verifyReplica('hello', ends.peer, envelope.payload, envelope.signature);
  }
}

/** The dialler's side: greets, judges, answers. */
export class DiallerHandshake extends LinkHandshake {
  private readonly nonce = new Uint8Array(randomBytes(NONCE_BYTES));
  private isAnswered = false;
  /** Told in place of how the listener ends the stream. */
  private mismatch: LinkEnd | undefined;

  constructor(stream: LinkStream, options: HandshakeOptions) {
    super(stream, options);
    const { own, peer } = options.ends;
    const greeting = encodePeerMessage({ kind: 'greeting', greeting: { nonce: this.nonce, from: own, to: peer } });
    stream.write(frameOf([greeting]), () => undefined);
  }

  override onEnd(end: LinkEnd): void {
    super.onEnd(this.mismatch ?? end);
  }

  onFrame(frame: Uint8Array): void {
    const found = this.helloIn(frame);
    if (this.isAnswered || found === undefined) {
      this.breakOff('what came is not the one hello that is due');
      return;
    }
    this.isAnswered = true;
    const { ends, terms, ownCertificateDigest, peerCertificateDigest } = this.options;
    const binding: LinkBinding = {
      diallerNonce: this.nonce,
      listenerNonce: found.hello.listenerNonce,
      diallerCertificateDigest: ownCertificateDigest,
      listenerCertificateDigest: peerCertificateDigest(),
    };
    const rejection = rejectHello(found.hello, ends, { terms, binding });
    if (rejection?.reason === 'mismatch') {
      // The listener is told what this end has, so that its operator sees both values too; it then ends the stream.
      this.mismatch = rejection;
      this.sendHello(binding, () => undefined);
    } else if (rejection !== undefined) {
      this.stream.end(rejection);
    } else if (this.isSignedByPeer(found.envelope)) {
      this.sendHello(binding, this.options.onDone);
    } else {
      this.breakOff('the signature of its hello is wrong: its signing key is not the one in the genesis');
    }
  }
}

/** The listener's side: is greeted, answers, judges. */
export class ListenerHandshake extends LinkHandshake {
  private turn: 'greeting' | 'signing' | 'hello' = 'greeting';
  private binding: LinkBinding = {
    diallerNonce: NO_NONCE,
    listenerNonce: new Uint8Array(randomBytes(NONCE_BYTES)),
    diallerCertificateDigest: this.options.peerCertificateDigest(),
    listenerCertificateDigest: this.options.ownCertificateDigest,
  };

  onFrame(frame: Uint8Array): void {
    switch (this.turn) {
      case 'greeting':
        this.onGreeting(onlyMessageOf(frame));
        break;
      case 'signing':
        this.breakOff('it spoke out of turn');
        break;
      case 'hello':
        this.onHello(frame);
        break;
    }
  }

  private onGreeting(input: PeerInput | undefined): void {
    if (input?.kind !== 'greeting') {
      this.breakOff('its first message is not a greeting');
      return;
    }
    const rejection = rejectGreeting(input.greeting, this.options.ends);
    if (rejection !== undefined) {
      this.stream.end(rejection);
      return;
    }
    this.turn = 'signing';
    this.binding = { ...this.binding, diallerNonce: input.greeting.nonce };
    this.sendHello(this.binding, () => {
      this.turn = 'hello';
    });
  }

  private onHello(frame: Uint8Array): void {
    const found = this.helloIn(frame);
    if (found === undefined) {
      this.breakOff('its second message is not its hello');
      return;
    }
    const { ends, terms } = this.options;
    const rejection = rejectHello(found.hello, ends, { terms, binding: this.binding });
    if (rejection !== undefined) {
      this.stream.end(rejection);
    } else if (this.isSignedByPeer(found.envelope)) {
      this.options.onDone();
    } else {
      this.breakOff('the signature of its hello is wrong: its signing key is not the one in the genesis');
    }
  }
}
