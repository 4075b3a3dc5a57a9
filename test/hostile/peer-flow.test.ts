/** Proven peers that misbehave on their link: too long, malformed, too slow, too many (GR-01, GR-02, GR-04). */
import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { CONNECT_PATH } from '../../src/network/peer-service.js';
import { HANDSHAKE_BURST, type PeerAddress } from '../../src/network/transport-options.js';
import { replicaId } from '../../src/protocol/identifiers.js';
import { concatBytes, utf8 } from '../../src/util/bytes.js';
import { frameOf } from '../../src/wire/frame.js';
import {
  isConnected,
  LIMITS,
  lastError,
  TestCluster,
  type TestReplica,
  tlsOf,
  until,
} from '../support/network-cluster.js';
import { FaultyReplica, type HostileStream, textFrame } from '../support/network-hostile-peer.js';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('a link', () => {
  let cluster: TestCluster;
  let victim: TestReplica;
  let honest: TestReplica;
  let faulty: FaultyReplica;
  let address: PeerAddress;

  beforeEach(async () => {
    cluster = await TestCluster.create();
    victim = await cluster.start(0);
    honest = await cluster.start(1);
    faulty = new FaultyReplica(2, cluster.keys);
    const bound = victim.transport.address();
    assert.ok(bound !== undefined);
    address = bound;
    await until(() => isConnected(victim, 1) && isConnected(honest, 0), 'the honest link');
  });

  afterEach(() => cluster.stop());

  async function linked(isReading = true): Promise<HostileStream> {
    const stream = await faulty.connect(address, 0, isReading);
    await until(() => isConnected(victim, 2), 'the link of the faulty replica');
    return stream;
  }

  function resets(reason: string): number {
    return victim.metrics.value('pbft_link_resets_total', { peer: '2', reason });
  }

  /** The honest replica notices nothing. */
  async function assertUnharmed(): Promise<void> {
    honest.transport.send(replicaId(0), utf8('still here'), 'vote');
    await until(() => victim.handlers.textsFrom(1).includes('still here'), 'a message of the honest replica');
    assert.deepEqual(honest.handlers.events, ['connected 0']);
    assert.ok(victim.handlers.events.includes('connected 1') && !isDown(1));
  }

  function isDown(peer: number): boolean {
    return victim.handlers.events.some((event) => event.startsWith(`disconnected ${peer}`));
  }

  for (const sizeBytes of [LIMITS.messageBytesMax + 1, LIMITS.messageBytesMax + 64 * KIB, 64 * MIB]) {
    it(`GR-01: ends at a message of ${sizeBytes} bytes, counted, and may be made anew`, async () => {
      const stream = await linked();
      stream.write(frameOf([new Uint8Array(sizeBytes).fill(1)]));
      assert.match(await stream.ended(), /^RESOURCE_EXHAUSTED/);
      stream.close();
      await until(() => isDown(2), 'the end of the link');
      assert.equal(resets('oversized'), 1);
      assert.deepEqual(victim.handlers.textsFrom(2), []);
      const again = await linked();
      again.write(textFrame('short'));
      await until(() => victim.handlers.textsFrom(2).length === 1, 'a short message');
      again.close();
      await assertUnharmed();
    });
  }

  const malformed = [
    { what: 'noise', frame: new Uint8Array(100).fill(0xff) },
    { what: 'nothing', frame: new Uint8Array() },
    { what: 'an empty message', frame: Uint8Array.of(0x0a, 0) },
    { what: 'a truncated message', frame: frameOf([utf8('cut off')]).slice(0, 5) },
    { what: 'an unknown field', frame: concatBytes([textFrame('a'), Uint8Array.of(0x10, 1)]) },
    { what: 'too many messages', frame: frameOf([utf8('a')]), times: 20_000 },
  ];
  for (const { what, frame, times } of malformed) {
    it(`ends at a frame with ${what}, and delivers nothing of it`, async () => {
      const stream = await linked();
      stream.write(times === undefined ? frame : concatBytes(Array.from({ length: times }, () => frame)));
      assert.match(await stream.ended(), /^INVALID_ARGUMENT/);
      stream.close();
      await until(() => isDown(2), 'the end of the link');
      assert.equal(resets('malformed'), 1);
      assert.deepEqual(victim.handlers.textsFrom(2), []);
      assert.match(lastError(victim, 2), /malformed/);
      await assertUnharmed();
    });
  }

  it('GR-04: holds little for a peer that never reads, drops the rest and counts it', async () => {
    const stream = await linked(false);
    const message = new Uint8Array(256 * KIB).fill(3);
    const before = process.memoryUsage().rss;
    const rounds = 800;
    for (let round = 0; round < rounds; round++) {
      victim.transport.send(replicaId(2), message, 'bulk');
      const row = victim.transport.links().find((link) => link.peer === 2);
      assert.ok(row !== undefined && row.queuedBytes <= LIMITS.queueBytesMax);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const grownMiB = (process.memoryUsage().rss - before) / MIB;
    assert.ok(grownMiB < 64, `sending ${rounds / 4} MiB to a peer that doesn't read took ${grownMiB} MiB`);
    const droppedCount = victim.metrics.value('pbft_send_dropped_total', { peer: '2' });
    assert.ok(droppedCount > rounds / 2, `${droppedCount} dropped`);
    assert.ok(isConnected(victim, 2), 'slowness alone ends no link');
    stream.close();
    await assertUnharmed();
  });

  it('GR-04: keeps votes for a slow peer where bulk fills the queue', async () => {
    const stream = await linked(false);
    const bulk = new Uint8Array(512 * KIB).fill(3);
    for (let round = 0; round < 20; round++) {
      victim.transport.send(replicaId(2), bulk, 'bulk');
      assert.equal(victim.transport.send(replicaId(2), utf8(`vote ${round}`), 'vote'), true);
    }
    stream.startReading();
    const text = (): string => stream.frames.map((frame) => Buffer.from(frame).toString('latin1')).join('');
    const allVotes = (): boolean =>
      Array.from({ length: 20 }, (_, round) => `vote ${round}`).every((vote) => text().includes(vote));
    await until(allVotes, 'all votes');
    stream.close();
  });

  it('takes no more than a few frames of a peer whose messages are not read', async () => {
    const stream = await linked();
    victim.transport.setReading(replicaId(2), false);
    const large = frameOf([new Uint8Array(MIB - KIB).fill(4)]);
    const flushedBefore = stream.flushedCount;
    for (let round = 0; round < 100; round++) {
      stream.write(large);
    }
    // Each of these round trips gives the flood a turn.
    for (let round = 0; round < 100; round++) {
      honest.transport.send(replicaId(0), utf8(`message ${round}`), 'vote');
      await until(() => victim.handlers.textsFrom(1).length === round + 1, 'the honest message');
    }
    assert.ok(stream.flushedCount - flushedBefore <= 4, `${stream.flushedCount} frames were taken`);
    assert.equal(victim.metrics.value('pbft_link_bytes_total', { peer: '2', direction: 'received' }), 0);
    assert.deepEqual(victim.handlers.textsFrom(2), []);
    victim.transport.setReading(replicaId(2), true);
    await until(() => victim.handlers.messages.filter(({ peer }) => peer === 2).length === 100, 'everything');
    stream.close();
    await assertUnharmed();
  });

  it('FU-02: is replaced by a second stream of the same replica where it gives no sign of life, and told so', async () => {
    const first = await linked();
    first.write(textFrame('from the first'));
    await until(() => victim.handlers.textsFrom(2).length === 1, 'a message of the first');
    const second = await faulty.connect(address, 0);
    assert.match(await first.ended(), /^ABORTED: .*no sign of life/);
    second.write(textFrame('from the second'));
    await until(() => victim.handlers.textsFrom(2).length === 2, 'a message of the second');
    const events = victim.handlers.events.filter((event) => event.includes('connected 2'));
    assert.deepEqual(
      events.map((event) => event.split(':')[0]),
      ['connected 2', 'disconnected 2', 'connected 2'],
    );
    assert.equal(resets('replaced'), 1);
    first.close();
    second.close();
    await assertUnharmed();
  });

  it('is replaced only so often: a flood of valid streams is throttled', async () => {
    const attempts = Array.from({ length: HANDSHAKE_BURST + 10 }, () => faulty.connect(address, 0));
    const settled = await Promise.allSettled(attempts);
    const streams = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.ok(streams.length < attempts.length, 'some are refused');
    assert.ok(resets('throttled') > 0);
    await until(() => isConnected(victim, 2), 'the last link that was let in');
    for (const stream of streams) {
      stream.close();
    }
    await assertUnharmed();
  });

  it('GR-02: survives compressed and oddly framed gRPC messages before any handshake', async () => {
    const { keyPem, certificatePem, authorityPem } = tlsOf(cluster.keys, 2);
    const prefixed = (flag: number, body: Uint8Array): Buffer => {
      const head = Buffer.alloc(5);
      head.writeUInt8(flag, 0);
      head.writeUInt32BE(body.length, 1);
      return Buffer.concat([head, body]);
    };
    const nonsense = textFrame('nonsense');
    const attacks = [
      { encoding: 'gzip', body: prefixed(1, gzipSync(new Uint8Array(64 * MIB))) },
      { encoding: 'gzip', body: prefixed(1, Buffer.from('not gzip at all')) },
      { encoding: 'identity', body: prefixed(1, nonsense) },
      { encoding: 'snappy', body: prefixed(1, nonsense) },
      { encoding: 'identity', body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]) },
    ];
    for (const { encoding, body } of attacks) {
      const session = connectHttp2(`https://${address.host}:${address.port}`, {
        key: keyPem,
        cert: certificatePem,
        ca: authorityPem,
        checkServerIdentity: () => undefined,
      });
      session.on('error', () => undefined);
      const request = session.request({
        ':method': 'POST',
        ':path': CONNECT_PATH,
        'content-type': 'application/grpc',
        'grpc-encoding': encoding,
        te: 'trailers',
      });
      request.on('error', () => undefined).resume();
      request.write(body);
      await new Promise<void>((resolve) => request.once('close', resolve));
      session.destroy();
    }
    const ends = ['oversized', 'malformed', 'handshake'].map((reason) => resets(reason));
    assert.equal(
      ends.reduce((sum, count) => sum + count, 0),
      attacks.length,
    );
    await assertUnharmed();
  });
});
