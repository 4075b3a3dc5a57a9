/** Who may not open a link: TLS identities that are none (MK-04), and configurations that don't fit (OP-01, OP-03). */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { makeAuthorityCertificate } from '../../src/crypto/certificates.js';
import { sha256 } from '../../src/crypto/hash.js';
import { generatePrivateKey, privatePem } from '../../src/crypto/keys.js';
import type { PeerAddress } from '../../src/network/transport-options.js';
import { replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import {
  CLUSTER_ID,
  isConnected,
  lastError,
  startTransport,
  TestCluster,
  type TestReplica,
  tlsOf,
  until,
} from '../support/network-cluster.js';
import {
  AUTHORITY_NAME,
  type Credentials,
  FaultyReplica,
  greetingFrame,
  helloFrame,
  makeOddCertificate,
  openStream,
  textFrame,
} from '../support/network-hostile-peer.js';

const NONCE = new Uint8Array(32).fill(5);

describe('a peer port', () => {
  let cluster: TestCluster;
  let victim: TestReplica;
  let address: PeerAddress;
  let strangeKey: KeyObject;

  before(async () => {
    strangeKey = await generatePrivateKey();
  });

  beforeEach(async () => {
    cluster = await TestCluster.create();
    victim = await cluster.start(1);
    const bound = victim.transport.address();
    assert.ok(bound !== undefined);
    address = bound;
  });

  afterEach(() => cluster.stop());

  /** Greets with a message right behind, and expects that nothing of it is taken. */
  async function refusalOf(shown: Credentials, from = 2): Promise<string> {
    const stream = openStream(address, shown);
    stream.write(greetingFrame(NONCE, from, 1));
    stream.write(textFrame('a vote'));
    const end = await stream.ended();
    stream.close();
    assert.deepEqual(victim.handlers.events, []);
    assert.deepEqual(victim.handlers.messages, []);
    assert.ok(!isConnected(victim, from));
    return end;
  }

  /** A certificate of the cluster's authority with these names. */
  function certified(key: KeyObject, uris: readonly string[], commonName = 'pbft replica 2'): Credentials {
    const { authorityKey, authorityPem } = cluster.keys;
    const certificatePem = makeOddCertificate({
      key,
      issuerKey: authorityKey,
      issuerName: AUTHORITY_NAME,
      commonName,
      uris,
    });
    return { keyPem: privatePem(key), certificatePem, authorityPem };
  }

  function tlsKeyOf(replica: number): KeyObject {
    const key = cluster.keys.tlsKeys[replica];
    assert.ok(key !== undefined);
    return key;
  }

  it('MK-04: takes no stream without a client certificate', async () => {
    assert.match(await refusalOf({ authorityPem: cluster.keys.authorityPem }), /^UNAVAILABLE/);
    await until(
      () => victim.metrics.value('pbft_link_resets_total', { peer: 'unknown', reason: 'identity' }) > 0,
      'count',
    );
  });

  it('MK-04: takes no certificate of another authority, nor a self-signed one, whatever it names', async () => {
    const uris = [`pbft://${CLUSTER_ID}/replica/2`];
    const { authorityPem } = cluster.keys;
    for (const issuerName of [AUTHORITY_NAME, 'pbft replica 2']) {
      const odd = { key: strangeKey, issuerKey: strangeKey, issuerName, commonName: 'pbft replica 2', uris };
      const certificatePem = makeOddCertificate(odd);
      assert.match(await refusalOf({ keyPem: privatePem(strangeKey), certificatePem, authorityPem }), /^UNAVAILABLE/);
    }
  });

  it("MK-04: takes no certificate of the cluster's authority that lacks the URI, whatever its common name", async () => {
    for (const name of ['pbft replica 2', `pbft://${CLUSTER_ID}/replica/2`]) {
      assert.match(await refusalOf(certified(tlsKeyOf(2), [], name)), /^PERMISSION_DENIED: .*names no replica/);
    }
  });

  it("MK-04: takes no client's certificate, and none that names two replicas", async () => {
    const client = certified(strangeKey, [`pbft://${CLUSTER_ID}/client/7`]);
    assert.match(await refusalOf(client), /^PERMISSION_DENIED: .*names no replica/);
    const two = certified(
      tlsKeyOf(2),
      [2, 3].map((id) => `pbft://${CLUSTER_ID}/replica/${id}`),
    );
    assert.match(await refusalOf(two), /^PERMISSION_DENIED: .*more than one replica/);
  });

  it('MK-04: takes no key but the pinned one, even where the authority signed it', async () => {
    const uris = [`pbft://${CLUSTER_ID}/replica/2`];
    assert.match(await refusalOf(certified(strangeKey, uris)), /^PERMISSION_DENIED: .*pinned for no replica/);
    assert.match(await refusalOf(certified(tlsKeyOf(3), uris)), /^PERMISSION_DENIED: .*pinned for replica 3/);
  });

  it('MK-04: takes no stream that claims another replica than its certificate', async () => {
    assert.match(await refusalOf(tlsOf(cluster.keys, 2), 3), /^PERMISSION_DENIED: .*from replica 3.*replica 2's/);
  });

  it('takes no stream of a lower id, nor of its own', async () => {
    assert.match(await refusalOf(tlsOf(cluster.keys, 0), 0), /^PERMISSION_DENIED: .*the higher id dials/);
    assert.match(await refusalOf(tlsOf(cluster.keys, 1), 1), /^PERMISSION_DENIED: .*the higher id dials/);
  });

  it('MK-04: takes no hello that is signed with another key than the one in the genesis', async () => {
    const faulty = new FaultyReplica(2, cluster.keys);
    const { stream, hello } = await faulty.greet(address, 1);
    stream.write(await helloFrame(hello, replicaId(2), faulty.signingKey(3)));
    stream.write(textFrame('a vote'));
    assert.match(await stream.ended(), /^UNAUTHENTICATED: .*signature/);
    stream.close();
    assert.deepEqual(victim.handlers.messages, []);
    assert.deepEqual(victim.handlers.events, []);
  });

  it('OP-01: says that a certificate is for another cluster, with both ids', async () => {
    const other = sha256(utf8('another cluster'));
    const end = await refusalOf(certified(tlsKeyOf(2), [`pbft://${other}/replica/2`]));
    assert.match(end, new RegExp(`^FAILED_PRECONDITION: .*${other}.*${CLUSTER_ID}`));
    assert.equal(victim.metrics.value('pbft_config_mismatch', { peer: '2' }), 1);
  });
});

describe('two replicas', () => {
  let cluster: TestCluster;

  beforeEach(async () => {
    cluster = await TestCluster.create();
  });

  afterEach(() => cluster.stop());

  const differences = [
    {
      what: 'parameters',
      overrides: { parametersDigest: sha256(utf8('other parameters')) },
      name: 'parameters digest',
    },
    { what: 'protocol version', overrides: { protocolVersion: 2 }, name: 'protocol version' },
  ];
  for (const { what, overrides, name } of differences) {
    it(`OP-01: of another ${what} have no link, and both show both values`, async () => {
      const low = await cluster.start(0);
      const high = await cluster.start(1, overrides);
      const isSeen = (one: TestReplica, peer: string): boolean =>
        one.metrics.value('pbft_config_mismatch', { peer }) === 1;
      await until(() => isSeen(low, '1') && isSeen(high, '0'), 'the mismatch at both ends');
      for (const one of [low, high]) {
        const line = one.logger.lines.find((text) => text.startsWith('error'));
        assert.match(line ?? '', new RegExp(`${name}: here .+, at the peer .+`));
        assert.deepEqual(one.handlers.events, []);
      }
      assert.match(lastError(low, 1), new RegExp(name));
      assert.match(lastError(high, 0), new RegExp(name));
    });
  }

  it('OP-01: have a link and no mismatch any more when the configuration is corrected', async () => {
    const low = await cluster.start(0);
    const wrong = await cluster.start(1, { protocolVersion: 2 });
    await until(() => low.metrics.value('pbft_config_mismatch', { peer: '1' }) === 1, 'the mismatch');
    await new Promise<void>((resolve) => wrong.transport.stop(resolve));
    const right = await cluster.start(1);
    await until(() => isConnected(low, 1) && isConnected(right, 0), 'the link');
    assert.equal(low.metrics.value('pbft_config_mismatch', { peer: '1' }), 0);
  });

  it('OP-03: whose addresses are swapped are both named', async () => {
    const zero = await cluster.start(0);
    const one = await cluster.start(1);
    const [addressZero, addressOne] = [zero.transport.address(), one.transport.address()];
    assert.ok(addressZero !== undefined && addressOne !== undefined);
    const peers = new Map([
      [replicaId(0), addressOne],
      [replicaId(1), addressZero],
    ]);
    const two = await cluster.start(2, { peers });
    await until(() => lastError(two, 0) !== '' && lastError(two, 1) !== '', 'two errors');
    assert.match(lastError(two, 0), /configured as replica 0, is replica 1/);
    assert.match(lastError(two, 1), /configured as replica 1, is replica 0/);
    assert.deepEqual(two.handlers.events, []);
  });

  it("OP-03: a replica with another's certificate does not start, and says whose it is", async () => {
    const error = await startTransport(cluster.make(0, { tls: tlsOf(cluster.keys, 2) }));
    assert.match(error?.message ?? '', /replica 2's, this is replica 0/);
  });

  it('OP-03: a replica dialled under a certificate of another authority is not believed', async () => {
    const authorityKey = await generatePrivateKey();
    const authorityPem = makeAuthorityCertificate({ clusterId: CLUSTER_ID, authorityKey, nowMs: Date.now() });
    const low = await cluster.start(0, { tls: tlsOf({ ...cluster.keys, authorityKey, authorityPem }, 0) });
    const high = await cluster.start(1);
    await until(() => lastError(high, 0) !== '', 'the error');
    assert.match(lastError(high, 0), /certificate/);
    assert.deepEqual([low.handlers.events, high.handlers.events], [[], []]);
  });
});
