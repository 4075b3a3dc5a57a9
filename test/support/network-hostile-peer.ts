/** Someone at the peer port of a replica, with whatever credentials, who says whatever the test wants. */
import assert from 'node:assert/strict';
import { type KeyObject, randomBytes } from 'node:crypto';
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import forge from 'node-forge';
import { sha256 } from '../../src/crypto/hash.js';
import { privatePem, publicKeyOf } from '../../src/crypto/keys.js';
import { createSigner } from '../../src/crypto/signatures.js';
import { asBuffer, asFrame, CONNECT_PATH } from '../../src/network/peer-service.js';
import type { LinkTls, PeerAddress } from '../../src/network/transport-options.js';
import { type ReplicaId, replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import type { Digest } from '../../src/util/digest.js';
import { frameOf, messagesOf } from '../../src/wire/frame.js';
import { decodeHello, encodeHello, type Hello } from '../../src/wire/hello-codec.js';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peer-codec.js';
import { CLUSTER_ID, type ClusterKeys, tlsOf, until } from './network-cluster.js';

const LIMITS = {
  replicaCount: 4,
  windowSize: 256,
  checkpointInterval: 128,
  batchOperationsMax: 1000,
  batchBytesMax: 2 ** 21,
  requestBytesMax: 2 ** 20,
};

/** A certificate made by hand. */
export interface OddCertificate {
  readonly key: KeyObject;
  readonly issuerKey: KeyObject;
  /** As the authority's subject is written. */
  readonly issuerName: string;
  readonly commonName: string;
  /** URIs in the subject's alternative names; none for no extension at all. */
  readonly uris: readonly string[];
}

/** Signs a certificate that no `pbft` command would make. */
export function makeOddCertificate(odd: OddCertificate): string {
  const certificate = forge.pki.createCertificate();
  const spki = publicKeyOf(odd.key).export({ type: 'spki', format: 'pem' }).toString();
  certificate.publicKey = forge.pki.publicKeyFromPem(spki);
  certificate.serialNumber = `40${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - 3_600_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  certificate.setSubject([{ name: 'commonName', value: odd.commonName }]);
  certificate.setIssuer([{ name: 'commonName', value: odd.issuerName }]);
  const altNames = odd.uris.map((value) => ({ type: 6, value }));
  certificate.setExtensions([
    { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }]),
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privatePem(odd.issuerKey)), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

/** The name of the tests' authority, as its own certificate has it. */
export const AUTHORITY_NAME = `pbft authority ${CLUSTER_ID.slice(0, 16)}`;

/** One stream to a replica. */
export class HostileStream {
  readonly frames: Uint8Array[] = [];
  /** Frames that the connection has taken. */
  flushedCount = 0;
  private writtenCount = 0;
  end: StatusObject | undefined;
  private readonly client: Client;
  private readonly call: ClientDuplexStream<Uint8Array, Uint8Array>;

  constructor(client: Client, isReading: boolean) {
    this.client = client;
    this.call = client.makeBidiStreamRequest(CONNECT_PATH, asBuffer, asFrame, new Metadata());
    this.call.on('error', () => undefined);
    this.call.on('status', (ending: StatusObject) => {
      this.end = ending;
    });
    if (isReading) {
      this.startReading();
    }
  }

  startReading(): void {
    this.call.on('data', (frame: Uint8Array) => this.frames.push(frame));
  }

  /** Takes out one frame, and no more. */
  async readOne(): Promise<Uint8Array> {
    let frame: Uint8Array | undefined;
    const take = (): boolean => {
      frame ??= this.call.read() ?? undefined;
      return frame !== undefined || this.end !== undefined;
    };
    await until(take, 'a frame');
    assert.ok(frame !== undefined, `the stream ended: ${this.end?.details}`);
    return frame;
  }

  /** A second stream on the same connection. */
  sibling(): HostileStream {
    return new HostileStream(this.client, true);
  }

  /** Frames that the connection hasn't taken. */
  get unflushedCount(): number {
    return this.writtenCount - this.flushedCount;
  }

  write(frame: Uint8Array): void {
    this.writtenCount += 1;
    this.call.write(frame, () => {
      this.flushedCount += 1;
    });
  }

  /** The other side's certificate, once something came from it. */
  listenerCertificateDigest(): Digest {
    const raw = this.call.getAuthContext()?.sslPeerCertificate?.raw;
    assert.ok(raw !== undefined);
    return sha256(raw);
  }

  /** Waits for the stream's end and says how it was. */
  async ended(): Promise<string> {
    await until(() => this.end !== undefined, 'the end of the stream');
    return `${status[this.end?.code ?? 0]}: ${this.end?.details}`;
  }

  close(): void {
    this.call.cancel();
    this.client.close();
  }
}

/** Key and certificate; without one of them none is shown. */
export type Credentials = LinkTls | { readonly authorityPem: string };

/** Opens a stream; its frames are kept unless `isReading` is false. */
export function openStream(address: PeerAddress, shown: Credentials, isReading = true): HostileStream {
  const own = 'keyPem' in shown ? [Buffer.from(shown.keyPem), Buffer.from(shown.certificatePem)] : [null, null];
  const tls = credentials.createSsl(Buffer.from(shown.authorityPem), ...([own[0], own[1]] as const), {
    checkServerIdentity: () => undefined,
  });
  const client = new Client(`${address.host}:${address.port}`, tls, {
    'grpc.ssl_target_name_override': 'victim',
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  });
  return new HostileStream(client, isReading);
}

/** The Greeting as a frame. */
export function greetingFrame(nonce: Uint8Array, from: number, to: number): Uint8Array {
  const greeting = { nonce, from: replicaId(from), to: replicaId(to) };
  return frameOf([encodePeerMessage({ kind: 'greeting', greeting })]);
}

/** The Hello in a frame of a listener. */
export function helloIn(frame: Uint8Array): Hello {
  const messages = messagesOf(frame);
  assert.ok(messages.ok);
  const input = decodePeerMessage(messages.value[0] ?? new Uint8Array(), LIMITS);
  assert.ok(input.ok && input.value.kind === 'hello');
  const hello = decodeHello(input.value.envelope.payload);
  assert.ok(hello.ok);
  return hello.value;
}

/** A signed Hello as a frame. */
export function helloFrame(hello: Hello, sender: ReplicaId, signingKey: KeyObject): Promise<Uint8Array> {
  const payload = encodeHello(hello);
  return new Promise((resolve) => {
    createSigner(signingKey, CLUSTER_ID).sign('hello', payload, (signature) => {
      const envelope = { type: 'hello', sender: { kind: 'replica', replica: sender }, payload, signature } as const;
      resolve(frameOf([encodePeerMessage({ kind: 'hello', envelope })]));
    });
  });
}

/** A faulty replica that has all its own keys. */
export class FaultyReplica {
  readonly id: number;
  readonly keys: ClusterKeys;
  readonly tls: LinkTls;

  constructor(id: number, keys: ClusterKeys) {
    this.id = id;
    this.keys = keys;
    this.tls = tlsOf(keys, id);
  }

  signingKey(of = this.id): KeyObject {
    const key = this.keys.signingKeys[of];
    assert.ok(key !== undefined);
    return key;
  }

  /** Opens a stream and goes through the handshake up to its own Hello, which it returns unsent. */
  async greet(address: PeerAddress, to: number, isReading = true): Promise<{ stream: HostileStream; hello: Hello }> {
    const stream = openStream(address, this.tls, isReading);
    stream.write(greetingFrame(randomBytes(32), this.id, to));
    let frame: Uint8Array | undefined;
    if (isReading) {
      await until(() => stream.frames.length > 0 || stream.end !== undefined, 'the hello of the listener');
      frame = stream.frames[0];
    } else {
      frame = await stream.readOne();
    }
    assert.ok(frame !== undefined, `refused: ${stream.end?.details}`);
    const theirs = helloIn(frame);
    return { stream, hello: { ...theirs, from: replicaId(this.id), to: replicaId(to) } };
  }

  /** Goes through the whole handshake. */
  async connect(address: PeerAddress, to: number, isReading = true): Promise<HostileStream> {
    const { stream, hello } = await this.greet(address, to, isReading);
    stream.write(await helloFrame(hello, replicaId(this.id), this.signingKey()));
    return stream;
  }
}

/** A frame with these texts as messages: nothing that a runtime would understand. */
export function textFrame(...texts: string[]): Uint8Array {
  return frameOf(texts.map((text) => utf8(text)));
}
