/**
 * The keys of a run. Signatures are made by a scheme: in most runs one that costs next to nothing and that nobody can
 * forge, a keyed hash whose keys only the scheme has; in a few real RSA (rsa.ts). A signer signs for one replica (and the
 * client that it is), so an adversary that is given its own signer can't sign for others. Signatures are randomised:
 * signing twice gives two.
 */
import type { SignatureType, Signer, Verifier } from '../../../src/ports/signatures.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import { assert } from '../../../src/util/assert.js';
import type { ClientId } from '../../../src/util/digest.js';
import type { EventLoop } from '../kernel/event-loop.js';
import type { Random } from '../kernel/random.js';
import type { ProcessLife } from './process-life.js';

const SALT_BYTES = 4;
const SIGNATURE_BYTES = SALT_BYTES + 8;
const SIGN_MS_MIN = 0.2;
const SIGN_MS_MEAN = 0.1;

/** Told of every signature that is made. */
export type SignatureWatch = (replica: ReplicaId, type: SignatureType, payload: Uint8Array) => void;

/** How signatures are made and checked. */
export interface SignatureScheme {
  /** Of the clients that the replicas are. */
  readonly clientIds: readonly ClientId[];
  readonly verifier: Verifier;
  sign(replica: ReplicaId, type: SignatureType, payload: Uint8Array, random: Random): Uint8Array;
}

/** All keys of a run. */
export class SignatureRegistry {
  constructor(
    private readonly random: Random,
    private readonly scheme: SignatureScheme,
    private readonly onSigned: SignatureWatch,
  ) {}

  /** Checks everybody's signatures. */
  get verifier(): Verifier {
    return this.scheme.verifier;
  }

  /** The client that a replica is. */
  clientOf(replica: ReplicaId): ClientId {
    const id = this.scheme.clientIds[replica];
    assert(id !== undefined, `replica ${replica} is one of the cluster`);
    return id;
  }

  /** Signs for a replica at once. Adversaries get this one. */
  signNow(replica: ReplicaId, type: SignatureType, payload: Uint8Array): Uint8Array {
    this.onSigned(replica, type, payload);
    return this.scheme.sign(replica, type, payload, this.random);
  }

  /** Signs for a replica as a key on its machine does: later, and in any order. */
  createSigner(replica: ReplicaId, loop: EventLoop, life: ProcessLife): Signer {
    return {
      sign: (type, payload, done) => {
        if (life.act()) {
          loop.schedule(SIGN_MS_MIN + this.random.exponential(SIGN_MS_MEAN), () =>
            life.enter(() => done(this.signNow(replica, type, payload))),
          );
        }
      },
    };
  }
}

/** Signatures that cost next to nothing. */
export class KeyedHashScheme implements SignatureScheme {
  private readonly secrets: readonly number[];
  private readonly replicaOfClient: ReadonlyMap<ClientId, ReplicaId>;

  constructor(
    random: Random,
    readonly clientIds: readonly ClientId[],
  ) {
    this.secrets = clientIds.map(() => random.bits());
    this.replicaOfClient = new Map(clientIds.map((id, replica) => [id, replica as ReplicaId]));
  }

  sign(replica: ReplicaId, type: SignatureType, payload: Uint8Array, random: Random): Uint8Array {
    return this.compute(replica, type, payload, random.bits());
  }

  readonly verifier: Verifier = {
    verifyReplica: (type, replica, payload, signature) => this.isValid(replica, type, payload, signature),
    verifyClient: (type, client, payload, signature) => {
      const replica = this.replicaOfClient.get(client);
      return replica !== undefined && this.isValid(replica, type, payload, signature);
    },
  };

  private isValid(replica: ReplicaId, type: SignatureType, payload: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES || this.secrets[replica] === undefined) {
      return false;
    }
    const salt = readWord(signature, 0);
    const expected = this.compute(replica, type, payload, salt);
    return expected.every((byte, index) => byte === signature[index]);
  }

  private compute(replica: ReplicaId, type: SignatureType, payload: Uint8Array, salt: number): Uint8Array {
    let low = (this.secrets[replica] ?? 0) ^ salt;
    let high = Math.imul(low ^ 0x9e3779b1, 0x85ebca6b);
    for (let index = 0; index < type.length; index++) {
      low = Math.imul(low ^ type.charCodeAt(index), 0x01000193);
    }
    for (let index = 0; index < payload.length; index++) {
      const byte = payload[index] ?? 0;
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte ^ (low >>> 17), 0x5bd1e995);
    }
    const signature = new Uint8Array(SIGNATURE_BYTES);
    writeWord(signature, 0, salt);
    writeWord(signature, SALT_BYTES, low ^ (high >>> 13));
    writeWord(signature, SALT_BYTES + 4, high ^ (low >>> 11));
    return signature;
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  for (let index = 0; index < 4; index++) {
    bytes[at + index] = (word >>> (24 - 8 * index)) & 0xff;
  }
}
