/**
 * Making X.509 certificates, which node:crypto can't. node-forge gets nothing but keys that this process generated; what
 * comes from outside is read by node:crypto alone.
 *
 * A replica's certificate names it as `pbft://<cluster id>/replica/<i>`, and `localhost` and the hosts given, so that
 * ordinary clients can check the name they dialled. Peers go by the URI and the pin in the genesis.
 */
import { createPublicKey, type KeyObject, randomBytes, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Digest } from '../util/digest.js';
import { privatePem } from './keys.js';

const DAY_MS = 86_400_000;
/** Clocks of machines that read a certificate right after it was made may be behind. */
const BACKDATED_MS = DAY_MS;
const AUTHORITY_LIFE_MS = 20 * 365 * DAY_MS;
const REPLICA_LIFE_MS = 10 * 365 * DAY_MS;
const SERIAL_BYTES = 16;
/** Kinds of a subject's alternative names (RFC 5280, 4.2.1.6). */
const NAME_DNS = 2;
const NAME_URI = 6;
const NAME_IP = 7;

/** How certificates name a replica. */
export function replicaUri(clusterId: Digest, replica: ReplicaId): string {
  return `pbft://${clusterId}/replica/${replica}`;
}

/** A certificate to be made. */
interface CertificateRequest {
  readonly key: KeyObject;
  readonly subject: string;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly nowMs: number;
  readonly lifeMs: number;
  readonly extensions: object[];
}

function randomSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  // Positive and without a leading zero, in one length.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function nameOf(subject: string): forge.pki.CertificateField[] {
  return [{ name: 'commonName', value: subject }];
}

function makeCertificate(request: CertificateRequest): string {
  const certificate = forge.pki.createCertificate();
  const publicKey = request.key.type === 'private' ? createPublicKey(request.key) : request.key;
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicPem);
  certificate.serialNumber = randomSerial();
  certificate.validity.notBefore = new Date(request.nowMs - BACKDATED_MS);
  certificate.validity.notAfter = new Date(request.nowMs + request.lifeMs);
  certificate.setSubject(nameOf(request.subject));
  certificate.setIssuer(nameOf(request.issuer));
  certificate.setExtensions([...request.extensions, { name: 'subjectKeyIdentifier' }]);
  certificate.sign(forge.pki.privateKeyFromPem(privatePem(request.issuerKey)), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}

function authorityName(clusterId: Digest): string {
  return `pbft authority ${clusterId.slice(0, 16)}`;
}

/** What a cluster's certificates are made of. */
export interface AuthorityOptions {
  readonly clusterId: Digest;
  /** The authority's private key. */
  readonly authorityKey: KeyObject;
  /** Milliseconds since 1970: certificates are valid from a day before. */
  readonly nowMs: number;
}

/** Makes a cluster's self-signed authority certificate, in PEM form, valid for 20 years. */
export function makeAuthorityCertificate({ clusterId, authorityKey, nowMs }: AuthorityOptions): string {
  return makeCertificate({
    key: authorityKey,
    subject: authorityName(clusterId),
    issuer: authorityName(clusterId),
    issuerKey: authorityKey,
    nowMs,
    lifeMs: AUTHORITY_LIFE_MS,
    extensions: [
      { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
      { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    ],
  });
}

/** A replica's certificate to be made. */
export interface ReplicaCertificateOptions extends AuthorityOptions {
  readonly replica: ReplicaId;
  /** The replica's TLS key or its public half, which is what goes into the certificate. */
  readonly tlsKey: KeyObject;
  /** Names or IP addresses beside `localhost`, `127.0.0.1` and `::1`. */
  readonly hosts?: readonly string[];
}

/** Makes a replica's certificate for both ends of a link, in PEM form, valid for 10 years. */
export function makeReplicaCertificate(options: ReplicaCertificateOptions): string {
  const hosts = [...new Set(['localhost', '127.0.0.1', '::1', ...(options.hosts ?? [])])];
  const altNames = [
    { type: NAME_URI, value: replicaUri(options.clusterId, options.replica) },
    ...hosts.map((host) => (isIP(host) === 0 ? { type: NAME_DNS, value: host } : { type: NAME_IP, ip: host })),
  ];
  return makeCertificate({
    key: options.tlsKey,
    subject: `pbft replica ${options.replica}`,
    issuer: authorityName(options.clusterId),
    issuerKey: options.authorityKey,
    nowMs: options.nowMs,
    lifeMs: REPLICA_LIFE_MS,
    extensions: [
      { name: 'basicConstraints', critical: true, cA: false },
      { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
}

/** The names and addresses in a certificate, beside those that every replica's has. */
export function hostsOf(certificate: X509Certificate): readonly string[] {
  const always: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '0:0:0:0:0:0:0:1']);
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .map((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? '')
    .filter((host) => host !== '' && !always.has(host));
}
