/**
 * A whole cluster in which replica 3 is hostile, with valid keys. Whatever it does, callers of the others notice nothing,
 * the others agree, and their memory stays bounded. (What a link does by itself against each is in peer-flow.test.ts.)
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Sequence, sequence, view } from '../../src/protocol/identifiers.js';
import { digestOf } from '../../src/util/digest.js';
import { frameOf } from '../../src/wire/frame.js';
import { encodePeerMessage } from '../../src/wire/peer-codec.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, primaryOf, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { Intruder } from '../support/cluster-intruder.js';
import { ClusterLoad } from '../support/cluster-load.js';
import type { HostileStream } from '../support/network-hostile-peer.js';

const HONEST = [0, 1, 2] as const;
const MIB = 1_048_576;
const LINK_BYTES_MAX = 16 * MIB;
/** What V8 and gRPC may take and give back; an attack brings or provokes more than that at each replica. */
const GROWTH_MAX_BYTES = 96 * MIB;
/** Replica 3 fetches all that it missed. */
const CATCH_UP_MAX_MS = 90_000;

describe('a cluster of which replica 3 is hostile', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let intruder: Intruder;
  const streams: HostileStream[] = [];

  before(async () => {
    const settings = () => ({ 'link.messageBytesMax': LINK_BYTES_MAX, 'link.queuedBytesMax': LINK_BYTES_MAX });
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
    const load = new ClusterLoad(cluster, { prefix: name, through: HONEST, callers: 6 });
    try {
      await Promise.all([attack(), load.progress(300, 60_000)]);
      await load.progress(100, 60_000);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
    await awaitAgreement(cluster, HONEST);
    await load.verify(0);
    const grown = (await residentBytes()).map((after, index) => Math.round((after - (before[index] ?? 0)) / MIB));
    const rate = Math.round((load.acknowledged.size / (performance.now() - load.startMs)) * 1_000);
    console.log(`      ${rate} puts a second; resident memory grew by ${grown.join(', ')} MiB`);
    assert.ok(Math.max(...grown) * MIB < GROWTH_MAX_BYTES, `${grown.join(', ')} MiB`);
  };

  const connect = async (to: number, isReading = true): Promise<HostileStream> => {
    const stream = await intruder.connect(to, isReading);
    streams.push(stream);
    return stream;
  };

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

  it('is whole again when replica 3 is itself again', async () => {
    cluster.start(3);
    await cluster.waitReady([3], CATCH_UP_MAX_MS);
    await cluster.client(3).put('back', 'yes');
    await awaitAgreement(cluster);
  });
});
