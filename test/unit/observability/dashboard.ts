/** Reads what deploy/ ships for Prometheus and Grafana as far as the tests need it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const DEPLOY = new URL('../../../deploy/', import.meta.url);

/** The path of a file in deploy/. */
export function deployPath(name: string): string {
  return new URL(name, DEPLOY).pathname;
}

/** One query of a panel. */
export interface PanelQuery {
  readonly panel: string;
  readonly expr: string;
}

/** One panel. */
export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly PanelQuery[];
}

/** The panels of the shipped dashboard that show something, rows left out. */
export function readPanels(): Panel[] {
  const dashboard = record(JSON.parse(readFileSync(deployPath('grafana/dashboards/pbft-cluster.json'), 'utf8')));
  const panels = list(dashboard['panels'])
    .map(record)
    // A closed row holds its panels itself.
    .flatMap((panel) => (panel['type'] === 'row' ? list(panel['panels']).map(record) : [panel]));
  return panels.map((panel) => {
    const title = text(panel['title']);
    const queries = list(panel['targets']).map((target) => ({ panel: title, expr: text(record(target)['expr']) }));
    return { title, description: text(panel['description']), queries };
  });
}

/** A query as Prometheus takes it: Grafana's variables filled in, with all replicas of all clusters. */
export function fillVariables(expr: string): string {
  const filled = expr.replaceAll('$cluster', '.*').replaceAll('$replica', '.*').replaceAll('$__rate_interval', '20s');
  assert.ok(!filled.includes('$'), `a variable is left in ${filled}`);
  return filled;
}

/** The query without the condition that leaves out what never happened: it has an answer in a healthy cluster too. */
export function withZeros(expr: string): string {
  return expr.replace(/ > 0(?=\)?$)/, '');
}

/** One alert. */
export interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly severity: string;
  /** Where it is explained. */
  readonly runbook: string;
}

/** The alerts that are shipped. */
export function readAlerts(): Alert[] {
  const file = record(parse(readFileSync(deployPath('prometheus/alerts.yml'), 'utf8')));
  return list(file['groups'])
    .flatMap((group) => list(record(group)['rules']))
    .map((rule) => {
      const { alert, expr, labels, annotations } = record(rule);
      const severity = text(record(labels)['severity']);
      const runbook = text(record(annotations)['runbook_url']);
      return { name: text(alert), expr: text(expr), severity, runbook };
    });
}

/** The metrics that a query selects, with the labels that it asks of them. */
export function selectorsOf(expr: string): { readonly metric: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g)].map(([, metric, matchers]) => ({
    metric: metric ?? '',
    labels: [...(matchers ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map((match) => match[1] ?? ''),
  }));
}

/** The labels by which a query groups or joins. */
export function groupingLabelsOf(expr: string): string[] {
  return [...expr.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g)].flatMap((match) =>
    (match[1] ?? '')
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  );
}

function record(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value));
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown): unknown[] {
  assert.ok(Array.isArray(value));
  return value;
}

function text(value: unknown): string {
  assert.ok(typeof value === 'string' && value !== '');
  return value;
}
