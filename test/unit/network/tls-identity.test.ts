import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { sha256 } from '../../../src/crypto/hash.js';
import { identifyReplica } from '../../../src/network/tls-identity.js';
import { CLUSTER_ID, type ClusterKeys, keysOfCluster, tlsOf } from '../../support/network-cluster.js';
import { AUTHORITY_NAME, makeOddCertificate } from '../../support/network-hostile-peer.js';

describe('a TLS identity', () => {
  let keys: ClusterKeys;

  before(async () => {
    keys = await keysOfCluster();
  });

  function identify(pem: string): ReturnType<typeof identifyReplica> {
    return identifyReplica(new X509Certificate(pem), { clusterId: CLUSTER_ID, tlsPins: keys.tlsPins, hash: sha256 });
  }

  function named(uris: readonly string[], replica = 2): ReturnType<typeof identifyReplica> {
    const key = keys.tlsKeys[replica];
    assert.ok(key !== undefined);
    const { authorityKey: issuerKey } = keys;
    return identify(makeOddCertificate({ key, issuerKey, issuerName: AUTHORITY_NAME, commonName: 'replica', uris }));
  }

  it('is what the URI and the pin of the key both say', () => {
    for (const replica of keys.tlsPins.keys()) {
      const { certificatePem } = tlsOf(keys, replica);
      const identity = identify(certificatePem);
      const certificateDigest = sha256(new X509Certificate(certificatePem).raw);
      assert.deepEqual(identity, { ok: true, value: { replica, certificateDigest } });
    }
  });

  const prefix = `pbft://${CLUSTER_ID}/replica/`;
  const odd = ['', '-2', '02', '2 ', '2/', '+2', '2e0', '0x2', '2000000', '2?', '2#', '2\u0000', '2, URI:x'];
  for (const suffix of odd) {
    it(`is none where the URI ends in ${JSON.stringify(suffix)}`, () => {
      assert.equal(named([`${prefix}${suffix}`]).ok, false);
    });
  }

  it('is none where another name smuggles the URI in', () => {
    assert.equal(named([`http://x/, URI:${prefix}2, URI:http://y/`]).ok, false);
    assert.equal(named([`http://x/", URI:${prefix}2, "`]).ok, false);
  });

  it("is no other replica's, and of no other cluster, with both said", () => {
    const other = named([`${prefix}1`]);
    assert.match(other.ok ? '' : other.error.text, /names replica 1, its key is pinned for replica 2/);
    const foreign = named([`pbft://${'0'.repeat(64)}/replica/2`]);
    assert.equal(foreign.ok ? undefined : foreign.error.otherClusterOf, 2);
    const stranger = named([`pbft://${'0'.repeat(64)}/replica/1`]);
    assert.equal(stranger.ok ? 0 : stranger.error.otherClusterOf, undefined);
  });
});
