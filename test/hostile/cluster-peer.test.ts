/**
 * A whole cluster in which replica 3 is hostile, with valid keys. Whatever it does, callers of the others notice nothing,
 * the others agree, and their memory stays bounded. (What a link does by itself against each is in peer-flow.test.ts.)
 *
 * Memory is judged when it had time to settle, under load: V8 gives back what lies outside its heap late, so that resident
 * memory goes up and down by more than what a replica holds. What is really kept stays.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CONNECT_PATH } from '../../src/network/peer-service.js';
import { type Sequence, sequence, view } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import { digestOf } from '../../src/util/digest.js';
import { frameOf } from '../../src/wire/frame.js';
import { KeyValueServiceService } from '../../src/wire/gen/pbft/v1/key_value.js';
import { encodePeerMessage } from '../../src/wire/peer-codec.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, primaryOf, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { Intruder } from '../support/cluster-intruder.js';
import { ClusterLoad } from '../support/cluster-load.js';
import type { HostileStream } from '../support/network-hostile-peer.js';
import { oddMessages, type RawTarget, resetRapidly, sendOdd, sendPlain } from '../support/raw-http2.js';

const HONEST = [0, 1, 2] as const;
const MIB = 1_048_576;
const LINK_BYTES_MAX = 16 * MIB;
/** What V8 and gRPC may take; an attack brings or provokes more than that at each replica. */
const GROWTH_MAX_BYTES = 96 * MIB;
/** For V8 to give back what is kept no more. */
const SETTLE_WITHIN_MS = 30_000;
/** How long signatures are forged: a hundred in ten milliseconds, to each replica. */
const FORGING_MS = 6_000;
/** Replica 3 fetches all that it missed. */
const CATCH_UP_MAX_MS = 90_000;

describe('a cluster of which replica 3 is hostile', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let intruder: Intruder;
  const streams: HostileStream[] = [];

  before(async () => {
    const settings = () => ({
      'link.messageBytesMax': LINK_BYTES_MAX,
      'link.queuedBytesMax': LINK_BYTES_MAX,
      // No view changes because a busy machine is slow; those that an attack causes come all the same.
      'agreement.requestTimeoutMs': 5_000,
    });
    cluster = await startCluster({ replicas: 4, settings });
    // Warm: what grows only once is not an attack's.
    const load = new ClusterLoad(cluster, { prefix: 'warm', through: HONEST, callers: 16, puts: 500 });
    await load.done;
    await cluster.kill(3);
    intruder = new Intruder(cluster, 3);
  });
  after(async () => {
    await cluster?.stop();
  });
  afterEach(() => {
    for (const stream of streams.splice(0)) {
      stream.close();
    }
  });

  const residentBytes = (): Promise<number[]> =>
    Promise.all(HONEST.map((replica) => readMetric(cluster, replica, { name: 'process_resident_memory_bytes' })));

  /** Attacks while callers work; fails where they notice, where replicas disagree, or where memory grows. */
  const withstand = async (name: string, attack: () => Promise<void>): Promise<void> => {
    const before = await residentBytes();
    const load = new ClusterLoad(cluster, { prefix: name, through: HONEST, callers: 6, timeoutMs: 30_000 });
    let grown: readonly number[] = [];
    const hasSettled = async (): Promise<boolean> => {
      grown = (await residentBytes()).map((now, index) => Math.round((now - (before[index] ?? 0)) / MIB));
      return Math.max(...grown) * MIB < GROWTH_MAX_BYTES;
    };
    try {
      await Promise.all([attack(), load.progress(300, 60_000)]);
      await load.progress(100, 60_000);
      await eventually(hasSettled, { withinMs: SETTLE_WITHIN_MS, describe: () => `grown by ${grown.join(', ')} MiB` });
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
    await awaitAgreement(cluster, HONEST);
    await load.verify(0);
    const rate = Math.round((load.acknowledged.size / (performance.now() - load.startMs)) * 1_000);
    console.log(`      ${rate} puts a second; resident memory grew by ${grown.join(', ')} MiB`);
  };

  const connect = async (to: number, isReading = true): Promise<HostileStream> => {
    const stream = await intruder.connect(to, isReading);
    streams.push(stream);
    return stream;
  };

  /** The ports of a replica for callers and for peers. */
  const targetsOf = (replica: number): readonly [RawTarget, RawTarget] => [
    { port: cluster.clientPorts[replica] ?? 0, path: KeyValueServiceService.put.path },
    { port: cluster.peerPorts[replica] ?? 0, path: CONNECT_PATH, tls: intruder.tls },
  ];

  /** By replica: how many samples of its event loop there are, and how many were more than 100 ms late. */
  const lagCounts = (): Promise<{ readonly all: number; readonly late: number }[]> =>
    Promise.all(
      HONEST.map(async (replica) => {
        const all = await readMetric(cluster, replica, { name: 'pbft_event_loop_lag_seconds_count' });
        const bucket = { name: 'pbft_event_loop_lag_seconds_bucket', labels: { le: '0.1' } };
        return { all, late: all - (await readMetric(cluster, replica, bucket)) };
      }),
    );

  /** Until the replicas take the intruder for replica 3. */
  const awaitLinked = async (): Promise<void> => {
    const linked = { name: 'pbft_peer_connected', labels: { peer: '3' } };
    const isLinked = async (): Promise<boolean> => {
      const values = await Promise.all(HONEST.map((replica) => readMetric(cluster, replica, linked)));
      return values.every((value) => value === 1);
    };
    await eventually(isLinked, { withinMs: 10_000, describe: () => 'the intruder was not taken for replica 3' });
  };

  it('GR-01: serves while it gets messages above the limit, again and again', () =>
    withstand('oversized', async () => {
      const frame = frameOf([randomBytes(LINK_BYTES_MAX + MIB)]);
      for (let round = 0; round < 16; round++) {
        const stream = await connect(round % 3);
        stream.write(frame);
        await stream.ended();
        await delay(200);
      }
      assert.ok(
        (await readMetric(cluster, 0, { name: 'pbft_link_resets_total', labels: { reason: 'oversized' } })) > 0,
      );
    }));

  it('GR-01: serves while it gets what is no message, and signed messages with nonsense in them', () =>
    withstand('malformed', async () => {
      const digest = digestOf(randomBytes(32)) ?? assert.fail();
      const vote = { type: 'prepare', view: view(0), sequence: sequence(1), batchDigest: digest } as const;
      for (let round = 0; round < 30; round++) {
        const stream = await connect(round % 3);
        const noise = round % 2 === 0 ? randomBytes(100_000) : await intruder.signedFrame(vote, randomBytes(200));
        stream.write(noise);
        stream.write(noise);
        await delay(100);
      }
    }));

  it('RX-01, BB-01: serves while it gets validly signed votes for all sequences and many views, contradicting ones too', () =>
    withstand('votes', async () => {
      const votes: Uint8Array[] = [];
      const { lastExecutedSequence: base } = await cluster.status(0);
      for (let index = 0; index < 1_500; index++) {
        const at: Sequence = sequence(base + 1 + (index % 500));
        const batchDigest = digestOf(randomBytes(32)) ?? assert.fail();
        const type = index % 2 === 0 ? 'prepare' : 'commit';
        votes.push(
          await intruder.signedFrame({ type, view: view(index % 3 === 0 ? index : 0), sequence: at, batchDigest }),
        );
      }
      const open = await Promise.all(HONEST.map((to) => connect(to)));
      for (const vote of votes) {
        for (const stream of open) {
          stream.write(vote);
        }
        await delay(1);
      }
    }));

  it('RX-02: serves in its view, with timers in time, while it gets bad signatures by the ten thousand a second', async () => {
    const views = await Promise.all(HONEST.map((replica) => cluster.status(replica).then((status) => status.view)));
    const forged = { name: 'pbft_rejected_total', labels: { type: 'prepare', reason: 'signature' } };
    const lagBefore = await lagCounts();
    const forgedBefore = await Promise.all(HONEST.map((replica) => readMetric(cluster, replica, forged)));
    await withstand('signatures', async () => {
      const open = await Promise.all(HONEST.map((to) => connect(to)));
      await awaitLinked();
      const untilMs = performance.now() + FORGING_MS;
      for (let round = 0, base = 0; performance.now() < untilMs; round++) {
        if (round % 20 === 0) {
          base = (await cluster.status(0)).lastExecutedSequence;
        }
        const frame = intruder.forgedPrepares({ view: views[0] ?? 0, first: base + 1, count: 100 });
        for (const stream of open) {
          // One that is not read any more has enough.
          if (stream.unflushedCount < 20) {
            stream.write(frame);
          }
        }
        await delay(10);
      }
    });
    for (const replica of HONEST) {
      const checked = (await readMetric(cluster, replica, forged)) - (forgedBefore[replica] ?? 0);
      assert.ok(checked > 2_000, `replica ${replica} checked ${checked} forged signatures`);
      const lags = (await lagCounts())[replica] ?? assert.fail();
      const late = lags.late - (lagBefore[replica]?.late ?? 0);
      const all = lags.all - (lagBefore[replica]?.all ?? 0);
      assert.ok(late < all / 2, `of ${all} timers ${late} were more than 100 ms late`);
    }
    const after = await Promise.all(HONEST.map((replica) => cluster.status(replica).then((status) => status.view)));
    assert.deepEqual(after, views, 'nobody left its view');
  });

  it('GR-02: serves while it gets gzip bombs, malformed messages, and what is not HTTP/2, at both ports', () =>
    withstand('framing', async () => {
      const noise = [utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), new Uint8Array(4_000).fill(0xff)];
      for (const replica of HONEST) {
        const targets = targetsOf(replica);
        for (const target of targets) {
          await Promise.all(oddMessages().map((message) => sendOdd(target, message)));
          await Promise.all(noise.map((bytes) => sendPlain(target.port, bytes)));
        }
        // TLS where there is none, and none where there is.
        const [callers, peers] = targets;
        await sendOdd({ ...callers, tls: intruder.tls }, { encoding: 'identity', body: utf8('x') });
        await sendOdd({ port: peers.port, path: peers.path }, { encoding: 'identity', body: utf8('x') });
      }
      assert.ok(HONEST.every((replica) => cluster.isRunning(replica)));
    }));

  it('GR-03: serves while streams are opened and reset by the ten thousand, and links made without end', () =>
    withstand('resets', async () => {
      const targets = HONEST.flatMap((replica) => [...targetsOf(replica)]);
      const reset = await Promise.all(targets.map((target) => resetRapidly(target, 20_000 / targets.length)));
      const sum = reset.reduce((total, { streams }) => total + streams, 0);
      assert.ok(sum >= 20_000, `${sum} streams`);
      for (let round = 0; round < 30; round++) {
        const stream = await intruder.connect(round % 3).catch(() => undefined);
        stream?.close();
      }
    }));

  it('GR-04: serves while it asks for the ledger without end and reads no answer', async () => {
    const { lastExecutedSequence: last } = await cluster.status(0);
    const open = await Promise.all(HONEST.map((to) => connect(to, false)));
    await awaitLinked();
    const ask = async (count: number): Promise<void> => {
      for (let id = 1; id <= count; id++) {
        const range = { first: sequence(1), last: sequence(Math.min(last, 256)), headersOnly: false } as const;
        const fetch = frameOf([encodePeerMessage({ kind: 'fetch', id, what: { kind: 'ledger', ...range } })]);
        for (const stream of open) {
          stream.write(fetch);
        }
        await delay(1);
      }
    };
    // Until the queues are full; from then on nothing may be added.
    await ask(2_000);
    await withstand('unread', () => ask(4_000));
    const refused = { name: 'pbft_rejected_total', labels: { type: 'fetch', reason: 'quota' } };
    for (const replica of HONEST) {
      // What would be made and dropped is not even read.
      assert.ok((await readMetric(cluster, replica, refused)) > 2_000);
    }
  });

  it('GR-04: holds no more than its queue of what it sends to a replica that reads nothing', async () => {
    await Promise.all(HONEST.map((to) => connect(to, false)));
    await awaitLinked();
    const value = randomBytes(MIB);
    const put = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        await cluster.client(index % 3).put(`slow-reader-${index % 10}`, value);
      }
    };
    // Until the queues are full; from then on nothing may be added.
    await put(60);
    await withstand('slow', () => put(160));
    const dropped = { name: 'pbft_send_dropped_total', labels: { peer: '3' } };
    assert.ok((await readMetric(cluster, await primaryOf(cluster), dropped)) > 0);
  });

  it('FU-02: goes on without replica 3 when that is itself again and is told that somebody signed with its keys', async () => {
    const { ended } = cluster.start(3);
    const outcome = await Promise.race([
      ended,
      cluster.waitReady([3], CATCH_UP_MAX_MS).then(
        () => undefined,
        () => ended,
      ),
    ]);
    if (outcome === undefined) {
      // What was signed in its name is below the others' stable checkpoint by now: nobody holds it any more.
      await cluster.client(3).put('back', 'yes');
      await awaitAgreement(cluster);
    } else {
      assert.match(outcome.text, /code 4.*signed and doesn't remember/);
      await cluster.client(0).put('without', 'replica 3');
      await awaitAgreement(cluster, HONEST);
    }
  });
});
