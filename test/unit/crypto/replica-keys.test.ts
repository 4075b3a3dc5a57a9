/** The self-check of a replica's keys before it listens (OP-03). */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthorityCertificate, makeReplicaCertificate } from '../../../src/crypto/certificates.js';
import { sha256 } from '../../../src/crypto/hash.js';
import { computeKeyPin, generatePrivateKey, privatePem, publicKeyOf } from '../../../src/crypto/keys.js';
import { type ExpectedIdentity, loadReplicaKeys, type ReplicaKeyFiles } from '../../../src/crypto/replica-keys.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';

const CLUSTER = sha256(utf8('cluster'));
const NOW_MS = Date.UTC(2026, 5, 1);
const YEAR_MS = 365 * 86_400_000;

describe("a replica's keys", () => {
  let directory: string;
  let signing: KeyObject;
  let tls: KeyObject;
  let otherKey: KeyObject;
  let authorityKey: KeyObject;
  let files: ReplicaKeyFiles;
  let expected: ExpectedIdentity;

  before(async () => {
    const keys = await Promise.all([1, 2, 3, 4].map(() => generatePrivateKey()));
    [signing, tls, otherKey, authorityKey] = keys as [KeyObject, KeyObject, KeyObject, KeyObject];
  });

  function write(name: string, text: string): string {
    const file = join(directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-replica-keys-'));
    const authority = { clusterId: CLUSTER, authorityKey, nowMs: NOW_MS };
    files = {
      signingKeyFile: write('signing.key', privatePem(signing)),
      tlsKeyFile: write('tls.key', privatePem(tls)),
      tlsCertificateFile: write(
        'tls.crt',
        makeReplicaCertificate({ ...authority, replica: replicaId(1), tlsKey: tls }),
      ),
      tlsAuthorityFile: write('ca.crt', makeAuthorityCertificate(authority)),
      policy: 'strict',
    };
    expected = {
      clusterId: CLUSTER,
      replica: replicaId(1),
      signingKey: publicKeyOf(signing),
      tlsKeyPin: computeKeyPin(tls),
      nowMs: NOW_MS,
    };
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function assertRefused(file: string, message: RegExp, given = expected): void {
    assert.throws(
      () => loadReplicaKeys(files, given),
      (error) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.file, file);
        assert.match(error.message, message);
        assert.notEqual(error.remedy, '');
        return true;
      },
    );
  }

  it('are given when they are what the genesis says', () => {
    const keys = loadReplicaKeys(files, expected);
    assert.equal(keys.signingKeyPin, computeKeyPin(signing));
    assert.equal(computeKeyPin(keys.signingKey), computeKeyPin(signing));
    assert.equal(keys.tls.keyPem, privatePem(tls));
    assert.match(keys.tls.certificatePem, /BEGIN CERTIFICATE/);
    assert.match(keys.tls.authorityPem, /BEGIN CERTIFICATE/);
  });

  it("OP-03 are refused when the signing key is another replica's, with both digests", () => {
    write('signing.key', privatePem(otherKey));
    const digests = `${computeKeyPin(otherKey)}.*${computeKeyPin(signing)}`;
    assertRefused(files.signingKeyFile, new RegExp(`not the signing key of replica 1.*${digests}`));
  });

  it("OP-03 are refused when the own id is another's", () => {
    const given = { ...expected, replica: replicaId(2), signingKey: publicKeyOf(otherKey) };
    assertRefused(files.signingKeyFile, /not the signing key of replica 2/, given);
    assertRefused(files.tlsCertificateFile, /needed is URI:pbft:.*replica\/2/, { ...expected, replica: replicaId(2) });
  });

  it('OP-03 are refused when the certificate is of another cluster', () => {
    const given = { ...expected, clusterId: sha256(utf8('other')) };
    assertRefused(files.tlsCertificateFile, /certificate names URI:pbft/, given);
  });

  it('OP-03 are refused when the genesis pins another TLS key', () => {
    const pin = computeKeyPin(otherKey);
    assertRefused(files.tlsCertificateFile, new RegExp(`genesis pins ${pin}`), { ...expected, tlsKeyPin: pin });
  });

  it('are refused when another authority signed the certificate', () => {
    write('ca.crt', makeAuthorityCertificate({ clusterId: CLUSTER, authorityKey: otherKey, nowMs: NOW_MS }));
    assertRefused(files.tlsCertificateFile, /not signed by the authority in .*ca\.crt/);
  });

  it('are refused when the TLS key does not belong to the certificate', () => {
    write('tls.key', privatePem(otherKey));
    assertRefused(files.tlsKeyFile, /does not belong to .*tls\.crt/);
  });

  it('are refused before the certificate is valid and after it expired', () => {
    for (const nowMs of [NOW_MS - YEAR_MS, NOW_MS + 11 * YEAR_MS]) {
      assertRefused(files.tlsCertificateFile, /certificate is valid from/, { ...expected, nowMs });
    }
  });
});
