/**
 * A replica's key and one message, ten thousand times a second, at each of the others (FU-08, FU-09): the short form of
 * `make attack ATTACK=peer-…`. Judged is what the flooded replicas did for it, by their own counters, and not how fast
 * the machine was meanwhile.
 */
import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, readMetric } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { Intruder } from '../support/cluster-intruder.js';
import { ClusterLoad } from '../support/cluster-load.js';
import { flood } from '../support/flood.js';

const HONEST = [0, 1, 2] as const;
const FLOOD_MS = 2_500;
/** What the intruder says anew each second, and the handshake. */
const CHECKS_MAX = 25;

interface Flooded {
  readonly kind: string;
  /** The label values of what is counted as refused. */
  readonly type: string;
  readonly reason: string;
  /** What a refused one costs, in nominal microseconds: with its signature check where it comes to that. */
  readonly costUs: number;
}

const SCREENED_US = 40;
const CHECKED_US = 90;

const FLOODS: readonly Flooded[] = [
  { kind: 'vote-known', type: 'commit', reason: 'duplicate', costUs: SCREENED_US },
  { kind: 'vote-forged', type: 'prepare', reason: 'signature', costUs: CHECKED_US },
  { kind: 'status-old', type: 'status', reason: 'stale', costUs: SCREENED_US },
  { kind: 'evidence-held', type: 'evidence', reason: 'duplicate', costUs: SCREENED_US },
  { kind: 'checkpoint-held', type: 'checkpoint', reason: 'duplicate', costUs: SCREENED_US },
  { kind: 'view-change-held', type: 'view_change', reason: 'duplicate', costUs: SCREENED_US },
  { kind: 'request-forged', type: 'request', reason: 'signature', costUs: CHECKED_US },
  { kind: 'request-of-many', type: 'request', reason: 'too_costly', costUs: SCREENED_US + 2 * 600 },
  { kind: 'malformed', type: 'frame', reason: 'malformed', costUs: SCREENED_US },
  { kind: 'fetch-headers', type: 'fetch', reason: 'quota', costUs: SCREENED_US },
];

describe('a replica that floods the others with one message', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let intruder: Intruder;

  before(async () => {
    const settings = () => ({ 'agreement.requestTimeoutMs': 10_000 });
    cluster = await startCluster({ replicas: 4, settings });
    await new ClusterLoad(cluster, { prefix: 'warm', through: HONEST, callers: 16, puts: 300 }).done;
    await cluster.kill(3);
    intruder = new Intruder(cluster, 3);
  });
  after(async () => {
    await cluster?.stop();
  });

  const readAll = (name: string, labels: Readonly<Record<string, string>>): Promise<number[]> =>
    Promise.all(HONEST.map((replica) => readMetric(cluster, replica, { name, labels })));
  /** What waits of the last flood is dropped with the next link. */
  const dropWaiting = async (): Promise<void> => {
    const streams = await Promise.all(HONEST.map((to) => intruder.connect(to)));
    const isLinked = (wanted: number) => async (): Promise<boolean> =>
      (await readAll('pbft_peer_connected', { peer: '3' })).every((value) => value === wanted);
    await eventually(isLinked(1), { withinMs: 10_000, describe: () => 'the intruder was not taken for replica 3' });
    for (const stream of streams) {
      stream.close();
    }
    await eventually(isLinked(0), { withinMs: 10_000, describe: () => 'the links did not go down' });
  };
  const grown = (before: readonly number[], after: readonly number[]): number[] =>
    after.map((value, index) => value - (before[index] ?? 0));

  for (const { kind, type, reason, costUs } of FLOODS) {
    const fault = kind.startsWith('fetch-') ? 'FU-09' : 'FU-08';
    it(`${fault}: ${kind}, ten thousand times a second, has a twentieth of a replica’s time and callers notice nothing`, async () => {
      const read = () =>
        Promise.all([
          readAll('pbft_signature_checks_total', { peer: '3' }),
          readAll('pbft_rejected_total', { type, reason }),
          readAll('pbft_link_bytes_total', { peer: '3', direction: 'sent' }),
        ]);
      await dropWaiting();
      const load = new ClusterLoad(cluster, { prefix: kind, through: HONEST, callers: 6, timeoutMs: 30_000 });
      const [checksBefore, refusedBefore, sentBefore] = await read();
      const sinceMs = performance.now();
      const isOver = () => performance.now() - sinceMs > FLOOD_MS;
      const written = await flood({ intruder, kind, targets: HONEST, status: () => cluster.status(0), isOver });
      await load.progress(30, 30_000);
      const [checks, refused, sent] = await read();
      const tookMs = performance.now() - sinceMs;
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.ok(written > 5_000, `${written} were written`);
      const refusedMax = (200_000 + 50 * tookMs) / costUs + 1;
      for (const count of grown(refusedBefore, refused)) {
        assert.ok(
          count > Math.min(100, refusedMax / 4) && count <= refusedMax,
          `${count} were refused, at most ${refusedMax}`,
        );
      }
      const checksMax = costUs === CHECKED_US ? refusedMax + CHECKS_MAX : CHECKS_MAX;
      for (const count of grown(checksBefore, checks)) {
        assert.ok(count <= checksMax, `${count} signatures were checked, at most ${checksMax}`);
      }
      // Of 60 ms a second and as much saved up, a question for 256 headers of some 200 bytes takes 8.
      const answersMax = ((60_000 + 60 * tookMs) / 8_000 + 2) * 256 * 200;
      for (const bytes of grown(sentBefore, sent)) {
        assert.ok(kind !== 'fetch-headers' || bytes < answersMax + 1_000_000, `${bytes} bytes were sent`);
      }
    });
  }

  it('FU-02: goes on without replica 3 when that is itself again and is told that somebody signed with its keys', async () => {
    const end = await cluster.start(3).ended;
    assert.match(end.text, /code 4.*signed and doesn't remember/);
    await cluster.client(0).put('without', 'replica 3');
    await awaitAgreement(cluster, HONEST);
  });
});
