/** The key policy and reading keys from text (MK-02). */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { makeAuthorityCertificate } from '../../../src/crypto/certificates.js';
import { sha256 } from '../../../src/crypto/hash.js';
import {
  computeClientId,
  computeKeyPin,
  generatePrivateKey,
  modulusBytes,
  privatePem,
  publicBase64,
  publicKeyOf,
  readPrivateKey,
  readPublicKey,
  rejectKey,
  spkiDer,
} from '../../../src/crypto/keys.js';
import { utf8 } from '../../../src/util/bytes.js';

/** A public key with this modulus length and exponent; nobody has its private half. */
function publicKeyWith(bits: number, exponent: string): KeyObject {
  const modulus = randomBytes(bits / 8);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[modulus.length - 1] = (modulus[modulus.length - 1] ?? 0) | 1;
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: exponent };
  return createPublicKey({ key: jwk, format: 'jwk' });
}

const E65537 = 'AQAB';
const E3 = 'Aw';

function publicPem(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

function messageOf(result: ReturnType<typeof readPublicKey>): string {
  assert.equal(result.ok, false);
  return result.ok ? '' : result.error.message;
}

describe('keys', () => {
  let key: KeyObject;

  before(async () => {
    key = await generatePrivateKey();
  });

  it('are generated with 2,048 bits and exponent 65,537, and pass the policy', () => {
    assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(key.asymmetricKeyDetails?.publicExponent, 65_537n);
    assert.equal(rejectKey(key), undefined);
    assert.equal(modulusBytes(key), 256);
  });

  it('MK-02 are refused outside 2,048 to 4,096 bits', () => {
    for (const bits of [512, 1024, 2040]) {
      const fault = rejectKey(publicKeyWith(bits, E65537));
      assert.match(fault?.message ?? '', new RegExp(`has ${bits} bits`));
    }
    assert.match(rejectKey(publicKeyWith(4104, E65537))?.message ?? '', /has 4104 bits/);
    for (const bits of [2048, 3072, 4096]) {
      assert.equal(rejectKey(publicKeyWith(bits, E65537)), undefined, `${bits} bits`);
    }
  });

  it('MK-02 are refused with public exponent 3', () => {
    const fault = rejectKey(publicKeyWith(2048, E3));
    assert.match(fault?.message ?? '', /exponent is 3, only 65537/);
    assert.match(fault?.remedy ?? '', /openssl genpkey/);
  });

  it('MK-02 of type Ed25519, EC and RSA-PSS are refused where RSA is needed', () => {
    const others = {
      ed25519: generateKeyPairSync('ed25519'),
      ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      'rsa-pss': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
    };
    for (const [type, { publicKey, privateKey }] of Object.entries(others)) {
      const expected = `the key is of type ${type}, only rsa is allowed`;
      assert.equal(messageOf(readPublicKey(publicPem(publicKey))), expected);
      const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      assert.equal(messageOf(readPublicKey(der)), expected);
      assert.equal(messageOf(readPrivateKey(privatePem(privateKey))), expected);
    }
  });

  it('MK-02 of public ones, a private key or a certificate in their place is refused by its kind', () => {
    const clusterId = sha256(utf8('cluster'));
    const certificate = makeAuthorityCertificate({ clusterId, authorityKey: key, nowMs: Date.UTC(2026, 0, 1) });
    const cases: readonly [string, RegExp][] = [
      [privatePem(key), /this is a private key/],
      [key.export({ type: 'pkcs1', format: 'pem' }).toString(), /this is a private key/],
      [certificate, /this is a certificate/],
      [publicPem(key) + certificate, /this is something else/],
      [publicPem(key) + publicPem(key), /this is something else/],
      [`junk\n${publicPem(key)}`, /can not be decoded/],
      [`not a key!\n${publicPem(key)}`, /this is something else/],
      [createPublicKey(key).export({ type: 'pkcs1', format: 'pem' }).toString(), /in SPKI form is needed/],
      ['', /something else/],
      ['ssh-rsa AAAAB3NzaC1yc2E user@host', /something else/],
    ];
    for (const [text, expected] of cases) {
      assert.match(messageOf(readPublicKey(text)), expected);
    }
  });

  it('MK-02 of private ones, a public key, a certificate or an encrypted key in their place is refused by its kind', () => {
    const encrypted = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
    assert.match(messageOf(readPrivateKey(publicPem(key))), /this is a public key/);
    assert.match(messageOf(readPrivateKey(encrypted)), /this is an encrypted private key/);
    assert.match(messageOf(readPrivateKey('')), /this is something else/);
    assert.match(messageOf(readPrivateKey(privatePem(key) + privatePem(key))), /this is something else/);
  });

  it('MK-06 are not quoted where a damaged one is refused', () => {
    const damaged = privatePem(key).replaceAll(/[A-M]{2}/g, 'zz');
    const result = readPrivateKey(damaged);
    assert.equal(result.ok, false);
    const line = damaged.split('\n')[5] ?? 'x';
    assert.ok(!JSON.stringify(result).includes(line));
  });

  it('are read from PEM and from base64 as the same key', () => {
    const fromPem = readPublicKey(publicPem(key));
    const fromBase64 = readPublicKey(publicBase64(key));
    assert.ok(fromPem.ok && fromBase64.ok);
    assert.equal(computeKeyPin(fromPem.value), computeKeyPin(fromBase64.value));
    const fromPrivate = readPrivateKey(privatePem(key));
    assert.ok(fromPrivate.ok);
    assert.equal(computeKeyPin(fromPrivate.value), computeKeyPin(key));
  });

  it('MK-02 have one encoding: what node:crypto would write differently is refused', () => {
    const der = Buffer.from(publicBase64(key), 'base64');
    const trailing = Buffer.concat([der, Buffer.from([5, 0])]).toString('base64');
    assert.equal(readPublicKey(trailing).ok, false);
    const pem = `-----BEGIN PUBLIC KEY-----\n${trailing}\n-----END PUBLIC KEY-----\n`;
    assert.equal(readPublicKey(pem).ok, false);
    const short = der.subarray(0, der.length - 1).toString('base64');
    assert.equal(readPublicKey(short).ok, false);
  });

  it('have as id and pin the SHA-256 of their SPKI DER, from either half', () => {
    const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const expected = createHash('sha256').update(der).digest('hex');
    assert.equal(computeClientId(key), expected);
    assert.equal(computeClientId(publicKeyOf(key)), expected);
    assert.equal(computeKeyPin(key), expected);
    assert.deepEqual(Buffer.from(spkiDer(key)), der);
  });

  it('MK-02 of any text are read without an exception', () => {
    const der = Buffer.from(publicBase64(key), 'base64');
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.base64String({ maxLength: 800 }),
      fc.tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 })).map(([index, change]) => {
        const changed = Buffer.from(der);
        changed[index] = (changed[index] ?? 0) ^ change;
        return changed.toString('base64');
      }),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const read = readPublicKey(candidate);
        assert.ok(!read.ok || rejectKey(read.value) === undefined);
        assert.equal(readPrivateKey(candidate).ok, false);
      }),
      { numRuns: 500 },
    );
  });
});
