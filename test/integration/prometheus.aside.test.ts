/**
 * The whole way from a replica to a panel: a real cluster, a real Prometheus with the shipped configuration and alerts, and
 * every query of the shipped dashboard.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import type { Status } from '../../src/cli/output/status-report.js';
import { KeyValueServiceClient } from '../../src/wire/gen/pbft/v1/key_value.js';
import { type TestCluster as Cluster, startCluster } from '../support/cluster.js';
import { PrometheusServer, type QueryRow } from '../support/prometheus.js';
import { skip } from '../support/skip.js';
import { fillVariables, type PanelQuery, readPanels, withZeros } from '../unit/observability/dashboard.js';

const REPLICAS = ['0', '1', '2', '3'];

/** Long enough for two scrapes under load within the window of a rate. */
const DEADLINE_MS = 45_000;

describe('monitoring a cluster', function () {
  this.timeout(180_000);
  let cluster: Cluster | undefined;
  let prometheus: PrometheusServer | undefined;
  let load: Load | undefined;

  before(async function () {
    cluster = await startCluster({ replicas: REPLICAS.length });
    prometheus = await PrometheusServer.start(cluster.httpPorts);
    if (prometheus === undefined) {
      skip(this, 'prometheus is not installed (Debian package prometheus)');
    }
    load = new Load(cluster.clientPorts);
  });
  after(async () => {
    for (const replica of cluster?.replicas ?? []) {
      // A test that failed may have left it paused, and a call of the load with it.
      await cluster?.kill(replica.id, 'SIGCONT');
    }
    await load?.stop();
    await prometheus?.stop();
    await cluster?.stop();
  });

  it('shows data in every panel of the dashboard while the cluster works', async () => {
    assert.ok(prometheus !== undefined);
    const queries = readPanels().flatMap((panel) => panel.queries);
    // One of the three that show how many are ready answers at a time.
    let unanswered = queries.filter(({ panel }) => panel !== 'Ready replicas');
    const deadline = Date.now() + DEADLINE_MS;
    while (unanswered.length > 0 && Date.now() < deadline) {
      await delay(500);
      unanswered = await withoutData(prometheus, unanswered);
    }
    assert.deepEqual(unanswered, [], 'these queries returned no data');
    assert.deepEqual(await prometheus.targetsUp(), REPLICAS);
    assert.deepEqual(await readReady(prometheus), [[], [], [['4', 4]]]);
  });

  it('draws no line of what never happened', async () => {
    assert.ok(prometheus !== undefined);
    for (const { panel, expr } of readPanels().flatMap((one) => one.queries)) {
      const rows: readonly QueryRow[] = expr.endsWith('> 0') ? await prometheus.query(fillVariables(expr)) : [];
      assert.ok(
        rows.every(({ value }) => value > 0),
        panel,
      );
      if (['Evidence', 'Storage errors', 'Configuration mismatches'].includes(panel)) {
        assert.deepEqual(rows, [], panel);
      }
    }
  });

  it('measures what the load does: operations, latency, progress of every replica', async () => {
    assert.ok(prometheus !== undefined && load !== undefined);
    const running = prometheus;
    await until(async () => (await readValue(running, 'min(rate(pbft_committed_operations_total[10s]))')) > 0);
    assert.ok((await readValue(prometheus, 'min(pbft_last_executed_sequence)')) > 0);
    assert.equal(await readValue(prometheus, 'sum(pbft_is_primary)'), 1);
    assert.equal(await readValue(prometheus, 'sum(pbft_is_ready)'), REPLICAS.length);
    // Each is linked to all others, and has no series for itself, which could never be connected.
    const links = REPLICAS.length * (REPLICAS.length - 1);
    assert.equal(await readValue(prometheus, 'sum(pbft_peer_connected)'), links);
    assert.equal(await readValue(prometheus, 'count(pbft_peer_connected{peer!="other"})'), links);
    for (const metric of ['pbft_commit_latency_seconds', 'pbft_sign_seconds', 'pbft_storage_sync_seconds']) {
      const median = await readValue(prometheus, `histogram_quantile(0.5, sum by (le) (rate(${metric}_bucket[20s])))`);
      assert.ok(median > 0 && median < 10, `the median of ${metric} is ${median}`);
    }
    const answered = await readValue(prometheus, 'sum(pbft_calls_total{method="KeyValueService/Put", code="OK"})');
    // A call is counted before its caller has the answer.
    assert.ok(answered > 0 && answered <= load.answeredCount + REPLICAS.length);
  });

  it('counts nothing as `other`, and alerts nobody about a healthy cluster', async () => {
    assert.ok(prometheus !== undefined);
    for (const label of ['type', 'reason', 'kind', 'cause', 'lane', 'method', 'code', 'result', 'operation']) {
      const rows = await prometheus.query(`{__name__=~"pbft_.*", ${label}="other"} > 0`);
      assert.deepEqual(rows, [], label);
    }
    assert.deepEqual(await prometheus.query('ALERTS{alertstate="firing"}'), []);
  });

  it('NET-03: explains a view change while it lasts, and tells that it is over', async () => {
    assert.ok(prometheus !== undefined && cluster !== undefined);
    const [running, observed] = [prometheus, cluster];
    // Two of four can't begin a view: what they wait for stays as it is until the others go on.
    const paused = [0, 3];
    await Promise.all(paused.map((replica) => observed.kill(replica, 'SIGSTOP')));
    const lacking = (status: Status): string[] =>
      status.missing.map(({ kind, replica, view }) => `${kind} ${replica} for ${view}`);
    let status = await observed.status(1);
    await until(async () => {
      status = await observed.status(1);
      return lacking(status).length === 2 && status.viewChanges.length >= 2;
    });
    const wanted = paused.map((replica) => `view_change ${replica} for ${status.view}`);
    assert.deepEqual(lacking(status), wanted);
    assert.ok(!status.active && status.leftView !== undefined && status.view > 0);
    assert.ok(status.oldestRequest !== undefined && status.oldestRequest.waitedMs > 0);
    assert.deepEqual([...new Set(status.viewChanges.map(({ replica }) => replica))], [1, 2]);
    assert.match(status.waitingFor, /^view \d+ to begin, .*; request \d+ of client .*; lacks ViewChange for \d+ of/);
    const isShown = async (expr: string): Promise<boolean> => (await running.query(expr)).length > 0;
    await until(() => isShown('pbft_is_active{replica="1"} == 0'));
    await until(() => isShown('pbft_oldest_request_age_seconds{replica="1"} > 2'));
    await until(() => isShown('pbft_buffered_messages{replica="1", class="view_change"} >= 2'));
    await Promise.all(paused.map((replica) => observed.kill(replica, 'SIGCONT')));
    await until(() => isShown('min(pbft_is_active) == 1'));
    await until(() => isShown('sum(pbft_view_change_seconds_count) > 0'));
    assert.ok(await isShown('sum(pbft_view_changes_total) > 0'));
    assert.ok(await isShown('sum(pbft_timer_expirations_total{timer="request"}) > 0'));
    assert.match(observed.logs(1), /"cause":"(requestTimeout|joined)"[^\n]*"oldestRequest":"request \d+ of client/);
    assert.match(observed.logs(1), /"entered the view"/);
  });

  it('says 3 of 4, then 0 of 4, when one and then all are killed: no number outlives the replicas', async () => {
    assert.ok(prometheus !== undefined && cluster !== undefined);
    const [running, observed] = [prometheus, cluster];
    const shows = async (wanted: unknown): Promise<boolean> =>
      JSON.stringify(await readReady(running)) === JSON.stringify(wanted);
    await until(() => shows([[], [], [['4', 4]]]));
    await observed.kill(2);
    await until(() => shows([[], [['4', 3]], []]));
    await load?.stop();
    load = undefined;
    for (const replica of [0, 1, 3]) {
      await observed.kill(replica);
    }
    await until(() => shows([[['4', 0]], [], []]));
    const numbers = ['Current view', 'Batches behind', 'Evidence kept', 'Call latency, p99', 'Commit latency, p99'];
    const queries = readPanels().flatMap((panel) => panel.queries);
    await until(async () => {
      const left = await withoutData(
        running,
        queries.filter(({ panel }) => numbers.includes(panel)),
      );
      return left.length === numbers.length;
    });
    const operations = queries.find(({ panel }) => panel === 'Operations a second');
    assert.equal(await readValue(running, fillVariables(operations?.expr ?? '')), 0);
  });
});

/** What the panel of ready replicas shows: of how many, and how many; a query each for red, orange and green. */
async function readReady(prometheus: PrometheusServer): Promise<readonly (readonly [string, number])[][]> {
  const panel = readPanels().find(({ title }) => title === 'Ready replicas');
  const answers = (panel?.queries ?? []).map(({ expr }) => prometheus.query(fillVariables(expr)));
  return (await Promise.all(answers)).map((rows) => rows.map(({ metric, value }) => [metric['replicas'] ?? '', value]));
}

/** Puts small values through all replicas in turn, four at a time, until it is stopped. */
class Load {
  answeredCount = 0;
  private running = true;
  private readonly clients: readonly KeyValueServiceClient[];
  private readonly done: Promise<unknown>;

  constructor(ports: readonly number[]) {
    this.clients = ports.map((port) => new KeyValueServiceClient(`127.0.0.1:${port}`, credentials.createInsecure()));
    this.done = Promise.all(this.clients.map((client, index) => this.loop(client, index)));
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
    for (const client of this.clients) {
      client.close();
    }
  }

  private async loop(client: KeyValueServiceClient, index: number): Promise<void> {
    for (let count = 0; this.running; count++) {
      const isAnswered = await put(client, `key ${index} ${count % 100}`, `value ${count}`);
      this.answeredCount += isAnswered ? 1 : 0;
      await delay(20);
    }
  }
}

function put(client: KeyValueServiceClient, key: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    client.put({ key, value: { $case: 'text', value: text }, requestId: '' }, (error) => resolve(error === null));
  });
}

/** The queries that have no series now, or only series without a number. */
async function withoutData(prometheus: PrometheusServer, queries: readonly PanelQuery[]): Promise<PanelQuery[]> {
  const empty: PanelQuery[] = [];
  for (const query of queries) {
    const rows = await prometheus.query(fillVariables(withZeros(query.expr)));
    // Of what never happened there is no quantile, but there is what it would be taken from.
    const isAnswered = ({ value }: QueryRow): boolean =>
      Number.isFinite(value) || query.panel === 'View change duration';
    if (!rows.some(isAnswered)) {
      empty.push(query);
    }
  }
  return empty;
}

/** The only value of a query, or NaN where it has none. */
async function readValue(prometheus: PrometheusServer, expr: string): Promise<number> {
  const rows = await prometheus.query(expr);
  return rows[0]?.value ?? Number.NaN;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'the condition did not come true in time');
    await delay(500);
  }
}
