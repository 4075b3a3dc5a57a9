/**
 * A replica's own keys and certificate, checked against what the genesis says of it, before anything listens
 * (OP-03): a replica with another's key would only be noticed by its peers, as a liar.
 */
import { constants, type KeyObject, sign, verify, type X509Certificate } from 'node:crypto';
import { dirname } from 'node:path';
import type { ReplicaId } from '../protocol/identifiers.js';
import { equalBytes, utf8 } from '../util/bytes.js';
import { ConfigurationError } from '../util/configuration-error.js';
import type { Digest } from '../util/digest.js';
import { replicaUri } from './certificates.js';
import { type KeyFilePolicy, loadCertificate, loadPrivateKey } from './key-files.js';
import { computeKeyPin, privatePem, publicKeyOf, spkiDer } from './keys.js';
import { SALT_BYTES } from './signatures.js';

/** Where a replica's keys are. */
export interface ReplicaKeyFiles {
  readonly signingKeyFile: string;
  readonly tlsKeyFile: string;
  readonly tlsCertificateFile: string;
  readonly tlsAuthorityFile: string;
  readonly policy: KeyFilePolicy;
}

/** What the genesis says of the replica. */
export interface ExpectedIdentity {
  readonly clusterId: Digest;
  readonly replica: ReplicaId;
  readonly signingKey: KeyObject;
  readonly tlsKeyPin: Digest;
  /** Milliseconds since 1970, to judge the certificate's validity. */
  readonly nowMs: number;
}

/** A replica's keys, ready for use. */
export interface ReplicaKeys {
  readonly signingKey: KeyObject;
  /** SHA-256 of the signing key's SPKI DER. */
  readonly signingKeyPin: Digest;
  readonly tls: { readonly keyPem: string; readonly certificatePem: string; readonly authorityPem: string };
}

function refuse(file: string, message: string, remedy: string): never {
  throw new ConfigurationError({ file, path: '', message, remedy });
}

function checkSigningKey(file: string, signingKey: KeyObject, expected: ExpectedIdentity): void {
  const remedy = `Give the key that belongs to replica ${expected.replica}, or correct \`replica\` or \`genesisFile\``;
  if (!equalBytes(spkiDer(signingKey), spkiDer(expected.signingKey))) {
    const pins = `${computeKeyPin(signingKey)}, in the genesis ${computeKeyPin(expected.signingKey)}`;
    refuse(file, `this is not the signing key of replica ${expected.replica}: its digest is ${pins}`, remedy);
  }
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES };
  const sample = utf8('pbft self-check');
  const signature = sign('sha256', sample, { key: signingKey, ...options });
  if (!verify('sha256', sample, { key: publicKeyOf(signingKey), ...options }, signature)) {
    refuse(file, 'the private key does not fit its own public half', remedy);
  }
}

/** The names in a certificate, as node:crypto prints them: `URI:…, DNS:…`. */
function hasUri(certificate: X509Certificate, uri: string): boolean {
  return (certificate.subjectAltName ?? '').split(', ').includes(`URI:${uri}`);
}

function checkCertificate(files: ReplicaKeyFiles, certificate: X509Certificate, expected: ExpectedIdentity): void {
  const file = files.tlsCertificateFile;
  const remedy = `Give the certificate that belongs to replica ${expected.replica} of this cluster`;
  const uri = replicaUri(expected.clusterId, expected.replica);
  if (!hasUri(certificate, uri)) {
    refuse(file, `the certificate names ${certificate.subjectAltName ?? 'nobody'}, needed is URI:${uri}`, remedy);
  }
  const pin = computeKeyPin(certificate.publicKey);
  if (pin !== expected.tlsKeyPin) {
    refuse(file, `the certificate's key has digest ${pin}, the genesis pins ${expected.tlsKeyPin}`, remedy);
  }
  const authority = loadCertificate(files.tlsAuthorityFile).certificate;
  if (!authority.ca || !certificate.verify(authority.publicKey)) {
    refuse(file, `the certificate was not signed by the authority in ${files.tlsAuthorityFile}`, remedy);
  }
  if (expected.nowMs < Date.parse(certificate.validFrom) || expected.nowMs > Date.parse(certificate.validTo)) {
    const validity = `from ${certificate.validFrom} to ${certificate.validTo}`;
    refuse(file, `the certificate is valid ${validity}`, 'Set the clock, or make a new certificate for the same key');
  }
}

/** Loads and checks a replica's keys. Throws a ConfigurationError that names the file and the remedy. */
export function loadReplicaKeys(files: ReplicaKeyFiles, expected: ExpectedIdentity): ReplicaKeys {
  const signingKey = loadPrivateKey(files.signingKeyFile, files.policy);
  checkSigningKey(files.signingKeyFile, signingKey, expected);
  const tlsKey = loadPrivateKey(files.tlsKeyFile, files.policy);
  const { pem, certificate } = loadCertificate(files.tlsCertificateFile);
  checkCertificate(files, certificate, expected);
  if (!certificate.checkPrivateKey(tlsKey)) {
    const folder = dirname(files.tlsKeyFile);
    refuse(files.tlsKeyFile, `the key does not belong to ${files.tlsCertificateFile}`, `Restore the pair in ${folder}`);
  }
  const authorityPem = loadCertificate(files.tlsAuthorityFile).pem;
  return {
    signingKey,
    signingKeyPin: computeKeyPin(signingKey),
    tls: { keyPem: privatePem(tlsKey), certificatePem: pem, authorityPem },
  };
}
