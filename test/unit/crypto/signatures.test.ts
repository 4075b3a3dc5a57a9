/** Signing and verifying: the policy of protocol.md 2, and every way of getting it wrong that MK-03 names. */
import assert from 'node:assert/strict';
import { constants, createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import { computeClientId, publicKeyOf } from '../../../src/crypto/keys.js';
import { createSigner, createVerifier } from '../../../src/crypto/signatures.js';
import type { SignatureType, Verifier } from '../../../src/ports/signatures.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import { type ClientId, digestBytes } from '../../../src/util/digest.js';

const TYPE_NAMES: readonly [SignatureType, string][] = [
  ['prePrepare', 'PrePrepare'],
  ['prepare', 'Prepare'],
  ['commit', 'Commit'],
  ['checkpoint', 'Checkpoint'],
  ['status', 'Status'],
  ['hello', 'Hello'],
  ['header', 'Header'],
  ['request', 'Request'],
];
const CLUSTER = sha256(utf8('one cluster'));
const OTHER_CLUSTER = sha256(utf8('another cluster'));
const PAYLOAD = utf8('a payload');
const ZERO = replicaId(0);
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

function newKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

function modulusOf(key: KeyObject): bigint {
  const { n = '' } = key.export({ format: 'jwk' });
  return BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);
}

/** A key for which s + n often fits into 256 bytes, so that the case can be made. */
function newKeyWithSmallModulus(): KeyObject {
  for (;;) {
    const key = newKey();
    if (modulusOf(key) < (8n << 2044n) + (3n << 2044n)) {
      return key;
    }
  }
}

function preimage(name: string, payload: Uint8Array): Uint8Array {
  const domain = createHash('sha256').update(`pbft/1/${name}`).digest();
  return Buffer.concat([domain, digestBytes(CLUSTER), payload]);
}

function signed(key: KeyObject, type: SignatureType, payload: Uint8Array, cluster = CLUSTER): Promise<Uint8Array> {
  return new Promise((resolve) => createSigner(key, cluster).sign(type, payload, resolve));
}

describe('signatures', () => {
  let key: KeyObject;
  let otherKey: KeyObject;
  let clientId: ClientId;
  let verifier: Verifier;
  let signature: Uint8Array;

  before(async function () {
    this.timeout(60_000);
    key = newKeyWithSmallModulus();
    otherKey = newKey();
    clientId = computeClientId(key);
    verifier = createVerifier({
      replicaKeys: [publicKeyOf(key), publicKeyOf(otherKey)],
      clientKeys: new Map([[clientId, publicKeyOf(key)]]),
      clusterId: CLUSTER,
    });
    signature = await signed(key, 'commit', PAYLOAD);
  });

  function isCommit(candidate: Uint8Array): boolean {
    return verifier.verifyReplica('commit', ZERO, PAYLOAD, candidate);
  }

  it('sign SHA-256 of the type, cluster id and payload with PSS and a salt of 32 bytes', async () => {
    for (const [type, name] of TYPE_NAMES) {
      const own = await signed(key, type, PAYLOAD);
      assert.equal(own.length, 256);
      assert.equal(verify('sha256', preimage(name, PAYLOAD), { key: publicKeyOf(key), ...PSS }, own), true, type);
      assert.equal(verifier.verifyReplica(type, ZERO, PAYLOAD, own), true, type);
    }
  });

  it('are randomised, and each of them is valid', async () => {
    const again = await signed(key, 'commit', PAYLOAD);
    assert.notDeepEqual(again, signature);
    assert.equal(isCommit(again), true);
  });

  it('complete exactly once and after the call returned, with many in flight', async () => {
    const signer = createSigner(key, CLUSTER);
    const counts = new Array<number>(20).fill(0);
    let returned = false;
    await new Promise<void>((resolve) => {
      counts.forEach((_, index) => {
        signer.sign('prepare', utf8(`${index}`), (own) => {
          assert.equal(returned, true);
          assert.equal(verifier.verifyReplica('prepare', ZERO, utf8(`${index}`), own), true);
          counts[index] = (counts[index] ?? 0) + 1;
          if (counts.every((count) => count > 0)) {
            setImmediate(resolve);
          }
        });
      });
      returned = true;
    });
    assert.deepEqual(new Set(counts), new Set([1]));
  });

  it('MK-03 of one type are invalid as any other type', async () => {
    for (const [type] of TYPE_NAMES) {
      const own = await signed(key, type, PAYLOAD);
      for (const [other] of TYPE_NAMES) {
        assert.equal(verifier.verifyReplica(other, ZERO, PAYLOAD, own), other === type, `${type} as ${other}`);
      }
    }
  });

  it('MK-03 of one cluster are invalid in any other', async () => {
    assert.equal(isCommit(await signed(key, 'commit', PAYLOAD, OTHER_CLUSTER)), false);
  });

  it('MK-03 of one replica are invalid as any other replica, and for no replica at all', () => {
    const replicas = [1, 2, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];
    for (const replica of replicas) {
      assert.equal(verifier.verifyReplica('commit', replica as ReplicaId, PAYLOAD, signature), false, `${replica}`);
    }
  });

  it('verify for a known client, and never for an unknown one', async () => {
    const own = await signed(key, 'request', PAYLOAD);
    assert.equal(verifier.verifyClient('request', clientId, PAYLOAD, own), true);
    const unknown = computeClientId(otherKey);
    assert.equal(verifier.verifyClient('request', unknown, PAYLOAD, own), false);
    assert.equal(verifier.verifyClient('request', '__proto__' as ClientId, PAYLOAD, own), false);
  });

  it('MK-03 are invalid with any of their 2,048 bits flipped', () => {
    for (let bit = 0; bit < 2_048; bit++) {
      const flipped = signature.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(isCommit(flipped), false, `bit ${bit}`);
    }
    assert.equal(isCommit(signature), true);
  });

  it('MK-03 are invalid for a payload with any bit flipped, and for a shorter or longer one', () => {
    for (let bit = 0; bit < PAYLOAD.length * 8; bit++) {
      const flipped = PAYLOAD.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(verifier.verifyReplica('commit', ZERO, flipped, signature), false, `bit ${bit}`);
    }
    assert.equal(verifier.verifyReplica('commit', ZERO, PAYLOAD.subarray(1), signature), false);
    assert.equal(verifier.verifyReplica('commit', ZERO, utf8('a payload '), signature), false);
  });

  it('MK-03 are invalid with a salt of any length but 32', () => {
    const data = preimage('Commit', PAYLOAD);
    for (const saltLength of [0, 1, 20, 31, 33, 64, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
      const own = sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
      assert.equal(isCommit(own), false, `salt of ${saltLength}`);
    }
    assert.equal(isCommit(sign('sha256', data, { key, ...PSS })), true);
  });

  it('MK-03 are invalid with PKCS #1 v1.5 padding or another hash', () => {
    const data = preimage('Commit', PAYLOAD);
    assert.equal(isCommit(sign('sha256', data, key)), false);
    for (const hash of ['sha1', 'sha224', 'sha384', 'sha512']) {
      assert.equal(isCommit(sign(hash, data, { key, ...PSS })), false, hash);
    }
  });

  it('MK-03 are invalid when empty, shorter, longer, or with a zero before or after', () => {
    const zero = new Uint8Array(1);
    const candidates = [
      new Uint8Array(),
      signature.subarray(1),
      signature.subarray(0, 255),
      Buffer.concat([signature, zero]),
      Buffer.concat([zero, signature]),
      Buffer.concat([signature, signature]),
    ];
    for (const candidate of candidates) {
      assert.equal(isCommit(candidate), false, `${candidate.length} bytes`);
    }
  });

  it('MK-03 are invalid as s + n, which is equal to s modulo n', async () => {
    const modulus = modulusOf(key);
    let made = false;
    for (let attempt = 0; attempt < 1_000 && !made; attempt++) {
      const own = await signed(key, 'commit', PAYLOAD);
      const sum = BigInt(`0x${Buffer.from(own).toString('hex')}`) + modulus;
      const hex = sum.toString(16);
      made = hex.length <= 512;
      assert.equal(isCommit(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')), false);
    }
    assert.equal(made, true, 'no sum had 256 bytes');
  });

  it('MK-03 are invalid as the numbers 0, 1, n − 1, n, and all ones', () => {
    const modulus = modulusOf(key);
    for (const value of [0n, 1n, modulus - 1n, modulus, (1n << 2048n) - 1n]) {
      assert.equal(isCommit(Buffer.from(value.toString(16).padStart(512, '0'), 'hex')), false);
    }
  });

  it('MK-03 of the wrong length are refused before the payload is touched, even those of 10 MiB', () => {
    let reads = 0;
    const watched = new Proxy(PAYLOAD, {
      get(target, property) {
        reads += 1;
        return Reflect.get(target, property, target);
      },
    });
    for (const length of [0, 255, 257, 10 * 1024 * 1024]) {
      assert.equal(verifier.verifyReplica('commit', ZERO, watched, new Uint8Array(length)), false);
    }
    assert.equal(reads, 0);
    verifier.verifyReplica('commit', ZERO, watched, signature);
    assert.ok(reads > 0, 'the payload is not watched');
  });

  it('MK-03 never make the verifier throw, whatever the bytes', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ minLength: 256, maxLength: 256 }));
    const types = fc.constantFrom(...TYPE_NAMES.map(([type]) => type), 'nonsense' as SignatureType);
    fc.assert(
      fc.property(types, fc.integer(), bytes, bytes, (type, replica, payload, candidate) => {
        assert.equal(verifier.verifyReplica(type, replicaId(replica), payload, candidate), false);
        assert.equal(verifier.verifyClient('request', clientId, payload, candidate), false);
      }),
      { numRuns: 500 },
    );
  });

  it('are made and checked only with keys of the right kind', () => {
    assert.throws(() => createSigner(publicKeyOf(key), CLUSTER), /private key/);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    assert.throws(() => createSigner(weak, CLUSTER), /1024 bits/);
    const keys = { replicaKeys: [key], clientKeys: new Map(), clusterId: CLUSTER };
    assert.throws(() => createVerifier(keys), /public keys/);
  });

  it('of longer keys are as long as their modulus', async () => {
    const long = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
    const longVerifier = createVerifier({
      replicaKeys: [publicKeyOf(long)],
      clientKeys: new Map(),
      clusterId: CLUSTER,
    });
    const own = await signed(long, 'status', PAYLOAD);
    assert.equal(own.length, 384);
    assert.equal(longVerifier.verifyReplica('status', ZERO, PAYLOAD, own), true);
    assert.equal(longVerifier.verifyReplica('status', ZERO, PAYLOAD, own.subarray(0, 256)), false);
  });
});
