/**
 * Where settings come from: the file, environment variables, flags. Each source becomes a list of assignments; they are
 * laid over one another in load-configuration.ts.
 *
 * 1. A `PBFT_` variable that is no setting is an error: a misspelled one must not be silently without effect. Left alone
 *    are the ones that the command line and tests use, and those that Kubernetes makes of a service's name.
 * 2. The text of a variable or flag is read by the setting's kind alone; what doesn't fit is left to the schema.
 */
import { type ParsedNode, parseDocument } from 'yaml';
import { ConfigurationError, type ConfigurationProblem } from '../util/configuration-error.js';
import { remedyOfUnknownKey } from './problems.js';
import { SETTINGS, type Setting, type SettingPlace, settingAtPath, settingOfVariable } from './setting-table.js';

/** The kind of a value's source. The later ones win: default, file, environment, flag. */
export type SourceKind = 'default' | 'file' | 'environment' | 'flag';

/** One value for one setting. */
export interface Assignment {
  readonly path: string;
  readonly setting: Setting;
  readonly value: unknown;
  readonly source: SourceKind;
  /** The file, or the variable's or flag's name. */
  readonly origin: string;
}

/** What a source has, and what is wrong with it. */
export interface ReadSource {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly ConfigurationProblem[];
}

const INTEGER = /^-?[0-9]+$/;

/** The value that a text stands for; a text that doesn't fit the setting's kind stays one. */
function valueOfText(setting: Setting, text: string): unknown {
  if (setting.kind === 'integer' && INTEGER.test(text)) {
    return Number(text);
  }
  if (setting.kind === 'boolean' && (text === 'true' || text === 'false')) {
    return text === 'true';
  }
  return text;
}

/** A map is given whole as `0=host:port,1=host:port`: one assignment an entry, the file's other entries stay. */
function assignText(place: SettingPlace, given: string, source: SourceKind, origin: string): Assignment[] {
  const { setting, entry } = place;
  const text = given.trim();
  if (setting.kind !== 'addresses' || entry !== undefined) {
    const path = entry === undefined ? setting.path : `${setting.path}.${entry}`;
    return [{ path, setting, value: valueOfText(setting, text), source, origin }];
  }
  return text.split(',').map((item) => {
    const [id = '', address = ''] = item.split('=', 2);
    return { path: `${setting.path}.${id.trim()}`, setting, value: address.trim(), source, origin };
  });
}

const PREFIX = 'PBFT_';
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['PBFT_CLUSTER', 'PBFT_CONFIG']);
const TEST_PREFIX = 'PBFT_TEST_';
const KUBERNETES = /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP)(?:_[A-Z]+)?)?)$/;

/** Reads the `PBFT_` variables; an empty one counts as not set. */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): ReadSource {
  const assignments: Assignment[] = [];
  const problems: ConfigurationProblem[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') {
      continue;
    }
    const place = settingOfVariable(variable);
    if (place !== undefined) {
      assignments.push(...assignText(place, text, 'environment', variable));
    } else if (!OTHER_VARIABLES.has(variable) && !variable.startsWith(TEST_PREFIX) && !KUBERNETES.test(variable)) {
      const known = SETTINGS.map((setting) => setting.variable);
      const message = `the environment variable \`${variable}\` is no setting`;
      problems.push({ file: 'environment', path: variable, message, remedy: remedyOfUnknownKey(variable, known) });
    }
  }
  return { assignments, problems };
}

/** Reads flags, by path such as `agreement.pipeline` or `peers.2`. */
export function readFlags(flags: Readonly<Record<string, string>>): ReadSource {
  const assignments: Assignment[] = [];
  const problems: ConfigurationProblem[] = [];
  for (const [path, text] of Object.entries(flags)) {
    const place = settingAtPath(path);
    if (place !== undefined) {
      assignments.push(...assignText(place, text, 'flag', path));
    } else {
      const known = SETTINGS.map((setting) => setting.path);
      problems.push({
        file: 'flags',
        path,
        message: `\`${path}\` is no setting`,
        remedy: remedyOfUnknownKey(path, known),
      });
    }
  }
  return { assignments, problems };
}

/** Takes `agreement.pipeline=4` apart. Throws a ConfigurationError for a text without `=`. */
export function flagsOfAssignments(texts: readonly string[]): Record<string, string> {
  const flags = new Map<string, string>();
  for (const text of texts) {
    const cut = text.indexOf('=');
    if (cut <= 0) {
      const message = `\`${text}\` is no assignment`;
      throw new ConfigurationError({ file: 'flags', path: '', message, remedy: 'Write `setting=value`' });
    }
    flags.set(text.slice(0, cut), text.slice(cut + 1));
  }
  return Object.fromEntries(flags);
}

/** A file's text as plain values, or what is wrong with its form. */
export function parseYaml(text: string, file: string): { readonly value: unknown } | ConfigurationProblem {
  const document = parseDocument<ParsedNode, true>(text, { uniqueKeys: true, prettyErrors: true, stringKeys: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    const [first = ''] = fault.message.split('\n');
    return { file, path: '', message: `this is not well-formed YAML: ${first}`, remedy: 'Correct the line' };
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return { value: value ?? {} };
  } catch {
    return { file, path: '', message: 'aliases are not allowed', remedy: 'Write the value out' };
  }
}
