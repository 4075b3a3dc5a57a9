/** Certificates as others see them: node:crypto reads them, and TLS accepts them at both ends. */
import assert from 'node:assert/strict';
import { type KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { makeAuthorityCertificate, makeReplicaCertificate, replicaUri } from '../../../src/crypto/certificates.js';
import { sha256 } from '../../../src/crypto/hash.js';
import { computeKeyPin, generatePrivateKey, privatePem } from '../../../src/crypto/keys.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';

const CLUSTER = sha256(utf8('cluster'));

describe('certificates', () => {
  const nowMs = Date.now();
  let authorityKey: KeyObject;
  let tlsKey: KeyObject;
  let authorityPem: string;
  let replicaPem: string;

  before(async () => {
    [authorityKey, tlsKey] = await Promise.all([generatePrivateKey(), generatePrivateKey()]);
    const authority = { clusterId: CLUSTER, authorityKey, nowMs };
    authorityPem = makeAuthorityCertificate(authority);
    replicaPem = makeReplicaCertificate({
      ...authority,
      replica: replicaId(2),
      tlsKey,
      hosts: ['r2.example', '10.1.2.3'],
    });
  });

  it('of an authority may sign certificates, and itself', () => {
    const authority = new X509Certificate(authorityPem);
    assert.equal(authority.ca, true);
    assert.equal(authority.verify(authority.publicKey), true);
    assert.equal(authority.checkIssued(authority), true);
    assert.deepEqual(authority.keyUsage ?? [], []);
  });

  it('of a replica are signed by the authority, may not sign, and carry its TLS key', () => {
    const authority = new X509Certificate(authorityPem);
    const replica = new X509Certificate(replicaPem);
    assert.equal(replica.ca, false);
    assert.equal(replica.verify(authority.publicKey), true);
    assert.equal(replica.checkIssued(authority), true);
    assert.equal(replica.checkPrivateKey(tlsKey), true);
    assert.equal(computeKeyPin(replica.publicKey), computeKeyPin(tlsKey));
    assert.deepEqual([...replica.keyUsage].sort(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('MK-04 of a replica name it by cluster and id', () => {
    const names = (new X509Certificate(replicaPem).subjectAltName ?? '').split(', ');
    assert.equal(names[0], `URI:pbft://${CLUSTER}/replica/2`);
    assert.equal(names[0], `URI:${replicaUri(CLUSTER, replicaId(2))}`);
    for (const name of ['DNS:localhost', 'IP Address:127.0.0.1', 'DNS:r2.example', 'IP Address:10.1.2.3']) {
      assert.ok(names.includes(name), name);
    }
  });

  it('are valid from before now for ten years and more', () => {
    for (const pem of [authorityPem, replicaPem]) {
      const { validFrom, validTo } = new X509Certificate(pem);
      assert.ok(Date.parse(validFrom) < nowMs);
      assert.ok(Date.parse(validTo) > nowMs + 9 * 365 * 86_400_000);
    }
  });

  it('have different serial numbers', () => {
    const again = makeAuthorityCertificate({ clusterId: CLUSTER, authorityKey, nowMs });
    assert.notEqual(new X509Certificate(again).serialNumber, new X509Certificate(authorityPem).serialNumber);
  });

  it('are accepted by TLS at both ends of a link', async () => {
    const [left, right] = duplexPair();
    const own = { key: privatePem(tlsKey), cert: replicaPem, ca: authorityPem };
    const server = createServer({ ...own, requestCert: true, rejectUnauthorized: true });
    const accepted = once(server, 'secureConnection');
    const client = connect({ ...own, socket: right, servername: 'localhost' });
    server.emit('connection', left);
    await Promise.all([accepted, once(client, 'secureConnect')]);
    const [peer] = (await accepted) as [TLSSocket];
    assert.equal(client.authorized, true);
    assert.equal(peer.authorized, true);
    client.destroy();
    peer.destroy();
  });
});
