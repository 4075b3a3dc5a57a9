import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { stringify } from 'yaml';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../../../src/observability/catalogue.js';
import { REJECTION_REASONS } from '../../../src/observability/label-values.js';
import { createMetrics } from '../../../src/observability/metrics.js';
import { snakeCase } from '../../../src/util/snake-case.js';
import { skip } from '../../support/skip.js';
import { deployPath, fillVariables, groupingLabelsOf, readAlerts, readPanels, selectorsOf } from './dashboard.js';

/** What Prometheus adds to every series, and what it has of its own. */
const TARGET_LABELS = ['job', 'instance', 'cluster', 'replica'];
const OWN_METRICS = new Map([
  ['up', TARGET_LABELS],
  ['ALERTS', [...TARGET_LABELS, 'alertname', 'alertstate']],
]);

/** The labels of each series name that a replica exports. */
async function exportedSeries(): Promise<Map<string, readonly string[]>> {
  const series = new Map<string, readonly string[]>(OWN_METRICS);
  for (const [name, { labels }] of [...Object.entries(COUNTERS), ...Object.entries(GAUGES)]) {
    series.set(name, [...TARGET_LABELS, ...Object.keys(labels)]);
  }
  for (const [name, { labels }] of Object.entries(HISTOGRAMS)) {
    const all = [...TARGET_LABELS, ...Object.keys(labels)];
    series
      .set(`${name}_bucket`, [...all, 'le'])
      .set(`${name}_sum`, all)
      .set(`${name}_count`, all);
  }
  const handle = createMetrics({ version: '0', engine: () => 'memory', peers: ['1'] });
  for (const [, name] of (await handle.registry.metrics()).matchAll(
    /^# TYPE ((?:process|nodejs)_\w+) (?:gauge|counter)$/gm,
  )) {
    series.set(name ?? '', TARGET_LABELS);
  }
  handle.stop();
  series.set('nodejs_gc_duration_seconds_sum', [...TARGET_LABELS, 'kind']);
  return series.set('pbft_build_info', [...TARGET_LABELS, 'version', 'node', 'engine']);
}

const queries = [
  ...readPanels().flatMap((panel) => panel.queries.map(({ expr }) => ({ where: `panel ${panel.title}`, expr }))),
  ...readAlerts().map(({ name, expr }) => ({ where: `alert ${name}`, expr })),
];

describe('what is shipped for Prometheus and Grafana', () => {
  it('asks for metrics and labels that a replica exports, of the job pbft', async () => {
    const series = await exportedSeries();
    assert.ok(queries.length > 50);
    for (const { where, expr } of queries) {
      const selectors = selectorsOf(expr);
      assert.ok(selectors.length > 0, where);
      const labels = new Set<string>();
      for (const selector of selectors) {
        const exported = series.get(selector.metric);
        assert.ok(exported !== undefined, `${where}: there is no metric ${selector.metric}`);
        assert.ok(selector.metric === 'ALERTS' || selector.labels.includes('job'), `${where}: no job`);
        for (const label of selector.labels) {
          assert.ok(exported.includes(label), `${where}: ${selector.metric} has no label ${label}`);
        }
        for (const label of exported) {
          labels.add(label);
        }
      }
      for (const label of groupingLabelsOf(expr)) {
        assert.ok(labels.has(label), `${where}: nothing in it has a label ${label}`);
      }
      const bare = expr.replace(/\{[^}]*\}/g, '{}').match(/\b(?:pbft|process|nodejs)_\w+(?!\w*\{)\b/g);
      assert.equal(bare, null, `${where}: ${bare} selects series of other jobs too`);
    }
  });

  it('names in alerts only rejections that exist', () => {
    const alert = readAlerts().find(({ name }) => name === 'PbftRejectionsHigh');
    const reasons = /reason=~"([^"]*)"/.exec(alert?.expr ?? '')?.[1]?.split('|') ?? [];
    assert.ok(reasons.length > 5);
    for (const reason of reasons) {
      assert.ok(REJECTION_REASONS.map(snakeCase).includes(reason), reason);
    }
  });

  it('has a panel for every metric of the port', () => {
    const shown = new Set(queries.flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric)));
    for (const name of [...Object.keys(COUNTERS), ...Object.keys(GAUGES)]) {
      assert.ok(shown.has(name), `no panel or alert shows ${name}`);
    }
    for (const name of Object.keys(HISTOGRAMS)) {
      assert.ok(shown.has(`${name}_bucket`), `no panel or alert shows ${name}`);
    }
  });

  it('tells its reader what every panel and alert means', () => {
    const guide = readFileSync(new URL('../../../docs/operations/monitoring.md', import.meta.url), 'utf8');
    for (const { title } of readPanels()) {
      assert.ok(guide.includes(`**${title}**`), `monitoring.md says nothing of the panel ${title}`);
    }
    for (const { name, severity } of readAlerts()) {
      assert.ok(guide.includes(`### ${name} (${severity})\n`), `monitoring.md says nothing of the alert ${name}`);
    }
  });

  it('links every alert to what to do about it, at a heading that exists', () => {
    for (const { name, runbook } of readAlerts()) {
      const [path = '', anchor = ''] = runbook.split('#');
      assert.ok(anchor.startsWith(name.toLowerCase()), `${name}: ${runbook}`);
      const anchors = anchorsIn(new URL(`../../../${path}`, import.meta.url));
      assert.ok(anchors.includes(anchor), `${name}: nothing in ${path} is called #${anchor}`);
    }
  });

  it('leads from one document of operations to the next: every link has its end', () => {
    const folder = new URL('../../../docs/operations/', import.meta.url);
    const documents = readdirSync(folder).filter((name) => name.endsWith('.md'));
    assert.ok(documents.includes('guide.md') && documents.includes('monitoring.md'));
    for (const document of documents) {
      const text = readFileSync(new URL(document, folder), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
      for (const [, path, anchor] of links) {
        const target = new URL(path === '' ? document : (path ?? ''), folder);
        assert.ok(existsSync(target), `${document}: there is no ${path}`);
        assert.ok(anchor === undefined || anchorsIn(target).includes(anchor), `${document}: ${path}#${anchor}`);
      }
    }
  });

  it('scrapes the default ports of a cluster of four, labelled by replica', () => {
    const config = readFileSync(deployPath('prometheus/prometheus.yml'), 'utf8');
    for (let replica = 0; replica < 4; replica++) {
      const target = `targets: \\['127\\.0\\.0\\.1:${7600 + replica}'\\]\\s+labels: \\{ cluster: local, replica: '${replica}' \\}`;
      assert.match(config, new RegExp(target));
    }
  });

  it('is valid to promtool: configuration, alerts and the queries of the panels', function () {
    promtool(this, ['check', 'config', deployPath('prometheus/prometheus.yml')]);
    const directory = mkdtempSync(join(tmpdir(), 'pbft-rules-'));
    try {
      const rules = readPanels()
        .flatMap((panel) => panel.queries)
        .map(({ expr }, index) => ({ record: `query:${index}`, expr: fillVariables(expr) }));
      const file = join(directory, 'queries.yml');
      writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
      promtool(this, ['check', 'rules', '--lint-fatal', file]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('alerts on what it should and on nothing else', function () {
    this.timeout(20_000);
    promtool(this, ['test', 'rules', new URL('alerts.test.yml', import.meta.url).pathname]);
  });
});

/** The anchors of all headings of a document. */
function anchorsIn(document: URL): string[] {
  return [...readFileSync(document, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ''));
}

/** The anchor that a heading has where documents are shown. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function promtool(context: Context, args: readonly string[]): void {
  const run = spawnSync('promtool', [...args], { encoding: 'utf8' });
  if (run.error !== undefined) {
    skip(context, 'promtool is not installed (Debian package prometheus)');
  }
  assert.equal(run.status, 0, `promtool ${args.join(' ')}\n${run.stdout}${run.stderr}`);
}
