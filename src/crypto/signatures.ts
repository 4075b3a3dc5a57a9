/**
 * Signing and verifying statements: RSASSA-PSS over SHA-256 with a salt of 32 bytes (protocol.md 2).
 *
 * 1. What is signed is domain ‖ cluster id ‖ payload. The domain is a hash of the type's name, so that a statement of
 *    one type can't be shown as another, and the cluster id keeps it in its cluster.
 * 2. A signature is as long as its key's modulus, checked before any arithmetic: a long one costs nothing.
 * 3. Verifying never throws and answers false for whatever isn't right.
 * 4. Signing runs in libuv's pool. How many are in flight is the caller's business.
 */
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import type { SignatureType, Signer, Verifier } from '../ports/signatures.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { assert } from '../util/assert.js';
import { concatBytes, utf8 } from '../util/bytes.js';
import { type ClientId, type Digest, digestBytes } from '../util/digest.js';
import { sha256 } from './hash.js';
import { modulusBytes, rejectKey } from './keys.js';

/** The length of the salt: that of the hash. */
export const SALT_BYTES = 32;

const TYPE_NAMES: Readonly<Record<SignatureType, string>> = {
  prePrepare: 'PrePrepare',
  prepare: 'Prepare',
  commit: 'Commit',
  checkpoint: 'Checkpoint',
  status: 'Status',
  hello: 'Hello',
  header: 'Header',
  request: 'Request',
  viewChange: 'ViewChange',
  newView: 'NewView',
};

/** The 64 bytes before a payload, by type. */
type Prefixes = ReadonlyMap<SignatureType, Uint8Array>;

function computePrefixes(clusterId: Digest): Prefixes {
  const cluster = digestBytes(clusterId);
  const prefixes = new Map<SignatureType, Uint8Array>();
  for (const [type, name] of Object.entries(TYPE_NAMES)) {
    const domain = digestBytes(sha256(utf8(`pbft/1/${name}`)));
    prefixes.set(type as SignatureType, concatBytes([domain, cluster]));
  }
  return prefixes;
}

function paddingOf(key: KeyObject): { key: KeyObject; padding: number; saltLength: number } {
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES };
}

/** Signs with `privateKey`, which must have passed the key policy, statements for one cluster. */
export function createSigner(privateKey: KeyObject, clusterId: Digest): Signer {
  assert(privateKey.type === 'private', `a signer needs a private key, not a ${privateKey.type} one`);
  const fault = rejectKey(privateKey);
  assert(fault === undefined, `a signer's key was checked when it was loaded: ${fault?.message ?? ''}`);
  const prefixes = computePrefixes(clusterId);
  const options = paddingOf(privateKey);
  return {
    sign(type, payload, done) {
      const prefix = prefixes.get(type);
      assert(prefix !== undefined, `${type} is not a type of signature`);
      sign('sha256', concatBytes([prefix, payload]), options, (error, signature) => {
        if (error) {
          // Nothing catches this: a replica whose key can't sign ends (ports/signatures.ts).
          throw error;
        }
        done(new Uint8Array(signature.buffer, signature.byteOffset, signature.length));
      });
    },
  };
}

/** A key with what verifying needs of it, computed once. */
interface KnownKey {
  readonly options: ReturnType<typeof paddingOf>;
  readonly signatureBytes: number;
}

function knownKey(key: KeyObject): KnownKey {
  assert(key.type === 'public', `a verifier needs public keys, not a ${key.type} one`);
  return { options: paddingOf(key), signatureBytes: modulusBytes(key) };
}

/** The keys that a verifier knows. */
export interface VerifierKeys {
  /** The replicas' signing keys, in the order of their ids. */
  readonly replicaKeys: readonly KeyObject[];
  /** The clients' keys; the replicas' own ones are among them where replicas submit for others. */
  readonly clientKeys: ReadonlyMap<ClientId, KeyObject>;
  readonly clusterId: Digest;
}

/** Verifies statements of one cluster with keys that passed the key policy. */
export function createVerifier({ replicaKeys, clientKeys, clusterId }: VerifierKeys): Verifier {
  const prefixes = computePrefixes(clusterId);
  const replicas = replicaKeys.map(knownKey);
  const clients = new Map([...clientKeys].map(([id, key]) => [id, knownKey(key)]));

  function isValid(
    type: SignatureType,
    key: KnownKey | undefined,
    payload: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    const prefix = prefixes.get(type);
    if (key === undefined || prefix === undefined || signature.length !== key.signatureBytes) {
      return false;
    }
    try {
      return verify('sha256', concatBytes([prefix, payload]), key.options, signature);
    } catch {
      return false;
    }
  }

  return {
    verifyReplica: (type, replica: ReplicaId, payload, signature) =>
      isValid(type, replicas[replica], payload, signature),
    verifyClient: (type, client, payload, signature) => isValid(type, clients.get(client), payload, signature),
  };
}
