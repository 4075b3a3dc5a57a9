/** What a configuration amounts to: every setting with its value and where that came from, for `pbft config print`. */
import { formatAddress } from './address.js';
import type { LoadedConfiguration, SettingOrigin } from './load-configuration.js';
import { SETTINGS } from './setting-table.js';

/** One setting, or one entry of a map of settings. */
export interface EffectiveSetting extends SettingOrigin {
  readonly path: string;
  /** As it would stand in the file; null where nothing is set. */
  readonly value: string | number | boolean | null;
}

const DEFAULT_ORIGIN: SettingOrigin = { source: 'default', origin: '' };

function plainValue(value: unknown): EffectiveSetting['value'] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  const address = Object(value) as { readonly host?: unknown; readonly port?: unknown };
  return typeof address.host === 'string' && typeof address.port === 'number'
    ? formatAddress({ host: address.host, port: address.port })
    : null;
}

/** All settings in the order of the schema; the entries of maps one by one. */
export function computeEffectiveSettings({ configuration, origins }: LoadedConfiguration): EffectiveSetting[] {
  const top = new Map<string, unknown>(Object.entries(configuration));
  return SETTINGS.flatMap(({ path, group, kind }) => {
    const inner = group === undefined ? top : new Map<string, unknown>(Object.entries(Object(top.get(group))));
    const value = inner.get(group === undefined ? path : path.slice(group.length + 1));
    const places: [string, unknown][] =
      kind === 'addresses'
        ? Object.entries(Object(value)).map(([entry, address]) => [`${path}.${entry}`, address])
        : [[path, value]];
    return places.map(([place, found]) => ({
      path: place,
      value: plainValue(found),
      ...(origins.get(place) ?? DEFAULT_ORIGIN),
    }));
  });
}

/** One aligned line a setting: path, value, source. */
export function formatEffectiveSettings(settings: readonly EffectiveSetting[]): string {
  const pathWidth = Math.max(...settings.map(({ path }) => path.length));
  const valueWidth = Math.max(...settings.map(({ value }) => String(value ?? '-').length));
  const lines = settings.map(({ path, value, source, origin }) => {
    const from = origin === '' ? source : `${source} ${origin}`;
    return `${path.padEnd(pathWidth)}  ${String(value ?? '-').padEnd(valueWidth)}  ${from}`;
  });
  return `${lines.join('\n')}\n`;
}
