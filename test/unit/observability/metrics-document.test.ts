import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { COUNTERS, GAUGES, HISTOGRAMS, type LabelSet, RESTART_RULES } from '../../../src/observability/catalogue.js';
import { createMetrics } from '../../../src/observability/metrics.js';
import { snakeCase } from '../../../src/util/snake-case.js';

const DOCUMENT = new URL('../../../docs/operations/metrics.md', import.meta.url);
const MARKER = '<!-- the tables below are written from the catalogue -->\n';

describe('the metric catalogue in the documentation', () => {
  it('says what the registry has; UPDATE_DOCUMENTS=1 writes it anew', async () => {
    const handle = createMetrics({ version: '0', engine: () => 'memory', peers: ['1'] });
    const rendered = await handle.registry.metrics();
    handle.stop();
    const document = readFileSync(DOCUMENT, 'utf8');
    const [introduction, tables] = document.split(MARKER);
    assert.ok(introduction !== undefined);
    const expected = `\n${tablesOf(rendered)}`;
    if (process.env['UPDATE_DOCUMENTS'] === '1') {
      writeFileSync(DOCUMENT, introduction + MARKER + expected);
    } else {
      assert.equal(tables, expected, 'docs/operations/metrics.md is stale: run this test with UPDATE_DOCUMENTS=1');
    }
  });
});

/** A table of the replica's metrics, one of the process's, and one of the labels' values. */
function tablesOf(rendered: string): string {
  const helps = new Map(
    [...rendered.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => [name ?? '', help ?? '']),
  );
  const kinds = new Map(
    [...rendered.matchAll(/^# TYPE (\S+) (.*)$/gm)].map(([, name, kind]) => [name ?? '', kind ?? '']),
  );
  const own = Object.entries({ ...COUNTERS, ...GAUGES, ...HISTOGRAMS });
  const labelsOf = new Map(own.map(([name, { labels }]) => [name, Object.keys(labels)]));
  for (const [, name = '', labels = ''] of rendered.matchAll(
    /^((?:process|nodejs)_\w+|pbft_build_info)\{([^}]*)\}/gm,
  )) {
    labelsOf.set(
      name,
      [...labels.matchAll(/(\w+)="/g)].map((match) => match[1] ?? ''),
    );
  }
  labelsOf.set('nodejs_gc_duration_seconds', ['kind']);
  // What is active differs from moment to moment, and where nothing is there is no label.
  for (const what of ['handles', 'requests', 'resources']) {
    labelsOf.set(`nodejs_active_${what}`, ['type']);
  }
  const row = (name: string) => {
    const labels = (labelsOf.get(name) ?? []).map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${kinds.get(name)} | ${labels} | ${helps.get(name)} |`;
  };
  const head = '| metric | kind | labels | meaning |\n| --- | --- | --- | --- |';
  const names = [...helps.keys()].sort();
  const sections = [
    ['## Of the replica', names.filter((name) => name.startsWith('pbft_'))],
    ['## Of the process', names.filter((name) => !name.startsWith('pbft_'))],
  ] as const;
  const tables = sections.map(([title, members]) => [title, '', head, ...members.map(row), ''].join('\n'));
  return [...tables, restartTable(), labelTable(own)].join('\n');
}

/** What becomes of the gauges; of counters and histograms one sentence says it. */
function restartTable(): string {
  const rows = Object.entries(GAUGES).map(([name, { restart }]) => `| \`${name}\` | ${RESTART_RULES[restart]} |`);
  const head = ['| gauge | after a restart |', '| --- | --- |', '| `pbft_build_info` | as what runs |'];
  return ['## After a restart', '', RESTART_OF_COUNTS, '', ...head, ...rows.sort(), ''].join('\n');
}

const RESTART_OF_COUNTS =
  'Counters and histograms begin at 0 with the process; Prometheus takes that into account in `rate` and `increase`. ' +
  'What a process counted after the last scrape is lost with it. Gauges:';

function labelTable(metrics: readonly (readonly [string, { readonly labels: object }])[]): string {
  const rows = metrics.flatMap(([name, { labels }]) =>
    Object.entries<LabelSet>(Object.fromEntries(Object.entries(labels))).map(([label, values]) => {
      const shown = values === 'peers' ? "the peers' ids" : values.map((value) => `\`${snakeCase(value)}\``).join(' ');
      return `| \`${name}\` | \`${label}\` | ${shown} |`;
    }),
  );
  return ['## Values of the labels', '', '| metric | label | values |', '| --- | --- | --- |', ...rows.sort(), ''].join(
    '\n',
  );
}
