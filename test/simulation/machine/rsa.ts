/**
 * Real RSA in virtual time: RSASSA-PSS as replicas make it, verified by the replica's own verifier. Keys and salts come
 * from streams of random numbers, so a run is a function of its seed here too; node:crypto can be given neither.
 */
import {
  checkPrimeSync,
  constants,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  privateEncrypt,
} from 'node:crypto';
import { sha256 } from '../../../src/crypto/hash.js';
import { createVerifier, SALT_BYTES } from '../../../src/crypto/signatures.js';
import type { SignatureType } from '../../../src/ports/signatures.js';
import { defined } from '../../../src/util/assert.js';
import { concatBytes, utf8 } from '../../../src/util/bytes.js';
import { type ClientId, type Digest, digestBytes } from '../../../src/util/digest.js';
import { Random } from '../kernel/random.js';
import type { SignatureScheme } from './signatures.js';

const PRIME_BYTES = 128;
const MODULUS_BYTES = 2 * PRIME_BYTES;
const EXPONENT = 65_537n;
const HASH_BYTES = 32;

interface Key {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly clientId: ClientId;
}

/** Keys take a second to make; all runs of a process share them. */
const KEYS = new Map<number, Key>();

/** Keys and signatures of the replicas of one cluster. */
export function createRsaScheme(replicaCount: number, clusterId: Digest): SignatureScheme {
  const keys = Array.from({ length: replicaCount }, (_, replica) => keyOf(replica));
  const verifier = createVerifier({
    replicaKeys: keys.map(({ publicKey }) => publicKey),
    clientKeys: new Map(keys.map(({ clientId, publicKey }) => [clientId, publicKey])),
    clusterId,
  });
  return {
    clientIds: keys.map(({ clientId }) => clientId),
    verifier,
    sign: (replica, type, payload, random) => {
      const { privateKey } = defined(keys[replica], `replica ${replica} has a key`);
      const encoded = encodePss(concatBytes([prefixOf(type, clusterId), payload]), random.bytes(SALT_BYTES));
      const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
      return new Uint8Array(signature);
    },
  };
}

/** protocol.md 2: the domain of the type, then the cluster. */
function prefixOf(type: SignatureType, clusterId: Digest): Uint8Array {
  const name = `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
  return concatBytes([digestBytes(sha256(utf8(`pbft/1/${name}`))), digestBytes(clusterId)]);
}

/** EMSA-PSS-ENCODE with MGF1, both over SHA-256 [RFC 8017 §9.1.1], for a modulus whose highest bit is set. */
function encodePss(message: Uint8Array, salt: Uint8Array): Uint8Array {
  const digest = hashBytes(concatBytes([new Uint8Array(8), hashBytes(message), salt]));
  const block = new Uint8Array(MODULUS_BYTES - HASH_BYTES - 1);
  block[block.length - salt.length - 1] = 1;
  block.set(salt, block.length - salt.length);
  for (let counter = 0; counter * HASH_BYTES < block.length; counter++) {
    const mask = hashBytes(concatBytes([digest, Uint8Array.of(0, 0, 0, counter)]));
    for (const [index, byte] of mask.entries()) {
      const at = counter * HASH_BYTES + index;
      if (at < block.length) {
        block[at] = (block[at] ?? 0) ^ byte;
      }
    }
  }
  block[0] = (block[0] ?? 0) & 0x7f;
  return concatBytes([block, digest, Uint8Array.of(0xbc)]);
}

function hashBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'));
}

function keyOf(replica: number): Key {
  let key = KEYS.get(replica);
  if (key === undefined) {
    key = createKey(new Random(`rsa key ${replica}`));
    KEYS.set(replica, key);
  }
  return key;
}

function createKey(random: Random): Key {
  const [p, q] = [drawPrime(random), drawPrime(random)];
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const jwk = {
    kty: 'RSA',
    n: encodeNumber(p * q),
    e: encodeNumber(EXPONENT),
    d: encodeNumber(d),
    p: encodeNumber(p),
    q: encodeNumber(q),
    dp: encodeNumber(d % (p - 1n)),
    dq: encodeNumber(d % (q - 1n)),
    qi: encodeNumber(inverse(q, p)),
  };
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey, clientId: sha256(spki) as string as ClientId };
}

/** A prime with its two highest bits set, so that the product of two has 2,048 bits. */
function drawPrime(random: Random): bigint {
  for (;;) {
    const bytes = random.bytes(PRIME_BYTES);
    bytes[0] = (bytes[0] ?? 0) | 0xc0;
    bytes[PRIME_BYTES - 1] = (bytes[PRIME_BYTES - 1] ?? 0) | 1;
    const candidate = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    if ((candidate - 1n) % EXPONENT !== 0n && checkPrimeSync(candidate)) {
      return candidate;
    }
  }
}

/** The x with a · x ≡ 1 modulo m, for a and m without a common factor. */
function inverse(a: bigint, m: bigint): bigint {
  let [before, now] = [0n, 1n];
  let [dividend, divisor] = [m, a % m];
  while (divisor !== 0n) {
    const quotient = dividend / divisor;
    [before, now] = [now, before - quotient * now];
    [dividend, divisor] = [divisor, dividend - quotient * divisor];
  }
  return ((before % m) + m) % m;
}

function encodeNumber(value: bigint): string {
  const text = value.toString(16);
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex').toString('base64url');
}
