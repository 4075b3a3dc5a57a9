/**
 * New certificates for the keys that a cluster has: the genesis pins keys and not certificates, so a certificate can be
 * replaced while the cluster serves, one replica after the other, and nobody else has to know.
 *
 * 1. No private key of a replica is needed or read: its public half stands in the certificate that it has.
 * 2. Everything is checked and made before anything is written; each file is replaced whole, with its mode and owner.
 * 3. The names in the old certificate are those of the new one.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Genesis } from '../config/genesis.js';
import { loadConfiguration } from '../config/load-configuration.js';
import { readExpiryMs } from '../crypto/certificate-expiry.js';
import { hostsOf, makeAuthorityCertificate, makeReplicaCertificate, replicaUri } from '../crypto/certificates.js';
import { loadCertificate, loadPrivateKey } from '../crypto/key-files.js';
import { computeKeyPin } from '../crypto/keys.js';
import { ConfigurationError } from '../util/configuration-error.js';
import { loadClusterGenesis } from './initialize-check.js';
import { replaceFile } from './initialize-files.js';

/** What is renewed. */
export interface RenewOptions {
  /** A folder as `pbft init` made it, with `ca` in it. */
  readonly directory: string;
  /** The id of one replica; all by default. */
  readonly replica?: number;
  /** Whether the authority's own certificate is renewed, and nothing else. */
  readonly authority?: boolean;
  /** Milliseconds since 1970; the clock's by default. */
  readonly nowMs?: number;
}

/** A certificate that was replaced. */
export interface RenewedCertificate {
  readonly file: string;
  /** The replica that must be started again to use it; undefined for the authority's folder and for clients. */
  readonly replica: { readonly id: number; readonly name: string } | undefined;
  readonly oldExpiryMs: number;
  readonly expiryMs: number;
}

interface Authority {
  readonly file: string;
  readonly key: KeyObject;
  readonly pem: string;
  readonly certificate: X509Certificate;
}

interface NewFile extends RenewedCertificate {
  readonly pem: string;
}

const FOLDER = 'ca';

function refuse(file: string, message: string, remedy: string): never {
  throw new ConfigurationError({ file, path: '', message, remedy });
}

/** Makes and writes the certificates. Throws a ConfigurationError; what is wrong is found before anything is written. */
export function renewCertificates(options: RenewOptions): readonly RenewedCertificate[] {
  const { nowMs = Date.now() } = options;
  const directory = resolve(options.directory);
  const genesis = loadClusterGenesis(directory);
  const authority = loadAuthority(directory);
  const files =
    options.authority === true
      ? renewAuthority(directory, { genesis, authority, nowMs })
      : chosenReplicas(genesis, options.replica).map((id) =>
          renewReplica(directory, { id, genesis, authority, nowMs }),
        );
  for (const { file, pem } of files) {
    replaceFile(file, pem);
  }
  return files.map(({ pem: _, ...renewed }) => renewed);
}

function chosenReplicas({ replicas }: Genesis, chosen: number | undefined): readonly number[] {
  if (chosen !== undefined && replicas[chosen] === undefined) {
    return refuse('', `there is no replica ${chosen}`, `Name one from 0 to ${replicas.length - 1}`);
  }
  return chosen === undefined ? replicas.map(({ id }) => id) : [chosen];
}

function loadAuthority(directory: string): Authority {
  const keyFile = join(directory, FOLDER, 'ca.key');
  const file = join(directory, FOLDER, 'ca.crt');
  if (!existsSync(keyFile)) {
    const remedy = `Run this where the folder \`${FOLDER}\` is kept that \`pbft init\` made, then carry the new certificate over`;
    refuse(keyFile, "the key of the cluster's authority is not here", remedy);
  }
  const key = loadPrivateKey(keyFile);
  const { pem, certificate } = loadCertificate(file);
  if (!certificate.checkPrivateKey(key)) {
    refuse(keyFile, `the key does not belong to ${file}`, `Restore the pair in ${join(directory, FOLDER)}`);
  }
  return { file, key, pem, certificate };
}

interface Renewal {
  readonly genesis: Genesis;
  readonly authority: Authority;
  readonly nowMs: number;
}

/** Where a replica's certificates are: as its configuration says, or where `init` puts them. */
function filesOf(directory: string, id: number): { readonly certificateFile: string; readonly authorityFile: string } {
  const folder = join(directory, `replica-${id}`);
  const file = join(folder, 'config.yaml');
  return existsSync(file)
    ? loadConfiguration({ file, environment: {} }).configuration.tls
    : { certificateFile: join(folder, 'tls.crt'), authorityFile: join(folder, 'ca.crt') };
}

function renewReplica(
  directory: string,
  { id, genesis, authority, nowMs }: Renewal & { readonly id: number },
): NewFile {
  if (readExpiryMs(authority.pem) < nowMs) {
    refuse(
      authority.file,
      "the authority's own certificate has ended",
      'Renew it first: `pbft keys renew --authority`',
    );
  }
  const { certificateFile, authorityFile } = filesOf(directory, id);
  const { pem: oldPem, certificate } = loadCertificate(certificateFile);
  const replica = genesis.replicas[id];
  const pin = computeKeyPin(certificate.publicKey);
  if (replica === undefined || pin !== replica.tlsKeyPin) {
    const message = `the certificate's key has digest ${pin}, the genesis pins ${replica?.tlsKeyPin}`;
    refuse(certificateFile, message, `Give the certificate that belongs to replica ${id}; a key can't be replaced`);
  }
  judgeIssuer(certificateFile, certificate, authority);
  if (existsSync(authorityFile)) {
    judgeCopy(authorityFile, authority);
  }
  const uri = `URI:${replicaUri(genesis.clusterId, replica.id)}`;
  if (!(certificate.subjectAltName ?? '').split(', ').includes(uri)) {
    refuse(certificateFile, `the certificate does not name ${uri}`, `Give the certificate of replica ${id}`);
  }
  const pem = makeReplicaCertificate({
    clusterId: genesis.clusterId,
    authorityKey: authority.key,
    nowMs,
    replica: replica.id,
    tlsKey: certificate.publicKey,
    hosts: hostsOf(certificate),
  });
  const whose = { id, name: replica.name };
  return { file: certificateFile, replica: whose, oldExpiryMs: readExpiryMs(oldPem), expiryMs: readExpiryMs(pem), pem };
}

/** A certificate of another authority was not made by `init`; where it comes from is where its next one comes from. */
function judgeIssuer(file: string, certificate: X509Certificate, authority: Authority): void {
  if (!certificate.verify(authority.certificate.publicKey)) {
    refuse(file, `the certificate was not signed by ${authority.file}`, 'Use the folder of the cluster that it is of');
  }
}

function judgeCopy(file: string, authority: Authority): void {
  if (computeKeyPin(loadCertificate(file).certificate.publicKey) !== computeKeyPin(authority.certificate.publicKey)) {
    refuse(file, `this is another authority than ${authority.file}`, 'Use the folder of the cluster that it is of');
  }
}

/** The same authority with a later end: what it has signed stays valid, with the old certificate and with the new one. */
function renewAuthority(directory: string, { genesis, authority, nowMs }: Renewal): readonly NewFile[] {
  const pem = makeAuthorityCertificate({ clusterId: genesis.clusterId, authorityKey: authority.key, nowMs });
  const clients = readdirSync(directory)
    .filter((name) => name.startsWith('client-'))
    .map((name) => ({ file: join(directory, name, 'ca.crt'), replica: undefined }));
  const replicas = genesis.replicas.map(({ id, name }) => ({
    file: filesOf(directory, id).authorityFile,
    replica: { id, name },
  }));
  return [{ file: authority.file, replica: undefined }, ...clients, ...replicas]
    .filter(({ file }) => existsSync(file))
    .map(({ file, replica }) => {
      judgeCopy(file, authority);
      const oldExpiryMs = readExpiryMs(loadCertificate(file).pem);
      return { file, replica, oldExpiryMs, expiryMs: readExpiryMs(pem), pem };
    });
}
