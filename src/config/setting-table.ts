/** The settings as a flat table, in the order of the schema: for environment variables, flags, printing, documents. */
import type { z } from 'zod';
import { defined } from '../util/assert.js';
import { type SettingMeta, settingRegistry } from './setting-kinds.js';
import { configurationSchema, SETTING_GROUPS } from './settings.js';

/** One setting. */
export interface Setting extends SettingMeta {
  /** Such as `agreement.pipeline`. */
  readonly path: string;
  /** Such as `PBFT_AGREEMENT_PIPELINE`. */
  readonly variable: string;
  /** The group it stands in, or undefined at the top. */
  readonly group: string | undefined;
}

function variableOf(path: string): string {
  const words = path.replaceAll('.', '_').replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2');
  return `PBFT_${words.toUpperCase()}`;
}

function settingOf(path: string, group: string | undefined, schema: z.core.$ZodType): Setting {
  const meta = defined(settingRegistry.get(schema), `the setting ${path} is described`);
  return { ...meta, path, variable: variableOf(path), group };
}

function computeSettings(): Setting[] {
  const groups = new Map<string, { readonly schema: z.ZodObject }>(Object.entries(SETTING_GROUPS));
  return Object.entries(configurationSchema.shape).flatMap(([key, schema]) => {
    const group = groups.get(key);
    return group === undefined
      ? [settingOf(key, undefined, schema)]
      : Object.entries(group.schema.shape).map(([name, inner]) => settingOf(`${key}.${name}`, key, inner));
  });
}

/** Every setting. */
export const SETTINGS: readonly Setting[] = computeSettings();

const SETTING_OF_PATH = new Map(SETTINGS.map((setting) => [setting.path, setting]));
const SETTING_OF_VARIABLE = new Map(SETTINGS.map((setting) => [setting.variable, setting]));

/** A setting, or one entry of a map of settings. */
export interface SettingPlace {
  readonly setting: Setting;
  /** The entry of a map, such as `2` of `peers.2`. */
  readonly entry: string | undefined;
}

const ENTRY = /^[0-9]{1,2}$/;

function entryOfMap(setting: Setting, entry: string): SettingPlace | undefined {
  return setting.kind === 'addresses' && ENTRY.test(entry) ? { setting, entry } : undefined;
}

/** The setting at a path such as `agreement.pipeline` or `peers.2`. */
export function settingAtPath(path: string): SettingPlace | undefined {
  const setting = SETTING_OF_PATH.get(path);
  if (setting !== undefined) {
    return { setting, entry: undefined };
  }
  const [head = '', ...rest] = path.split('.');
  const map = SETTING_OF_PATH.get(head);
  return map === undefined ? undefined : entryOfMap(map, rest.join('.'));
}

/** The setting of an environment variable such as `PBFT_AGREEMENT_PIPELINE` or `PBFT_PEERS_2`. */
export function settingOfVariable(variable: string): SettingPlace | undefined {
  const setting = SETTING_OF_VARIABLE.get(variable);
  if (setting !== undefined) {
    return { setting, entry: undefined };
  }
  const cut = variable.lastIndexOf('_');
  const map = SETTING_OF_VARIABLE.get(variable.slice(0, cut));
  return map === undefined ? undefined : entryOfMap(map, variable.slice(cut + 1));
}

/** The keys that are known in the object at a path: empty for a map or a value. */
export function knownKeysAt(path: string): readonly string[] {
  if (path === '') {
    return Object.keys(configurationSchema.shape);
  }
  return SETTINGS.filter((setting) => setting.group === path).map((setting) => setting.path.slice(path.length + 1));
}
