/** A replica with a strategy of src/adversary on a bench: what is sent through it, what leaves, and what that says. */
import assert from 'node:assert/strict';
import { createAdversary, type StrategyName } from '../../../src/adversary/adversary.js';
import { createCoalition } from '../../../src/adversary/strategy.js';
import { sha256 } from '../../../src/crypto/hash.js';
import type { Transport, TransportHandlers } from '../../../src/ports/transport.js';
import { type ReplicaId, replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { ProtocolMessage, Signed, ViewChange } from '../../../src/protocol/messages.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { ClientId } from '../../../src/util/digest.js';
import { type DecodedBatch, decodeBatch } from '../../../src/wire/batch-codec.js';
import type { Envelope } from '../../../src/wire/envelope.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { decodePeerMessage } from '../../../src/wire/peer-codec.js';
import { CONSENSUS } from '../../support/core-cluster.js';
import { CountingVerifier, fakeSignature } from '../../support/fake-signatures.js';
import { CLIENT, proposalBytes, signedBytes, signedRequest, voteOf } from '../../support/peer-messages.js';
import { FakeTimers } from '../runtime/fakes.js';

export const OWN = 0;
export const REQUEST_TIMEOUT_MS = 2_000;
export const OWN_CLIENT = 'c0'.repeat(32) as ClientId;
export const LIMITS = { ...CONSENSUS, replicaCount: 4 };
export const [EVEN, ODD] = [replicaId(2), replicaId(1)];
export const DIGEST = sha256(utf8('a batch'));
export const VIEW_CHANGE: ViewChange = {
  type: 'viewChange',
  newView: view(1),
  stableCheckpoint: sequence(0),
  checkpointCertificate: [],
  prepared: [],
};

/** A replica with a strategy, and what leaves it. */
export class Bench {
  readonly timers = new FakeTimers();
  readonly sent: { readonly peer: ReplicaId; readonly bytes: Uint8Array }[] = [];
  private readonly seen: Uint8Array[] = [];
  private handlers: TransportHandlers | undefined;
  readonly transport: Transport;

  constructor(name: StrategyName) {
    this.transport = createAdversary(name, {
      own: replicaId(OWN),
      ownClientId: CLIENT,
      peers: [1, 2, 3].map(replicaId),
      replicaClients: [OWN_CLIENT, CLIENT, OWN_CLIENT, OWN_CLIENT],
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      limits: LIMITS,
      hash: sha256,
      signer: {
        sign: (type, payload, done) => done(fakeSignature(type, type === 'request' ? CLIENT : OWN, payload)),
      },
      timers: this.timers,
      coalition: createCoalition(),
      transport: {
        start: (handlers, started) => {
          this.handlers = handlers;
          started(undefined);
        },
        send: (peer, bytes) => {
          this.sent.push({ peer, bytes });
          return true;
        },
        setReading: () => undefined,
        links: () => [],
        stop: (done) => done(),
      },
    });
    this.transport.start(
      {
        onConnected: () => undefined,
        onDisconnected: () => undefined,
        onMessage: (_peer, bytes) => this.seen.push(bytes),
      },
      () => undefined,
    );
  }

  /** Draws other numbers, one after the other. */
  drawMany(): void {
    let drawn = 1;
    this.timers.random = () => {
      drawn = (drawn * 48_271) % 2_147_483_647;
      return drawn / 2_147_483_647;
    };
  }

  /** What leaves in place of a message. */
  send(peer: ReplicaId, message: Uint8Array): readonly Uint8Array[] {
    this.sent.length = 0;
    this.transport.send(peer, message, 'vote');
    return this.sent.map(({ bytes }) => bytes);
  }

  /** Whether the replica behind the strategy gets to see a message. */
  receive(message: Uint8Array): boolean {
    this.seen.length = 0;
    this.handlers?.onMessage(EVEN, message);
    return this.seen.length > 0;
  }
}

export const prepare = signedBytes(voteOf('prepare', 1, DIGEST), OWN);
export const commit = signedBytes(voteOf('commit', 1, DIGEST), OWN);
export const proposal = proposalBytes(1, [signedRequest(1)]);

export function inputOf(bytes: Uint8Array | undefined) {
  assert.ok(bytes !== undefined, 'nothing left');
  const decoded = decodePeerMessage(bytes, LIMITS);
  assert.ok(decoded.ok, 'what left is not even well-formed');
  return decoded.value;
}

export function statementOf(envelope: Envelope) {
  const decoded = decodePayload(envelope.type as 'prepare', envelope.payload, LIMITS);
  assert.ok(decoded.ok);
  return decoded.value;
}

export function envelopeOf(bytes: Uint8Array | undefined): Envelope {
  const input = inputOf(bytes);
  assert.ok(input.kind === 'signed' || input.kind === 'proposal');
  return input.kind === 'signed' ? input.envelope : input.prePrepare;
}

export function isSigned({ type, sender, payload, signature }: Envelope): boolean {
  assert.ok(sender.kind === 'replica');
  return new CountingVerifier(new Set([CLIENT])).verifyReplica(type, sender.replica, payload, signature);
}

export function isSignedStatement({ message, sender, payload, signature }: Signed): boolean {
  return new CountingVerifier(new Set([CLIENT])).verifyReplica(message.type, sender, payload, signature);
}

export function signedOf<M extends ProtocolMessage>(message: M, sender: number): Signed<M> {
  const payload = encodePayload(message);
  return { message, sender: replicaId(sender), payload, signature: fakeSignature(message.type, sender, payload) };
}

/** A view change with a true certificate for sequence 1 in view 0. */
export function certified(newView: number): ViewChange {
  const vote = { view: view(0), sequence: sequence(1), batchDigest: DIGEST };
  const prePrepare = signedOf({ ...vote, type: 'prePrepare' } as const, 0);
  const prepares = [1, 2].map((sender) => signedOf({ ...vote, type: 'prepare' } as const, sender));
  return { ...VIEW_CHANGE, newView: view(newView), prepared: [{ prePrepare, prepares }] };
}

export function carriedBy({ prepared }: ViewChange): readonly Signed[] {
  return prepared.flatMap(({ prePrepare, prepares }) => [prePrepare, ...prepares]);
}

export function proposalOf(bytes: Uint8Array | undefined): { readonly batch: DecodedBatch; readonly digest: string } {
  const input = inputOf(bytes);
  assert.ok(input.kind === 'proposal');
  const batch = decodeBatch(input.batchBytes, LIMITS, sha256);
  const statement = statementOf(input.prePrepare);
  assert.ok(batch.ok && 'batchDigest' in statement && isSigned(input.prePrepare));
  return { batch: batch.value, digest: statement.batchDigest };
}
