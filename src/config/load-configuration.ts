/**
 * Puts a replica's configuration together: flags over environment variables over the file over defaults, every value
 * with where it came from. All that is wrong is reported at once, by name, with what to do.
 *
 * Relative paths are relative to the file that they stand in; those of variables and flags to the working directory.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigurationError, type ConfigurationProblem } from '../util/configuration-error.js';
import { describeFileFault } from '../util/system-error.js';
import { checkSettings } from './checks.js';
import { problemsOf } from './problems.js';
import { type Assignment, parseYaml, readEnvironment, readFlags, type SourceKind } from './setting-sources.js';
import { knownKeysAt, SETTINGS } from './setting-table.js';
import { configurationSchema, type ReplicaConfiguration } from './settings.js';

/** What a configuration is put together of. */
export interface ConfigurationSources {
  /** `config.yaml`; without it the environment and flags give everything. */
  readonly file?: string;
  /** The process's environment; only variables that begin with `PBFT_` are looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** By path, such as `agreement.pipeline` or `peers.2`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** The process's own by default. */
  readonly workingDirectory?: string;
}

/** Where a setting's value came from. */
export interface SettingOrigin {
  readonly source: SourceKind;
  /** The file, or the variable's or flag's name; empty for a default. */
  readonly origin: string;
}

/** A configuration that passed every check that doesn't need the genesis. */
export interface LoadedConfiguration {
  readonly configuration: ReplicaConfiguration;
  /** By path, an entry of a map by its own one. What is missing has its default. */
  readonly origins: ReadonlyMap<string, SettingOrigin>;
  /** The file, absolute, or `environment` where there is none. */
  readonly file: string;
}

type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(file: string): string {
  const remedy = 'Name the config.yaml that `pbft init` made';
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new ConfigurationError({ file, path: '', ...describeFileFault(error, 'read', remedy) });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigurationError({ file, path: '', message: 'the file is not UTF-8', remedy });
  }
}

function readTree(file: string): Tree {
  const text = readText(file);
  const parsed = parseYaml(text, file);
  if (!('value' in parsed)) {
    throw new ConfigurationError(parsed);
  }
  if (!isTree(parsed.value)) {
    throw new ConfigurationError({
      file,
      path: '',
      message: 'this is no map of settings',
      remedy: 'Write `name: value`',
    });
  }
  return parsed.value;
}

/** The object that holds the last key of a path; made where it is missing, undefined where something else is there. */
function parentOf(tree: Tree, keys: readonly string[]): Tree | undefined {
  let parent = tree;
  for (const key of keys) {
    const child = parent[key] ?? {};
    parent[key] = child;
    if (!isTree(child)) {
      return undefined;
    }
    parent = child;
  }
  return parent;
}

function assign(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = parentOf(tree, keys);
  if (parent !== undefined) {
    parent[last] = value;
  }
}

function valueAt(tree: unknown, path: string): unknown {
  let value = tree;
  for (const key of path.split('.')) {
    value = isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** The file's own values as origins: leaves, and the entries of maps. */
function originsOfFile(tree: Tree, file: string): Map<string, SettingOrigin> {
  const origins = new Map<string, SettingOrigin>();
  for (const { path } of SETTINGS) {
    const value = valueAt(tree, path);
    if (isTree(value)) {
      for (const key of Object.keys(value)) {
        origins.set(`${path}.${key}`, { source: 'file', origin: file });
      }
    } else if (value !== undefined) {
      origins.set(path, { source: 'file', origin: file });
    }
  }
  return origins;
}

/** Makes paths absolute and fills in the default ones. */
function resolveFiles(
  tree: Tree,
  origins: ReadonlyMap<string, SettingOrigin>,
  bases: { readonly file: string; readonly other: string },
): void {
  for (const setting of SETTINGS) {
    const value = valueAt(tree, setting.path) ?? setting.default;
    if (setting.kind === 'file' && typeof value === 'string' && value !== '') {
      const source = origins.get(setting.path)?.source ?? 'default';
      const base = source === 'file' || source === 'default' ? bases.file : bases.other;
      assign(tree, setting.path, resolve(base, value));
    }
  }
}

/** Points a problem at the variable or flag that gave the value. */
function relocate(problem: ConfigurationProblem, assignments: readonly Assignment[]): ConfigurationProblem {
  const found = assignments.findLast(({ path }) => problem.path === path || problem.path.startsWith(`${path}.`));
  if (found === undefined) {
    return problem;
  }
  return { ...problem, file: found.source === 'flag' ? 'flags' : 'environment', path: found.origin };
}

function throwProblems(problems: readonly ConfigurationProblem[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) {
    throw new ConfigurationError(first, others);
  }
}

/** Loads a replica's configuration. Throws a ConfigurationError with all that is wrong. */
export function loadConfiguration(sources: ConfigurationSources): LoadedConfiguration {
  const workingDirectory = sources.workingDirectory ?? process.cwd();
  const file = sources.file === undefined ? undefined : resolve(workingDirectory, sources.file);
  const tree = file === undefined ? {} : readTree(file);
  const origins = originsOfFile(tree, file ?? '');
  const environment = readEnvironment(sources.environment ?? {});
  const flags = readFlags(sources.flags ?? {});
  const assignments = [...environment.assignments, ...flags.assignments];
  for (const { path, value, source, origin } of assignments) {
    assign(tree, path, value);
    origins.set(path, { source, origin });
  }
  const base = file === undefined ? workingDirectory : dirname(file);
  resolveFiles(tree, origins, { file: base, other: workingDirectory });
  const origin = file ?? 'environment';
  const parsed = configurationSchema.safeParse(tree, { reportInput: true });
  const found = parsed.success
    ? checkSettings(parsed.data).map((fault) => ({ file: origin, ...fault }))
    : problemsOf(parsed.error, origin, knownKeysAt);
  throwProblems([
    ...environment.problems,
    ...flags.problems,
    ...found.map((problem) => relocate(problem, assignments)),
  ]);
  return { configuration: configurationSchema.parse(tree), origins, file: origin };
}
