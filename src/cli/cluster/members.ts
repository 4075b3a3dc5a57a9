/** The replicas of a cluster's folder, with the settings that they will have when they are started from here. */
import { join, resolve } from 'node:path';
import { formatAddress } from '../../config/address.js';
import type { Genesis } from '../../config/genesis.js';
import { loadConfiguration } from '../../config/load-configuration.js';
import { isInitialized } from '../../replica/initialize.js';
import { loadClusterGenesis } from '../../replica/initialize-check.js';
import { shellCommand } from '../../util/shell.js';
import { CommandError } from '../exit.js';
import { addressesBeyondLoopback, type TraitorKind } from './byzantine.js';

/** One replica. */
export interface Member {
  readonly id: number;
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** Absolute. */
  readonly configurationFile: string;
  /** Absolute. */
  readonly dataDirectory: string;
  /** `host:port` of each port. */
  readonly client: string;
  readonly peer: string;
  readonly http: string;
  /** Callers are served with TLS. */
  readonly isClientTls: boolean;
  /** Of the addresses in its settings those that are not on this machine's loopback. */
  readonly beyondLoopback: readonly string[];
  /** How it betrays the others; undefined for a correct replica. */
  readonly traitor?: TraitorKind | undefined;
}

/** A cluster whose replicas are all in one folder. */
export interface LocalCluster {
  /** Absolute. */
  readonly directory: string;
  readonly genesis: Genesis;
  readonly members: readonly Member[];
}

/** Loads a cluster's folder. Throws a CommandError or a ConfigurationError. */
export function loadLocalCluster(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): LocalCluster {
  const folder = resolve(directory);
  if (!isInitialized(folder)) {
    const command = shellCommand('pbft', 'init', '--dir', directory);
    throw new CommandError(`there is no cluster in ${folder}: make one with \`${command}\``);
  }
  const genesis = loadClusterGenesis(folder);
  const members = genesis.replicas.map(({ id, name }): Member => {
    const home = join(folder, `replica-${id}`);
    const configurationFile = join(home, 'config.yaml');
    const { configuration } = loadConfiguration({ file: configurationFile, environment });
    const { listen } = configuration;
    return {
      id,
      name,
      directory: home,
      configurationFile,
      dataDirectory: configuration.dataDirectory,
      isClientTls: configuration.clients.tlsCertificateFile !== undefined,
      client: formatAddress(listen.client),
      peer: formatAddress(listen.peer),
      http: formatAddress(listen.http),
      beyondLoopback: addressesBeyondLoopback(configuration),
    };
  });
  return { directory: folder, genesis, members };
}
