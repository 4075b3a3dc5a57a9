/** Peers with valid credentials that break the handshake, and connections that never come to one. */
import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { sha256 } from '../../src/crypto/hash.js';
import type { PeerAddress } from '../../src/network/transport-options.js';
import {
  HANDSHAKE_BURST,
  HANDSHAKE_DEADLINE_MS,
  PENDING_CONNECTIONS_MAX,
} from '../../src/network/transport-options.js';
import { replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import { isConnected, lastError, TestCluster, type TestReplica, tlsOf, until } from '../support/network-cluster.js';
import {
  FaultyReplica,
  greetingFrame,
  helloFrame,
  helloIn,
  openStream,
  textFrame,
} from '../support/network-hostile-peer.js';
import { ManualTimers } from '../support/network-manual-timers.js';

const NONCE = new Uint8Array(32).fill(5);

function addressOf(replica: TestReplica): PeerAddress {
  const address = replica.transport.address();
  assert.ok(address !== undefined);
  return address;
}

describe('a handshake', () => {
  let cluster: TestCluster;
  let victim: TestReplica;
  let faulty: FaultyReplica;

  beforeEach(async () => {
    cluster = await TestCluster.create();
    victim = await cluster.start(0);
    faulty = new FaultyReplica(2, cluster.keys);
  });

  afterEach(() => cluster.stop());

  function assertUntouched(): void {
    assert.deepEqual(victim.handlers.events, []);
    assert.deepEqual(victim.handlers.messages, []);
  }

  it('comes to a link where everything is right', async () => {
    const stream = await faulty.connect(addressOf(victim), 0);
    await until(() => isConnected(victim, 2), 'the link');
    stream.write(textFrame('one', 'two'));
    await until(() => victim.handlers.messages.length === 2, 'two messages');
    assert.deepEqual(victim.handlers.textsFrom(2), ['one', 'two']);
    stream.close();
  });

  it('is refused where a hello of an earlier connection is replayed', async () => {
    const first = await faulty.greet(addressOf(victim), 0);
    const recorded = await helloFrame(first.hello, replicaId(2), faulty.signingKey());
    first.stream.write(recorded);
    await until(() => isConnected(victim, 2), 'the first link');
    first.stream.close();
    await until(() => !isConnected(victim, 2), 'its end');

    const second = openStream(addressOf(victim), faulty.tls);
    second.write(greetingFrame(first.hello.diallerNonce, 2, 0));
    await until(() => second.frames.length === 1, 'the hello of the listener');
    assert.notDeepEqual(helloIn(second.frames[0] ?? new Uint8Array()).listenerNonce, first.hello.listenerNonce);
    second.write(recorded);
    second.write(textFrame('a vote'));
    assert.match(await second.ended(), /^UNAUTHENTICATED: .*another connection/);
    second.close();
    assert.deepEqual(victim.handlers.messages, []);
  });

  it('is refused where a hello to another replica is relayed', async () => {
    const other = await cluster.start(1);
    const elsewhere = await faulty.greet(addressOf(other), 1);
    const here = openStream(addressOf(victim), faulty.tls);
    here.write(greetingFrame(elsewhere.hello.diallerNonce, 2, 0));
    await until(() => here.frames.length === 1, 'the hello of the listener');
    here.write(await helloFrame(elsewhere.hello, replicaId(2), faulty.signingKey()));
    assert.match(await here.ended(), /^UNAUTHENTICATED: .*to replica 1/);
    here.close();
    elsewhere.stream.close();
    assert.ok(!victim.handlers.events.includes('connected 2'));
  });

  it('is refused where any one part of the hello is wrong', async () => {
    const wrongs = [
      { field: 'diallerNonce', value: NONCE, end: /UNAUTHENTICATED/ },
      { field: 'listenerNonce', value: NONCE, end: /UNAUTHENTICATED/ },
      { field: 'diallerCertificateDigest', value: sha256(NONCE), end: /UNAUTHENTICATED/ },
      { field: 'listenerCertificateDigest', value: sha256(NONCE), end: /UNAUTHENTICATED/ },
      { field: 'from', value: replicaId(3), end: /UNAUTHENTICATED/ },
      { field: 'to', value: replicaId(1), end: /UNAUTHENTICATED/ },
      { field: 'clusterId', value: sha256(NONCE), end: /FAILED_PRECONDITION: .*cluster id/ },
      { field: 'parametersDigest', value: sha256(NONCE), end: /FAILED_PRECONDITION: .*parameters digest/ },
      { field: 'protocolVersion', value: 9, end: /FAILED_PRECONDITION: .*here 1, at the peer 9/ },
    ];
    for (const { field, value, end } of wrongs) {
      const { stream, hello } = await faulty.greet(addressOf(victim), 0);
      stream.write(await helloFrame({ ...hello, [field]: value }, replicaId(2), faulty.signingKey()));
      assert.match(await stream.ended(), end, field);
      stream.close();
    }
    assertUntouched();
  });

  it('is refused where something comes out of turn', async () => {
    const early = openStream(addressOf(victim), faulty.tls);
    early.write(textFrame('a vote'));
    assert.match(await early.ended(), /^UNAUTHENTICATED: .*not a greeting/);
    const twice = openStream(addressOf(victim), faulty.tls);
    twice.write(greetingFrame(NONCE, 2, 0));
    twice.write(greetingFrame(NONCE, 2, 0));
    assert.match(await twice.ended(), /^UNAUTHENTICATED/);
    const { stream } = await faulty.greet(addressOf(victim), 0);
    stream.write(textFrame('a vote'));
    assert.match(await stream.ended(), /^UNAUTHENTICATED: .*not its hello/);
    const large = openStream(addressOf(victim), faulty.tls);
    large.write(textFrame('x'.repeat(100_000)));
    assert.match(await large.ended(), /^UNAUTHENTICATED/);
    for (const one of [early, twice, stream, large]) {
      one.close();
    }
    assertUntouched();
  });

  it('is the only one on its connection', async () => {
    const { stream, hello } = await faulty.greet(addressOf(victim), 0);
    const sibling = stream.sibling();
    assert.match(await sibling.ended(), /^RESOURCE_EXHAUSTED: one stream/);
    stream.write(await helloFrame(hello, replicaId(2), faulty.signingKey()));
    await until(() => isConnected(victim, 2), 'the link of the first stream');
    stream.close();
  });

  it('is throttled where one replica begins too many, and no other replica suffers', async () => {
    const ends: string[] = [];
    for (let attempt = 0; attempt < HANDSHAKE_BURST + 2; attempt++) {
      const stream = openStream(addressOf(victim), faulty.tls);
      stream.write(textFrame('nonsense'));
      ends.push((await stream.ended()).split(':')[0] ?? '');
      stream.close();
    }
    assert.ok(ends.includes('UNAUTHENTICATED') && ends.at(-1) === 'RESOURCE_EXHAUSTED');
    assert.ok(victim.metrics.value('pbft_link_resets_total', { peer: '2', reason: 'throttled' }) > 0);
    const honest = await cluster.start(1);
    await until(() => isConnected(victim, 1) && isConnected(honest, 0), 'the link of replica 1');
  });
});

describe('a dialler', () => {
  let cluster: TestCluster;

  beforeEach(async () => {
    cluster = await TestCluster.create();
  });

  afterEach(() => cluster.stop());

  it('gives up on a listener that says nothing, drops the connection and dials again', async () => {
    const sockets: Socket[] = [];
    let openCount = 0;
    const server = createServer((socket) => {
      openCount += 1;
      sockets.push(socket);
      socket
        .on('error', () => undefined)
        .once('close', () => {
          openCount -= 1;
        });
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    cluster.addresses.set(replicaId(0), { host: '127.0.0.1', port: address.port });

    const timers = new ManualTimers();
    const high = await cluster.start(1, { timers });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(() => sockets.length === attempt, 'a connection');
      assert.deepEqual(timers.delaysMs(), [HANDSHAKE_DEADLINE_MS]);
      timers.advance(HANDSHAKE_DEADLINE_MS);
      await until(() => openCount === 0, 'its end');
      assert.match(lastError(high, 0), /no handshake within/);
      timers.advance(timers.delaysMs()[0] ?? 0);
    }
    server.close();
    await new Promise<void>((resolve) => high.transport.stop(resolve));
    for (const socket of sockets) {
      socket.destroy();
    }
  });

  it('waits longer after each failure, 1 s at most', async () => {
    const timers = new ManualTimers();
    const high = await cluster.start(1, { timers });
    const delaysMs: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      const [delayMs] = timers.delaysMs();
      assert.ok(delayMs !== undefined);
      delaysMs.push(delayMs);
      timers.advance(delayMs);
    }
    assert.deepEqual(delaysMs, [50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    assert.match(lastError(high, 0), /no address/);
  });
});

describe('a peer port', () => {
  let cluster: TestCluster;
  let victim: TestReplica;
  let address: PeerAddress;
  const timers = { current: new ManualTimers() };

  beforeEach(async () => {
    timers.current = new ManualTimers();
    cluster = await TestCluster.create();
    victim = await cluster.start(0, { timers: timers.current });
    address = addressOf(victim);
  });

  afterEach(() => cluster.stop());

  /** Plain TCP connections that say `text` and no more. */
  async function openPlain(
    count: number,
    text: Uint8Array | undefined,
  ): Promise<{ open: () => number; close: () => void }> {
    let openCount = 0;
    let settledCount = 0;
    const sockets = Array.from({ length: count }, () => {
      const socket = connect(address.port, address.host, () => {
        openCount += 1;
        settledCount += 1;
        if (text !== undefined) {
          socket.write(text);
        }
      });
      socket
        .resume()
        .on('error', () => undefined)
        .once('close', () => {
          openCount -= 1;
        });
      return socket;
    });
    await until(() => settledCount === count, 'the connections');
    return { open: () => openCount, close: () => sockets.map((socket) => socket.destroy()) };
  }

  /** A connection may be taken in by the port later than its other end sees it open. */
  async function passDeadlineUntil(condition: () => boolean, what: string): Promise<void> {
    await until(() => {
      timers.current.advance(HANDSHAKE_DEADLINE_MS);
      return condition();
    }, what);
  }

  it('keeps a bounded number of connections without a handshake, and others still get in', async () => {
    const idle = await openPlain(3 * PENDING_CONNECTIONS_MAX, undefined);
    // All come from one address, which gets half of the places.
    await until(() => idle.open() <= PENDING_CONNECTIONS_MAX / 2, 'the oldest to be dropped');
    const honest = await cluster.start(1);
    await until(() => isConnected(victim, 1) && isConnected(honest, 0), 'an honest link');
    assert.ok(idle.open() >= PENDING_CONNECTIONS_MAX / 2 - 1);
    await passDeadlineUntil(() => idle.open() === 0, 'the rest to be dropped at the deadline');
    assert.ok(isConnected(victim, 1), 'a proven link has no deadline');
    idle.close();
  });

  it('drops half a TLS greeting at the deadline, whatever came before', async () => {
    const halves = await openPlain(20, Buffer.from('16030100c8010000c40303', 'hex'));
    await passDeadlineUntil(() => halves.open() === 0, 'all to be dropped');
    halves.close();
    assert.ok(victim.metrics.value('pbft_link_resets_total', { peer: 'unknown', reason: 'timeout' }) >= 20);
  });

  it('drops a connection with valid TLS that opens no stream, and a stream that says nothing, at the deadline', async () => {
    const { keyPem, certificatePem, authorityPem } = tlsOf(cluster.keys, 2);
    let isClosed = false;
    const socket = connectTls({
      ...address,
      key: keyPem,
      cert: certificatePem,
      ca: authorityPem,
      ALPNProtocols: ['h2'],
      checkServerIdentity: () => undefined,
    });
    socket
      .resume()
      .on('error', () => undefined)
      .once('close', () => {
        isClosed = true;
      });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const silent = openStream(address, tlsOf(cluster.keys, 3));
    silent.write(greetingFrame(NONCE, 3, 0));
    await until(() => silent.frames.length === 1, 'the hello of the listener');
    timers.current.advance(HANDSHAKE_DEADLINE_MS);
    assert.match(await silent.ended(), /^DEADLINE_EXCEEDED/);
    await until(() => isClosed, 'the connection to be dropped');
    silent.close();
  });

  it('GR-02: survives plaintext, HTTP/1, HTTP/2 in the clear and noise', async () => {
    const openings = [utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), new Uint8Array(4_000).fill(0xff), utf8('\0')];
    for (const opening of openings) {
      const noise = await openPlain(3, opening);
      await passDeadlineUntil(() => noise.open() === 0, 'the noise to be dropped');
      noise.close();
    }
    const session = connectHttp2(`http://${address.host}:${address.port}`);
    await new Promise<void>((resolve) => session.on('error', () => undefined).once('close', resolve));
    const honest = await cluster.start(1);
    await until(() => isConnected(victim, 1) && isConnected(honest, 0), 'an honest link');
  });

  it('serves nothing but its one method', async () => {
    const { keyPem, certificatePem, authorityPem } = tlsOf(cluster.keys, 2);
    const session = connectHttp2(`https://${address.host}:${address.port}`, {
      key: keyPem,
      cert: certificatePem,
      ca: authorityPem,
      checkServerIdentity: () => undefined,
    });
    session.on('error', () => undefined);
    const statusOf = (path: string): Promise<unknown> =>
      new Promise((resolve) => {
        const request = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
        request.on('error', () => undefined).once('response', (headers) => resolve(headers['grpc-status']));
      });
    assert.equal(Number(await statusOf('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo')), 12);
    assert.equal(Number(await statusOf('/pbft.v1.ClientService/Submit')), 12);
    session.destroy();
  });
});
