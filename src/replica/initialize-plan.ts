/** What a new cluster is to be: the options of `pbft init` with their defaults, checked before anything is made. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { type Address, parseAddress } from '../config/address.js';
import { NAME_PATTERN } from '../config/genesis.js';
import { DEFAULT_CONSENSUS_PARAMETERS } from '../config/parameters.js';
import type { ConsensusParameters } from '../protocol/parameters.js';
import { computeQuorumSizes, isReplicaCountAllowed } from '../protocol/quorum.js';
import { ConfigurationError } from '../util/configuration-error.js';

/** What kind of cluster is made. */
export interface InitializeOptions {
  /** Made where it is missing; where it exists, it must be empty. */
  readonly directory: string;
  /** One replica a name; or else `replicaCount` of them, called `replica-0` and so on. */
  readonly names?: readonly string[];
  /** 4 by default. */
  readonly replicaCount?: number;
  /** `pbft` by default. */
  readonly clusterName?: string;
  /** Replica i serves callers at this + i, peers at + 100 + i, HTTP at + 200 + i. 7400 by default. */
  readonly basePort?: number;
  /** Where replicas listen for callers and peers. 127.0.0.1 by default; beyond loopback callers get TLS. */
  readonly host?: string;
  /** A host for each replica, in the order of their ids; undefined for one that has `host`. */
  readonly hosts?: readonly (string | undefined)[];
  /** The name of the state machine. `key-value` by default. */
  readonly application?: string;
  /**
   * The module that exports it, for each replica's `applicationFile`; absent where a program of the own gives the state
   * machine to startReplica. A relative path counts from the working directory.
   */
  readonly applicationFile?: string;
  /** What differs from the defaults. */
  readonly parameters?: Partial<ConsensusParameters>;
  /** Milliseconds since 1970; the clock's by default. */
  readonly nowMs?: number;
}

/** Where one replica is. */
export interface InitializedReplica {
  readonly id: number;
  readonly name: string;
  readonly directory: string;
  readonly configurationFile: string;
  readonly listen: { readonly client: Address; readonly peer: Address; readonly http: Address };
}

/** Replica i's ports are the base port plus i plus these. */
const PORT_OFFSETS = { client: 0, peer: 100, http: 200 } as const;
const DEFAULT_BASE_PORT = 7400;
const PORT_MAX = 65_535;
const LOOPBACK = '127.0.0.1';
function refuse(path: string, message: string, remedy: string): never {
  throw new ConfigurationError({ file: '', path, message, remedy });
}

/** The options with defaults, checked before anything is made. */
export interface Plan {
  readonly directory: string;
  readonly names: readonly string[];
  /** f. */
  readonly faultsMax: number;
  readonly clusterName: string;
  readonly replicas: readonly InitializedReplica[];
  readonly application: string;
  /** Absolute. */
  readonly applicationFile: string | undefined;
  readonly parameters: ConsensusParameters;
  readonly nowMs: number;
}

/** What replicas are called where nobody gives them names; 4 by default. */
export function defaultNames(replicaCount = 4): readonly string[] {
  return Array.from({ length: replicaCount }, (_, id) => `replica-${id}`);
}

function planNames({ names, replicaCount }: InitializeOptions): readonly string[] {
  const count = names?.length ?? replicaCount ?? 4;
  if (!isReplicaCountAllowed(count)) {
    refuse('replicaCount', `a cluster has 1 replica or 4 to 100, not ${count}`, 'With 4, one of them may fail');
  }
  if (names !== undefined && replicaCount !== undefined && replicaCount !== names.length) {
    refuse('names', `there are ${names.length} names for ${replicaCount} replicas`, 'Give one name a replica');
  }
  const chosen = names ?? defaultNames(count);
  for (const [id, name] of chosen.entries()) {
    if (!NAME_PATTERN.test(name)) {
      refuse('names', `\`${name}\` is no name`, 'Give 1 to 64 letters, digits, spaces, dots, underscores, hyphens');
    }
    if (chosen.indexOf(name) !== id) {
      refuse('names', `\`${name}\` stands there twice`, 'Give each replica its own name');
    }
  }
  return chosen;
}

function planHost(text: string): string {
  // Of an IPv6 address with its brackets, too.
  const host = text.replace(/^\[(.*)\]$/, '$1');
  const isWildcard = host === '0.0.0.0' || host === '::';
  if (isWildcard || parseAddress(isIP(host) === 6 ? `[${host}]:1` : `${host}:1`) === undefined) {
    refuse('host', `\`${text}\` is no host that replicas can reach each other at`, 'Give a name or an IP address');
  }
  return host;
}

function planHosts({ host = LOOPBACK, hosts }: InitializeOptions, names: readonly string[]): readonly string[] {
  if (hosts !== undefined && hosts.length !== names.length) {
    refuse('hosts', `there are ${hosts.length} hosts for ${names.length} replicas`, 'Give one host a replica');
  }
  return names.map((_name, id) => planHost(hosts?.[id] ?? host));
}

/** Checks the options and fills in the defaults. Throws a ConfigurationError. */
export function planCluster(options: InitializeOptions): Plan {
  if (options.directory === '') {
    refuse('directory', 'the name of the folder is empty', 'Name a new or an empty folder');
  }
  const directory = resolve(options.directory);
  const names = planNames(options);
  const basePort = options.basePort ?? DEFAULT_BASE_PORT;
  const highest = PORT_MAX - PORT_OFFSETS.http - names.length + 1;
  if (!Number.isInteger(basePort) || basePort < 1 || basePort > highest) {
    refuse('basePort', `the base port ${basePort} leaves no room for all ports`, `Give 1 to ${highest}`);
  }
  const hosts = planHosts(options, names);
  const replicas = names.map((name, id): InitializedReplica => {
    const folder = join(directory, `replica-${id}`);
    const host = hosts[id] ?? LOOPBACK;
    const at = (hostName: string, offset: number): Address => ({ host: hostName, port: basePort + offset + id });
    const listen = {
      client: at(host, PORT_OFFSETS.client),
      peer: at(host, PORT_OFFSETS.peer),
      http: at(LOOPBACK, PORT_OFFSETS.http),
    };
    return { id, name, directory: folder, configurationFile: join(folder, 'config.yaml'), listen };
  });
  return {
    directory,
    names,
    faultsMax: computeQuorumSizes(names.length).faultsMax,
    replicas,
    clusterName: options.clusterName ?? 'pbft',
    application: options.application ?? 'key-value',
    applicationFile: options.applicationFile === undefined ? undefined : resolve(options.applicationFile),
    parameters: { ...DEFAULT_CONSENSUS_PARAMETERS, ...options.parameters },
    nowMs: options.nowMs ?? Date.now(),
  };
}
