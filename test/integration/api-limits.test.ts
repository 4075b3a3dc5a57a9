/** What the client port does against callers that take too much, and where it refuses to listen. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { ClientServerOptions } from '../../src/api/client-server.js';
import { type Client, type ConnectOptions, connect } from '../../src/client/client.js';
import { makeAuthorityCertificate, makeReplicaCertificate } from '../../src/crypto/certificates.js';
import { generatePrivateKey, privatePem } from '../../src/crypto/keys.js';
import { replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import { sha256 } from '../unit/api/fake-replica.js';
import { ApiSubject, until } from './api-subject.js';

const REFLECTION_PATH = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** A message with the RPC library's five bytes before it. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe('the limits of the client port', () => {
  /** What a test opened, to be closed whatever becomes of it. */
  const opened: (() => void | Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) {
      await close();
    }
  });

  function createSubject(options: Partial<ClientServerOptions> = {}): ApiSubject {
    const subject = new ApiSubject(options);
    opened.push(() => subject.stop());
    return subject;
  }

  function connectClient(address: string, options: ConnectOptions = {}): Client {
    const client = connect(address, options);
    opened.push(() => client.close());
    return client;
  }

  function openSession(address: string): ClientHttp2Session {
    const session = connectHttp2(`http://${address}`);
    session.on('error', () => undefined);
    opened.push(() => session.destroy());
    return session;
  }

  it('refuses to serve plaintext beyond loopback, unless the operator says so', async () => {
    const refused = createSubject({ host: '0.0.0.0' });
    await assert.rejects(refused.start(), /no TLS, so it listens on loopback alone, not on 0\.0\.0\.0/);
    const allowed = createSubject({ host: '0.0.0.0', security: { kind: 'plaintext', allowRemote: true } });
    const client = connectClient(`127.0.0.1:${portOf(await allowed.start())}`);
    assert.equal((await client.put('k', 'v')).sequence, 1);
  });

  it('says which port is in use', async () => {
    const first = createSubject();
    const port = portOf(await first.start());
    const second = createSubject({ port });
    await assert.rejects(second.start(), new RegExp(`127\\.0\\.0\\.1:${port}: another process uses the port`));
  });

  it('serves TLS beyond loopback, to clients that trust its authority alone', async () => {
    const [authorityKey, tlsKey] = await Promise.all([generatePrivateKey(), generatePrivateKey()]);
    const authority = { clusterId: sha256(utf8('cluster')), authorityKey, nowMs: Date.now() };
    const certificateChain = utf8(makeReplicaCertificate({ ...authority, replica: replicaId(2), tlsKey }));
    const privateKey = utf8(privatePem(tlsKey));
    const subject = createSubject({ host: '0.0.0.0', security: { kind: 'tls', certificateChain, privateKey } });
    const address = `127.0.0.1:${portOf(await subject.start())}`;
    const trusting = connectClient(address, { tls: { rootCertificates: utf8(makeAuthorityCertificate(authority)) } });
    assert.equal((await trusting.put('k', 'v')).sequence, 1);
    const foreign = { ...authority, authorityKey: tlsKey };
    const distrusting = connectClient(address, { tls: { rootCertificates: utf8(makeAuthorityCertificate(foreign)) } });
    await assert.rejects(distrusting.put('k', 'v'), { code: 'UNAVAILABLE', outcomeKnown: true });
    const plain = connectClient(address, { timeoutMs: 1_000 });
    await assert.rejects(plain.put('k', 'v'), { name: 'ClientError' });
  });

  it('says that its key is no key', async () => {
    const security = { kind: 'tls', certificateChain: utf8('no'), privateKey: utf8('no') } as const;
    const subject = createSubject({ security });
    await assert.rejects(subject.start(), /certificate or key can't be used/);
  });

  it('sends calls above the limit away and counts them, but not those of operators and health checks', async () => {
    const subject = createSubject({ limits: { callsMax: 2 } });
    subject.replica.mode = 'hold';
    const client = connectClient(await subject.start());
    const held = [client.put('a', '1'), client.put('b', '1')];
    await until(() => subject.replica.submitted.length === 2, 'two calls are held');
    await assert.rejects(client.put('c', '1'), { code: 'RESOURCE_EXHAUSTED', outcomeKnown: true });
    assert.ok(subject.counted.includes('pbft_throttled_total calls'));
    assert.equal((await client.status()).ready, true);
    for (const { operation, done } of subject.replica.submitted) {
      done(subject.replica.execute(operation));
    }
    await Promise.all(held);
    subject.replica.mode = 'execute';
    assert.equal((await client.put('c', '1')).sequence, 3);
  });

  /** A connection that says nothing; it notices its end. */
  async function openSilent(port: number): Promise<Socket> {
    const socket = connectSocket(port, '127.0.0.1');
    opened.push(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  }

  it('GR-03, FU-06: a caller gets in however many silent connections its address has; the longest silent one goes', async () => {
    const subject = createSubject({ limits: { connectionsMax: 64, connectionsOfAddressMax: 8 } });
    const address = await subject.start();
    const caller = connectClient(address);
    await caller.put('k', 'v');
    const silent: Socket[] = [];
    for (let index = 0; index < 40; index++) {
      silent.push(await openSilent(portOf(address)));
    }
    await until(() => silent.slice(0, 33).every((socket) => socket.destroyed), 'the longest silent ones are closed');
    assert.ok(silent.slice(33).every((socket) => !socket.destroyed));
    const path = '/pbft.v1.KeyValueService/Get';
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = openSession(address).request(headers);
    stream.end(framed(Buffer.from([0x0a, 1, 0x6b])));
    const [answer] = await once(stream.resume(), 'trailers');
    assert.equal(answer['grpc-status'], '0', 'a new caller is served');
    assert.equal((await caller.put('k', 'x')).sequence, 3, 'who made a call before kept its connection');
    const displaced = subject.counted.filter((line) => line === 'pbft_connections_closed_total client displaced');
    assert.equal(displaced.length, 34);
    assert.equal(subject.logged.filter((line) => line.includes('clients.connectionsOfAddressMax')).length, 1);
  });

  it('FU-06: a caller that waits for its answer keeps its connection whatever comes; a standing stream does not', async () => {
    const subject = createSubject({ limits: { connectionsMax: 64, connectionsOfAddressMax: 2 } });
    subject.replica.mode = 'hold';
    const address = await subject.start();
    const waiting = connectClient(address).put('k', 'v');
    await until(() => subject.replica.submitted.length === 1, 'the call is held');
    const watching = openSession(address);
    const watch = watching.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    watch.on('error', () => undefined);
    watch.end(framed(new Uint8Array()));
    await once(watch.resume(), 'response');
    const gone = once(watching, 'close');
    for (let index = 0; index < 5; index++) {
      await openSilent(portOf(address));
    }
    await gone;
    for (const { operation, done } of subject.replica.submitted) {
      done(subject.replica.execute(operation));
    }
    assert.equal((await waiting).sequence, 1);
  });

  it('FU-06: closes a connection that says nothing for a while, with and without TLS, and no other', async () => {
    const [authorityKey, tlsKey] = await Promise.all([generatePrivateKey(), generatePrivateKey()]);
    const authority = { clusterId: sha256(utf8('cluster')), authorityKey, nowMs: Date.now() };
    const certificateChain = utf8(makeReplicaCertificate({ ...authority, replica: replicaId(2), tlsKey }));
    const security = { kind: 'tls', certificateChain, privateKey: utf8(privatePem(tlsKey)) } as const;
    const tls = { rootCertificates: utf8(makeAuthorityCertificate(authority)) };
    for (const options of [{}, { security }]) {
      const subject = createSubject({ ...options, limits: { silentConnectionMs: 300 } });
      const address = await subject.start();
      const client = connectClient(address, 'security' in options ? { tls } : {});
      await client.put('k', 'v');
      const silent = await openSilent(portOf(address));
      const stammering = await openSilent(portOf(address));
      stammering.write('P');
      await until(() => silent.destroyed && stammering.destroyed, 'both are closed');
      assert.equal((await client.put('k', 'w')).sequence, 2);
      const closed = subject.counted.filter((line) => line.startsWith('pbft_connections_closed_total'));
      assert.deepEqual(
        closed,
        Array.from({ length: 2 }, () => 'pbft_connections_closed_total client silent'),
      );
    }
  });

  it('GR-02: says of a message above the limit that it is too long, and how long it may be, to every method', async () => {
    const subject = createSubject({ limits: { operationBytesMax: 10_000 } });
    const address = await subject.start();
    const client = connectClient(address);
    const tooLong = {
      code: 'INVALID_ARGUMENT',
      reason: 'MESSAGE_TOO_LONG',
      outcomeKnown: true,
      retryAfterMs: undefined,
    };
    await assert.rejects(client.put('k', 'v'.repeat(100_000)), (error: Error) => {
      assert.match(error.message, /longer than 75536 bytes.*nothing was taken/);
      return Object.entries(tooLong).every(([name, value]) => Reflect.get(error, name) === value);
    });
    await assert.rejects(client.submit(new Uint8Array(100_000)), tooLong);
    await assert.rejects(client.get('k'.repeat(100_000)), tooLong);
    await assert.rejects(client.range({ prefix: 'k'.repeat(100_000) }), tooLong);
    await assert.rejects(client.delete('k'.repeat(100_000)), tooLong);
    // What is short on the wire and long when it is unpacked.
    const session = openSession(address);
    for (const path of ['/pbft.v1.KeyValueService/Put', '/grpc.health.v1.Health/Check']) {
      const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
      const stream = session.request({ ...headers, 'grpc-encoding': 'gzip' });
      const zipped = framed(gzipSync(Buffer.alloc(1_000_000)));
      zipped[0] = 1;
      stream.end(zipped);
      const [answer] = await once(stream.resume(), 'response');
      assert.equal(answer['grpc-status'], '3');
    }
    assert.equal((await client.put('k', 'v')).sequence, 1);
    assert.ok(subject.counted.includes('pbft_calls_total KeyValueService/Put INVALID_ARGUMENT'));
  });

  it('GR-04: a caller that asks for descriptors and reads none makes it hold a bounded number of them', async () => {
    const subject = createSubject();
    const session = openSession(await subject.start());
    const stream = session.request({
      ':method': 'POST',
      ':path': REFLECTION_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.pause();
    stream.on('error', () => undefined);
    // file_containing_symbol = "pbft.v1.KeyValueService": 20 bytes ask for some thousand.
    const symbol = utf8('pbft.v1.KeyValueService');
    const ask = framed(Buffer.concat([Uint8Array.of(0x22, symbol.length), symbol]));
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => ask));
    let sent = 0;
    const before = process.memoryUsage();
    // Until the port takes no more of the questions: then it waits for its answers to be read.
    while (sent < 400 && stream.write(many)) {
      sent++;
    }
    let accepted = sent;
    while (accepted < 400) {
      const drained = await Promise.race([
        once(stream, 'drain').then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500)),
      ]);
      if (!drained) {
        break;
      }
      accepted++;
      stream.write(many);
    }
    const grown = process.memoryUsage().rss - before.rss;
    assert.ok(accepted < 400, 'the port stops reading what it can’t answer');
    assert.ok(grown < 100 * 1_048_576, `${grown} bytes`);
  });

  it('GR-04: a connection that reads no answers is refused more, and closed when it goes on; others are served', async () => {
    const unread = { unreadBytesMax: 2 * 1_048_576, unreadMsMax: 400 };
    const subject = createSubject({ limits: { unread } });
    const address = await subject.start();
    const other = connectClient(address);
    await other.put('k', Buffer.alloc(1_048_576));
    const session = openSession(address);
    const closed = once(session, 'close');
    const request = framed(Buffer.from([0x0a, 1, 0x6b]));
    const unreadCodes: unknown[] = [];
    for (let index = 0; index < 5; index++) {
      const path = '/pbft.v1.KeyValueService/Get';
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      stream.on('response', (headers) => unreadCodes.push(headers['grpc-status']));
      stream.pause();
      stream.end(request);
      await until(() => subject.counted.length === 2 + index, 'the call is answered');
    }
    await until(() => unreadCodes.length === 5, 'every call has its first headers');
    assert.deepEqual(unreadCodes, [undefined, undefined, '8', '8', '8'], 'refused from the third on');
    // A long value is asked for twice: shortly, then whole; and once where it was long a moment ago.
    assert.equal((await other.get('k')).sequence, 5);
    await closed;
    assert.ok(subject.counted.includes('pbft_throttled_total answers_unread'));
    assert.equal((await other.get('k')).sequence, 6);
  });

  it('GR-02: survives what is not gRPC, and goes on', async () => {
    const subject = createSubject();
    const address = await subject.start();
    for (const noise of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01', '\0'.repeat(10_000)]) {
      const socket = connectSocket(portOf(address), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume().end(noise);
      await once(socket, 'close');
    }
    const session = openSession(address);
    const gzip = session.request({
      ':method': 'POST',
      ':path': '/pbft.v1.KeyValueService/Put',
      'content-type': 'application/grpc',
      'grpc-encoding': 'gzip',
      te: 'trailers',
    });
    gzip.on('error', () => undefined);
    const notGzip = framed(utf8('this is not gzip'));
    notGzip[0] = 1;
    gzip.resume().end(notGzip);
    await once(gzip, 'close');
    const client = connectClient(address);
    assert.equal((await client.put('k', 'v')).sequence, 1);
  });
});
