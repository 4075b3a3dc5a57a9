/**
 * RSA keys: the policy that every key of a cluster must meet, reading them from text, generating them, and the ids that
 * follow from them. Files are key-files.ts's business.
 *
 * 1. RSA only (not RSA-PSS, EC or Ed25519), 2,048 to 4,096 bits, public exponent 65,537.
 * 2. A public key is one PEM block `PUBLIC KEY` or the base64 of its SPKI DER. node:crypto also makes public keys of
 *    certificates and private keys without a word, so the label is checked before it sees the text.
 * 3. A key has one encoding: bytes that node:crypto would write differently are refused, else one key has two ids.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { defined } from '../util/assert.js';
import { equalBytes } from '../util/bytes.js';
import { type ClientId, clientIdOf, type Digest, digestBytes } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { sha256 } from './hash.js';

/** The shortest allowed modulus. */
const MODULUS_BITS_MIN = 2048;
/** The longest allowed modulus: each verification costs with its square. */
const MODULUS_BITS_MAX = 4096;
const PUBLIC_EXPONENT = 65_537n;

/** Why a key is refused, and what to do. */
export interface KeyFault {
  readonly message: string;
  readonly remedy: string;
}

const MAKE_RSA = 'Make a key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`';
const GIVE_PUBLIC = 'Give the public key in SPKI form, as `openssl pkey -in KEY -pubout` prints it';
const GIVE_PRIVATE = 'Give the private key in PKCS #8 form, unencrypted';

/** Judges a key by the policy: why it is refused, or undefined. */
export function rejectKey(key: KeyObject): KeyFault | undefined {
  if (key.asymmetricKeyType !== 'rsa') {
    return {
      message: `the key is of type ${key.asymmetricKeyType ?? key.type}, only rsa is allowed`,
      remedy: MAKE_RSA,
    };
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MODULUS_BITS_MIN || modulusLength > MODULUS_BITS_MAX) {
    return {
      message: `the RSA key has ${modulusLength} bits, allowed are ${MODULUS_BITS_MIN} to ${MODULUS_BITS_MAX}`,
      remedy: MAKE_RSA,
    };
  }
  if (publicExponent !== PUBLIC_EXPONENT) {
    return { message: `the RSA key's public exponent is ${publicExponent}, only 65537 is allowed`, remedy: MAKE_RSA };
  }
  return undefined;
}

/** The length of an RSA key's modulus and so of its signatures, in bytes. */
export function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

/** The label of the one PEM block in `text`, or undefined where there is none or more than one. */
function pemLabel(text: string): string | undefined {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1]);
  return labels.length === 1 ? labels[0] : undefined;
}

/** What a PEM block of this label is, for the message. */
function nameOfLabel(label: string): string {
  if (label.endsWith('CERTIFICATE') || label.endsWith('CERTIFICATE REQUEST')) {
    return 'a certificate';
  }
  if (label === 'ENCRYPTED PRIVATE KEY') {
    return 'an encrypted private key';
  }
  if (label.endsWith('PRIVATE KEY')) {
    return 'a private key';
  }
  return label.endsWith('PUBLIC KEY') ? 'a public key' : `a PEM block \`${label}\``;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The DER bytes of a public key's text, or what the text is instead. */
function publicDer(text: string): Result<Buffer, KeyFault> {
  const trimmed = text.trim();
  const label = pemLabel(trimmed);
  const body = label === undefined ? trimmed : trimmed.replaceAll(/-----[A-Z ]+-----|\s/g, '');
  if ((label !== undefined && label !== 'PUBLIC KEY') || body === '' || !BASE64.test(body)) {
    const found = label === undefined || label === 'PUBLIC KEY' ? 'something else' : nameOfLabel(label);
    return failed({ message: `a public key in SPKI form is needed, this is ${found}`, remedy: GIVE_PUBLIC });
  }
  return ok(Buffer.from(body, 'base64'));
}

function parsePublicKey(text: string): Result<KeyObject, KeyFault> {
  const der = publicDer(text);
  if (!der.ok) {
    return der;
  }
  try {
    const key = createPublicKey({ key: der.value, format: 'der', type: 'spki' });
    return equalBytes(spkiDer(key), der.value)
      ? ok(key)
      : failed({ message: 'the public key is not in the one canonical DER form', remedy: GIVE_PUBLIC });
  } catch {
    return failed({ message: 'the public key can not be decoded', remedy: GIVE_PUBLIC });
  }
}

/** Reads a public key from SPKI PEM or the base64 of SPKI DER, and judges it by the policy. Never throws. */
export function readPublicKey(text: string): Result<KeyObject, KeyFault> {
  const parsed = parsePublicKey(text);
  if (!parsed.ok) {
    return parsed;
  }
  const fault = rejectKey(parsed.value);
  return fault === undefined ? parsed : failed(fault);
}

function parsePrivateKey(text: string): Result<KeyObject, KeyFault> {
  const label = pemLabel(text);
  if (label !== 'PRIVATE KEY' && label !== 'RSA PRIVATE KEY') {
    const found = label === undefined ? 'something else' : nameOfLabel(label);
    return failed({ message: `a private key in PEM form is needed, this is ${found}`, remedy: GIVE_PRIVATE });
  }
  try {
    return ok(createPrivateKey({ key: text, format: 'pem' }));
  } catch {
    // The library's own text is not passed on: it has no business near key material.
    return failed({ message: 'the private key is damaged or encrypted', remedy: GIVE_PRIVATE });
  }
}

/** Reads an unencrypted private key from PEM, and judges it by the policy. Never throws and never quotes the text. */
export function readPrivateKey(text: string): Result<KeyObject, KeyFault> {
  const parsed = parsePrivateKey(text);
  if (!parsed.ok) {
    return parsed;
  }
  const fault = rejectKey(parsed.value);
  return fault === undefined ? parsed : failed(fault);
}

/** A key's public half as SPKI DER. Takes the private key too. */
export function spkiDer(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** SHA-256 of a key's SPKI DER: the pin of a TLS key, and what a key is compared by. */
export function computeKeyPin(key: KeyObject): Digest {
  return sha256(spkiDer(key));
}

/** The id of the client with this key: SHA-256 of its SPKI DER. */
export function computeClientId(key: KeyObject): ClientId {
  const id = clientIdOf(digestBytes(computeKeyPin(key)));
  return defined(id, 'a hash has 32 bytes');
}

/** A private key as PKCS #8 PEM. */
export function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A key's public half as the base64 of its SPKI DER: the form that stands in the genesis. */
export function publicBase64(key: KeyObject): string {
  return Buffer.from(spkiDer(key)).toString('base64');
}

/** Makes a private RSA key in libuv's pool. */
export function generatePrivateKey(modulusLength = MODULUS_BITS_MIN): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    generateKeyPair(
      'rsa',
      { modulusLength, publicExponent: Number(PUBLIC_EXPONENT) },
      (error, _publicKey, privateKey) => (error === null ? resolve(privateKey) : reject(error)),
    );
  });
}

/** The public half of a private key. */
export function publicKeyOf(privateKey: KeyObject): KeyObject {
  return createPublicKey(privateKey);
}
