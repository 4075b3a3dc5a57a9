import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { COUNTERS, GAUGES, HISTOGRAMS, type LabelSet } from '../../../src/observability/catalogue.js';
import { CALL_METHODS } from '../../../src/observability/label-values.js';

const SOURCES = new URL('../../../src', import.meta.url).pathname;
const LABELS = new Map<string, Readonly<Record<string, LabelSet>>>(
  Object.entries({ ...COUNTERS, ...GAUGES, ...HISTOGRAMS }).map(([name, { labels }]) => [
    name,
    Object.fromEntries(Object.entries(labels)),
  ]),
);

/** A label with the value that a call gives it in plain text. */
interface Usage {
  readonly metric: string;
  readonly label: string;
  readonly value: string;
  readonly where: string;
}

describe('the labels that the code gives', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith(join('wire', 'gen')))
    .map((name) => ({ name, text: readFileSync(join(SOURCES, name), 'utf8') }));

  it('are in their closed sets, so that nothing of its own counts as `other` (RX-04)', () => {
    const usages = files
      .filter(({ text }) => text.includes("'pbft_"))
      .flatMap(({ name, text }) => usagesIn(name, text));
    assert.ok(usages.length > 5);
    for (const { metric, label, value, where } of usages) {
      const values = LABELS.get(metric)?.[label];
      assert.ok(values !== undefined && values !== 'peers', `${where}: ${metric} has no closed label ${label}`);
      assert.ok(values.includes(value), `${where}: ${metric}{${label}} has no value ${value}`);
    }
  });

  it('name every method of the client port', () => {
    const protos = new URL('../../../proto', import.meta.url).pathname;
    const texts = readdirSync(protos, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.proto') && !name.endsWith('peer.proto'))
      .map((name) => readFileSync(join(protos, name), 'utf8'));
    const methods = texts.flatMap((text) =>
      [...text.matchAll(/^service (\w+) \{$([\s\S]*?)^\}$/gm)].flatMap(([, service, body]) =>
        [...(body ?? '').matchAll(/^ {2}rpc (\w+)\b/gm)].map(([, method]) => `${service}/${method}`),
      ),
    );
    assert.deepEqual(methods.sort(), [...CALL_METHODS].sort());
  });
});

function usagesIn(name: string, text: string): Usage[] {
  const usages: Usage[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const [metric, labels] = node.arguments;
      const isMetric = metric !== undefined && ts.isStringLiteral(metric) && LABELS.has(metric.text);
      if (isMetric && labels !== undefined && ts.isObjectLiteralExpression(labels)) {
        for (const property of labels.properties) {
          if (ts.isPropertyAssignment(property) && ts.isStringLiteral(property.initializer)) {
            const label = property.name.getText();
            usages.push({ metric: metric.text, label, value: property.initializer.text, where: name });
          }
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  return usages;
}
