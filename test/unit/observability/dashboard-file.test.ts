import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { formatDashboard } from '../../../deploy/grafana/source/json.js';
import { ROW_OF_VIEWS } from '../../../deploy/grafana/source/row-of-views.js';
import { ROWS_OF_HEALTH } from '../../../deploy/grafana/source/rows-of-health.js';
import { ROWS_OF_WORK } from '../../../deploy/grafana/source/rows-of-work.js';
import { deployPath, readPanels } from './dashboard.js';

const ROWS = [...ROWS_OF_WORK, ROW_OF_VIEWS, ...ROWS_OF_HEALTH];
const FILE = deployPath('grafana/dashboards/pbft-cluster.json');

interface PlacedPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly collapsed?: boolean;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly panels?: readonly PlacedPanel[];
  readonly targets?: readonly { readonly instant: boolean; readonly range: boolean }[];
}

function isDashboard(value: unknown): value is { readonly panels: readonly PlacedPanel[] } {
  return typeof value === 'object' && value !== null && 'panels' in value && Array.isArray(value.panels);
}

function readDashboard(): readonly PlacedPanel[] {
  const value: unknown = JSON.parse(readFileSync(FILE, 'utf8'));
  assert.ok(isDashboard(value));
  return value.panels;
}

describe('the dashboard', () => {
  it('is what its description says; UPDATE_DOCUMENTS=1 writes it anew', () => {
    const text = formatDashboard(ROWS);
    if (process.env['UPDATE_DOCUMENTS'] === '1') {
      writeFileSync(FILE, text);
    }
    const message = 'pbft-cluster.json is stale: run this test with UPDATE_DOCUMENTS=1';
    assert.deepEqual(JSON.parse(readFileSync(FILE, 'utf8')), JSON.parse(text), message);
  });

  it('opens with two rows; the others are closed and hold their panels themselves, as Grafana wants it', () => {
    const rows = readDashboard().filter(({ type }) => type === 'row');
    assert.deepEqual(
      rows.map(({ collapsed }) => collapsed),
      ROWS.map((_, index) => index >= 2),
    );
    for (const { collapsed, panels = [], title } of rows) {
      assert.equal(panels.length > 0, collapsed, title);
    }
  });

  it('asks for numbers of this moment alone, so that none outlives the replicas it is of', () => {
    const panels = readDashboard().flatMap(({ panels: inner = [], ...outer }) => [outer, ...inner]);
    const stats = panels.filter(({ type }) => type === 'stat');
    assert.ok(stats.length > 5);
    for (const { title, targets = [] } of stats) {
      assert.ok(targets.length > 0 && targets.every(({ instant, range }) => instant && !range), title);
    }
  });

  it('has no two panels in one place, and none beyond the grid', () => {
    const top = readDashboard();
    const groups = [top.filter(({ type }) => type !== 'row'), ...top.map(({ panels = [] }) => panels)];
    const ids = top.flatMap(({ id, panels = [] }) => [id, ...panels.map((panel) => panel.id)]);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(groups.flat().length, readPanels().length);
    for (const group of groups) {
      for (const [index, { title, gridPos: one }] of group.entries()) {
        assert.ok(one.x >= 0 && one.x + one.w <= 24, title);
        for (const { title: other, gridPos: two } of group.slice(index + 1)) {
          const isApart =
            one.x + one.w <= two.x || two.x + two.w <= one.x || one.y + one.h <= two.y || two.y + two.h <= one.y;
          assert.ok(isApart, `${title} lies on ${other}`);
        }
      }
    }
  });
});
