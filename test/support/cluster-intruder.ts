/** A faulty replica in a cluster of processes: it has all keys of the replica whose folder it reads, and says what it likes. */
import assert from 'node:assert/strict';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/crypto/hash.js';
import { computeClientId } from '../../src/crypto/keys.js';
import { createSigner } from '../../src/crypto/signatures.js';
import type { LinkTls } from '../../src/network/transport-options.js';
import type { Signer } from '../../src/ports/signatures.js';
import { type ReplicaId, replicaId, sequence, view } from '../../src/protocol/identifiers.js';
import type { ProtocolMessage, Signed } from '../../src/protocol/messages.js';
import { utf8 } from '../../src/util/bytes.js';
import { type ClientId, digestOf } from '../../src/util/digest.js';
import { encodeEnvelope } from '../../src/wire/envelope.js';
import { frameOf } from '../../src/wire/frame.js';
import { encodeHello } from '../../src/wire/hello-codec.js';
import { encodePayload } from '../../src/wire/message-codec.js';
import { encodePeerMessage } from '../../src/wire/peer-codec.js';
import { encodeRequestPayload } from '../../src/wire/request-codec.js';
import { greetingFrame, type HostileStream, helloIn, openStream } from './network-hostile-peer.js';

/** Of RSA-2048. */
const SIGNATURE_BYTES = 256;

/** What an intruder must know of the cluster: its folder, and the peer port of each replica. */
export interface IntrudedCluster {
  readonly directory: string;
  readonly peerPorts: readonly number[];
}

/** The intruder. The replica whose place it takes must not run. */
export class Intruder {
  readonly id: ReplicaId;
  readonly #cluster: IntrudedCluster;
  readonly tls: LinkTls;
  readonly clientId: ClientId;
  readonly #signer: Signer;

  constructor(cluster: IntrudedCluster, id: number) {
    const read = (name: string): string => readFileSync(join(cluster.directory, `replica-${id}`, name), 'utf8');
    const clusterId = sha256(readFileSync(join(cluster.directory, 'genesis.json')));
    this.id = replicaId(id);
    this.#cluster = cluster;
    this.tls = { keyPem: read('tls.key'), certificatePem: read('tls.crt'), authorityPem: read('ca.crt') };
    const key = createPrivateKey(read('signing.key'));
    this.clientId = computeClientId(key);
    this.#signer = createSigner(key, clusterId);
  }

  /** A stream to a replica with a lower id, with the handshake done. Rejects where it is refused, as after too many. */
  async connect(to: number, isReading = true): Promise<HostileStream> {
    const port = this.#cluster.peerPorts[to];
    assert.ok(port !== undefined);
    const stream = openStream({ host: '127.0.0.1', port }, this.tls, false);
    try {
      stream.write(greetingFrame(randomBytes(32), this.id, to));
      const theirs = helloIn(await stream.readOne());
      const payload = encodeHello({ ...theirs, from: this.id, to: replicaId(to) });
      const signature = await this.#sign('hello', payload);
      const envelope = { type: 'hello', sender: { kind: 'replica', replica: this.id }, payload, signature } as const;
      stream.write(frameOf([encodePeerMessage({ kind: 'hello', envelope })]));
    } catch (error) {
      stream.close();
      throw error;
    }
    if (isReading) {
      stream.startReading();
    }
    return stream;
  }

  /** A frame with a message that this replica really signed; `payload` is signed in place of the message's own. */
  async signedFrame(message: ProtocolMessage, payload: Uint8Array = encodePayload(message)): Promise<Uint8Array> {
    const signature = await this.#sign(message.type, payload);
    return frameOf([encodePeerMessage({ kind: 'signed', signed: { message, sender: this.id, payload, signature } })]);
  }

  /** A frame with prepares of this replica for sequences in a row, none of which it signed. */
  forgedPrepares(of: { readonly view: number; readonly first: number; readonly count: number }): Uint8Array {
    const batchDigest = digestOf(randomBytes(32)) ?? assert.fail();
    const signature = randomBytes(SIGNATURE_BYTES);
    const messages = Array.from({ length: of.count }, (_, index) => {
      const at = sequence(of.first + index);
      const message = { type: 'prepare', view: view(of.view), sequence: at, batchDigest } as const;
      const payload = encodePayload(message);
      return encodePeerMessage({ kind: 'signed', signed: { message, sender: this.id, payload, signature } });
    });
    return frameOf(messages);
  }

  /** A message that this replica really signed. */
  async signed<M extends ProtocolMessage>(message: M): Promise<Signed<M>> {
    const payload = encodePayload(message);
    return { message, sender: this.id, payload, signature: await this.#sign(message.type, payload) };
  }

  /** A request of the client that this replica is for its callers, as peers pass it on; badly signed where asked. */
  async request(
    number: number,
    isGenuine = true,
    operations: readonly Uint8Array[] = [utf8(`request ${number}`)],
  ): Promise<Uint8Array> {
    const { clientId } = this;
    const payload = encodeRequestPayload({ clientId, number, acknowledged: 0, operations });
    const signature = isGenuine ? await this.#sign('request', payload) : randomBytes(SIGNATURE_BYTES);
    return encodePeerMessage({
      kind: 'request',
      bytes: encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature }),
    });
  }

  #sign(type: ProtocolMessage['type'] | 'hello' | 'request', payload: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => this.#signer.sign(type, payload, resolve));
  }
}
