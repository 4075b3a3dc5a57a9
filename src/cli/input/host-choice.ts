/** `--host`: where the replicas of a new cluster are reached, one host for all or one for each. */
import { InvalidArgumentError, Option } from 'commander';
import { CommandError, EXIT } from '../exit.js';
import { repeatable } from './flags.js';

/** A host as it was given: of one replica, or of all that have none of their own. */
export interface HostOf {
  /** Name or id; undefined for all others. */
  readonly replica: string | undefined;
  readonly host: string;
}

/** The flag. */
export function hostOption(): Option {
  return repeatable(
    new Option(
      '--host <host>',
      'where replicas are reached by callers and peers: a host for all, or name=host for one, as often as wanted; ' +
        'beyond loopback callers get TLS',
    ),
    parseHost,
  );
}

function parseHost(text: string): HostOf {
  const parts = text.split('=').map((part) => part.trim());
  const host = parts.at(-1);
  if (host === undefined || parts.length > 2 || parts.includes('')) {
    throw new InvalidArgumentError('Give a host for all replicas, or name=host for one, such as replica-0=10.0.0.1.');
  }
  return { replica: parts.length === 2 ? parts[0] : undefined, host };
}

/** The hosts as options of initialization. Throws a CommandError where a replica has none, or two. */
export function hostChoices(given: readonly HostOf[], names: readonly string[]) {
  const common = given.filter(({ replica }) => replica === undefined);
  if (common.length > 1) {
    throw new CommandError(
      `--host gives ${common.length} hosts for all replicas: give each its own as name=host`,
      EXIT.usage,
    );
  }
  const hosts = new Map<string, string>();
  for (const { replica, host } of given) {
    if (replica !== undefined) {
      const name = names.find((one, id) => one === replica || String(id) === replica);
      if (name === undefined) {
        const known = names.map((one, id) => `${id} (${one})`).join(', ');
        throw new CommandError(`--host: there will be no replica ${replica}; there will be ${known}`, EXIT.usage);
      }
      if (hosts.has(name)) {
        throw new CommandError(`--host gives two hosts for ${name}`, EXIT.usage);
      }
      hosts.set(name, host);
    }
  }
  const without = names.filter((name) => !hosts.has(name));
  if (hosts.size > 0 && without.length > 0 && common.length === 0) {
    throw new CommandError(
      `--host gives no host for ${without.join(', ')}: give one for each, or one for all others`,
      EXIT.usage,
    );
  }
  return {
    ...(common[0] === undefined ? {} : { host: common[0].host }),
    ...(hosts.size === 0 ? {} : { hosts: names.map((name) => hosts.get(name)) }),
  };
}
