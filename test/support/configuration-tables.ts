/** The tables of docs/configuration.md, made of the schema so that the document can't say what the program doesn't. */
import { DEFAULT_CONSENSUS_PARAMETERS, PARAMETER_DESCRIPTIONS } from '../../src/config/parameters.js';
import { SETTINGS, type Setting } from '../../src/config/setting-table.js';
import { SETTING_GROUPS } from '../../src/config/settings.js';

function cell(text: string | number | boolean | undefined): string {
  return text === undefined || text === '' ? '–' : `\`${text}\``;
}

function rowOf(setting: Setting): string {
  const unit = setting.unit ?? '–';
  const allowed = setting.allowed ?? '–';
  const name = `\`${setting.path}\`<br>\`${setting.variable}\``;
  return `| ${name} | ${cell(setting.default)} | ${unit} | ${allowed} | ${setting.description} |`;
}

function tableOf(settings: readonly Setting[]): string[] {
  return [
    '| setting, variable | default | unit | allowed | |',
    '| --- | --- | --- | --- | --- |',
    ...settings.map(rowOf),
  ];
}

/** The settings of a replica, a table a group. */
export function describeSettings(): string {
  const sections = Object.entries(SETTING_GROUPS).flatMap(([group, { description }]) => [
    '',
    `### ${group}`,
    '',
    description,
    '',
    ...tableOf(SETTINGS.filter((setting) => setting.group === group)),
  ]);
  return [...tableOf(SETTINGS.filter((setting) => setting.group === undefined)), ...sections].join('\n');
}

/** The consensus parameters with what `pbft init` writes. */
export function describeConsensusParameters(): string {
  const descriptions = new Map(Object.entries(PARAMETER_DESCRIPTIONS));
  const rows = Object.entries(DEFAULT_CONSENSUS_PARAMETERS).map(
    ([name, value]) => `| \`${name}\` | \`${value}\` | ${descriptions.get(name) ?? ''} |`,
  );
  return ['| parameter | written by `pbft init` | |', '| --- | --- | --- |', ...rows].join('\n');
}
