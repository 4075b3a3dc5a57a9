/** Makes Grafana's JSON of the dashboard's description. */
import {
  type LinePanel,
  type Panel,
  type Query,
  type Row,
  type StatePanel,
  type StatPanel,
  writeOut,
} from './panel.js';

const DATASOURCE = { type: 'prometheus', uid: '${' + 'datasource}' };
const STAT_HEIGHT = 4;
const HEIGHT = 8;
/** Grafana's grid. */
const COLUMNS = 24;
const COLUMNS_OF_PANEL = 8;

/** The dashboard as Grafana reads it. */
export function formatDashboard(rows: readonly Row[]): string {
  const head = {
    uid: 'pbft-cluster',
    title: 'pbft cluster',
    tags: ['pbft'],
    description: 'One cluster of pbft replicas. docs/operations/monitoring.md explains each panel.',
    schemaVersion: 39,
    version: 2,
    editable: true,
    graphTooltip: 1,
    refresh: '5s',
    timezone: 'browser',
    time: { from: 'now-15m', to: 'now' },
    templating: { list: [DATASOURCE_VARIABLE, variableOf('cluster'), variableOf('replica')] },
    annotations: { list: [ALERTS_ANNOTATION] },
    links: [],
  };
  return `${JSON.stringify({ ...head, panels: placeRows(rows) }, undefined, 2)}\n`;
}

const DATASOURCE_VARIABLE = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  current: {},
  hide: 0,
  refresh: 1,
};

/** `up` knows replicas that never answered. */
function variableOf(name: 'cluster' | 'replica'): object {
  const isReplica = name === 'replica';
  const definition = isReplica
    ? 'label_values(up{job="pbft", cluster=~"$cluster"}, replica)'
    : 'label_values(up{job="pbft"}, cluster)';
  return {
    name,
    label: isReplica ? 'Replica' : 'Cluster',
    type: 'query',
    datasource: DATASOURCE,
    definition,
    query: { query: definition, refId: name },
    refresh: 2,
    sort: isReplica ? 3 : 1,
    multi: isReplica,
    includeAll: isReplica,
    ...(isReplica
      ? { allValue: '.*', current: { selected: true, text: ['All'], value: ['$__all'] } }
      : { current: {} }),
  };
}

const ALERTS_ANNOTATION = {
  name: 'Alerts',
  datasource: DATASOURCE,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertstate="firing", cluster=~"$cluster"}',
  titleFormat: '{{alertname}}',
  textFormat: 'replica {{replica}}',
  type: 'dashboard',
  step: '10s',
};

/** Rows one under another. A closed row holds its panels itself; those of an open one follow it. */
function placeRows(rows: readonly Row[]): object[] {
  let y = 0;
  let id = 0;
  return rows.flatMap(({ title, isOpen = false, panels }) => {
    id += 1;
    const row = { id, type: 'row', title, collapsed: !isOpen, gridPos: { h: 1, w: COLUMNS, x: 0, y } };
    y += 1;
    const placed = placePanels(panels, y).map(({ panel, gridPos }) => {
      id += 1;
      return { id, ...panelJson(panel), gridPos };
    });
    if (isOpen) {
      y = Math.max(...placed.map(({ gridPos }) => gridPos.y + gridPos.h));
    }
    return isOpen ? [{ ...row, panels: [] }, ...placed] : [{ ...row, panels: placed }];
  });
}

interface GridPosition {
  readonly h: number;
  readonly w: number;
  readonly x: number;
  readonly y: number;
}

/** Stats share the width of one line; other panels are three in a line, and what remains shares the last. */
function placePanels(panels: readonly Panel[], y: number): { readonly panel: Panel; readonly gridPos: GridPosition }[] {
  const stats = panels.filter(({ type }) => type === 'stat').length;
  const others = panels.length - stats;
  const inLine = COLUMNS / COLUMNS_OF_PANEL;
  const remaining = others % inLine || inLine;
  let statsSeen = 0;
  let othersSeen = 0;
  return panels.map((panel) => {
    if (panel.type === 'stat') {
      const w = Math.floor(COLUMNS / stats);
      const gridPos = { h: STAT_HEIGHT, w, x: w * statsSeen, y };
      statsSeen += 1;
      return { panel, gridPos };
    }
    const line = Math.floor(othersSeen / inLine);
    const w = othersSeen >= others - remaining ? COLUMNS / remaining : COLUMNS_OF_PANEL;
    const top = y + (stats > 0 ? STAT_HEIGHT : 0) + HEIGHT * line;
    const gridPos = { h: HEIGHT, w, x: w * (othersSeen % inLine), y: top };
    othersSeen += 1;
    return { panel, gridPos };
  });
}

function panelJson(panel: Panel): object {
  const { title, description, queries } = panel;
  const base = { title, description, datasource: DATASOURCE };
  switch (panel.type) {
    case 'stat':
      return { type: 'stat', ...base, ...statJson(panel), targets: targetsOf(queries, 'instant') };
    case 'lines':
      return { type: 'timeseries', ...base, ...linesJson(panel), targets: targetsOf(queries, 'range') };
    case 'states':
      return { type: 'state-timeline', ...base, ...statesJson(panel), targets: targetsOf(queries, 'range') };
    case 'table':
      return {
        type: 'table',
        ...base,
        fieldConfig: { defaults: {}, overrides: [] },
        options: { showHeader: true },
        transformations: [
          { id: 'organize', options: { excludeByName: { Time: true, Value: true, __name__: true, job: true } } },
        ],
        targets: targetsOf(queries, 'instant').map((target) => ({ ...target, format: 'table' })),
      };
  }
}

/** Numbers are asked for this moment alone: of a range the last value would stay when everything is down. */
function targetsOf(queries: readonly Query[], kind: 'instant' | 'range'): object[] {
  return queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: DATASOURCE,
    expr: writeOut(expr),
    legendFormat,
    instant: kind === 'instant',
    range: kind === 'range',
  }));
}

function statJson({ unit, steps = [['text']], colors }: StatPanel): object {
  const thresholds = {
    mode: 'absolute',
    steps: steps.map(([color, from]) => ({ color, value: from ?? null })),
  };
  const overrides = (colors ?? []).map((fixedColor, index) => ({
    matcher: { id: 'byFrameRefID', options: String.fromCharCode('A'.charCodeAt(0) + index) },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
  }));
  return {
    fieldConfig: { defaults: { unit, noValue: 'no data', thresholds, color: { mode: 'thresholds' } }, overrides },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      textMode: colors === undefined ? 'value' : 'value_and_name',
    },
  };
}

function linesJson({ unit, isStepped = false, isFree = false }: LinePanel): object {
  return {
    fieldConfig: {
      defaults: {
        unit,
        color: { mode: 'palette-classic' },
        ...(isFree ? {} : { min: 0 }),
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: 8,
          // One sample alone is no line, and what happened once is to be seen.
          showPoints: 'auto',
          lineInterpolation: isStepped ? 'stepAfter' : 'linear',
          spanNulls: false,
          stacking: { mode: 'none', group: 'A' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

function statesJson({ words }: StatePanel): object {
  const options = Object.fromEntries(words.map(([text, color], value) => [value, { text, color, index: value }]));
  return {
    fieldConfig: {
      defaults: {
        color: { mode: 'thresholds' },
        thresholds: { mode: 'absolute', steps: [{ color: 'text', value: null }] },
        mappings: [{ type: 'value', options }],
        custom: { fillOpacity: 80, lineWidth: 0 },
      },
      overrides: [],
    },
    options: {
      mergeValues: true,
      showValue: 'never',
      alignValue: 'left',
      rowHeight: 0.8,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'single', sort: 'none' },
    },
  };
}
