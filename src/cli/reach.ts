/** Which replicas a command may ask, and how: from its flags, the environment, or the folder of a cluster. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ConnectOptions } from '../client/client.js';
import { isLoopback, parseAddress } from '../config/address.js';
import { isInitialized } from '../replica/initialize.js';
import { readClusterFile } from './cluster-file.js';
import { loadLocalCluster } from './cluster-members.js';
import { CommandError } from './command-error.js';
import type { Context } from './context.js';
import { EXIT } from './exit-code.js';
import { addressText, DEFAULT_DIRECTORY, integerBetween } from './flags.js';

/** A replica that may be asked. */
export interface Target {
  readonly label: string;
  /** `host:port` of its client port. */
  readonly address: string;
  readonly connect: ConnectOptions;
}

/** The flags of every command that asks a replica. */
export interface ReachFlags {
  readonly cluster?: string;
  readonly replica?: string;
  readonly address?: string;
  readonly ca?: string;
  readonly serverName?: string;
  readonly timeout: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const TIMEOUT_MAX_MS = 3_600_000;

/** Adds the flags. */
export function addReachOptions(command: Command, timeoutMs = DEFAULT_TIMEOUT_MS): Command {
  return command
    .option('--cluster <dir>', `the folder of the cluster (or PBFT_CLUSTER; else ${DEFAULT_DIRECTORY})`)
    .option('--replica <id>', 'ask this replica only, by id or name; else they are tried in turn')
    .addOption(
      new Option('--address <host:port>', 'ask the replica that serves callers there')
        .argParser(addressText)
        .conflicts(['cluster', 'replica']),
    )
    .option('--ca <file>', 'the authority to trust: use TLS')
    .option('--server-name <name>', "the name in the replica's certificate, where it is not the host")
    .addOption(
      new Option('--timeout <ms>', 'how long to wait for the answer')
        .argParser(integerBetween(1, TIMEOUT_MAX_MS))
        .default(timeoutMs),
    );
}

function connectOptions({ ca, serverName }: ReachFlags): ConnectOptions {
  if (ca === undefined && serverName !== undefined) {
    throw new CommandError('--server-name is for TLS: name the authority with --ca', EXIT.usage);
  }
  if (ca === undefined) {
    return {};
  }
  return { tls: { rootCertificates: readFileSync(ca), ...(serverName === undefined ? {} : { serverName }) } };
}

/** A new cluster serves callers beyond loopback with certificates of its own authority. */
function presetConnect(address: string, directory: string, flags: ReachFlags): ConnectOptions {
  const parsed = parseAddress(address);
  const authority = join(directory, 'client-0', 'ca.crt');
  if (flags.ca !== undefined || parsed === undefined || isLoopback(parsed) || !existsSync(authority)) {
    return connectOptions(flags);
  }
  return connectOptions({ ...flags, ca: authority });
}

interface Endpoint {
  readonly id: number;
  readonly name: string;
  readonly client: string;
}

/** Where the running replicas are; of a cluster that nobody started as a whole, where its configurations say. */
function endpointsOf(directory: string, { environment }: Context): readonly Endpoint[] {
  return readClusterFile(directory)?.replicas ?? loadLocalCluster(directory, environment).members;
}

/** The folder that is meant. Throws a CommandError where there is none. */
function directoryOf({ cluster }: ReachFlags, { environment }: Context): string {
  const preset = environment['PBFT_CLUSTER'];
  const said = cluster ?? (preset === '' ? undefined : preset);
  const directory = said ?? DEFAULT_DIRECTORY;
  if (isInitialized(directory)) {
    return resolve(directory);
  }
  throw new CommandError(
    said === undefined
      ? 'which cluster? Name its folder with --cluster, or a replica with --address'
      : `there is no cluster in ${resolve(directory)}`,
    said === undefined ? EXIT.usage : EXIT.failed,
  );
}

/** The replicas that may be asked, in the order in which to try them. Throws a CommandError. */
export function findTargets(flags: ReachFlags, context: Context): readonly Target[] {
  if (flags.address !== undefined) {
    return [{ label: flags.address, address: flags.address, connect: connectOptions(flags) }];
  }
  const directory = directoryOf(flags, context);
  const endpoints = endpointsOf(directory, context);
  const chosen = endpoints.filter(
    ({ id, name }) => flags.replica === undefined || flags.replica === String(id) || flags.replica === name,
  );
  if (chosen.length === 0) {
    const known = endpoints.map(({ id, name }) => `${id} (${name})`).join(', ');
    throw new CommandError(`there is no replica ${flags.replica ?? ''}; there are ${known}`, EXIT.usage);
  }
  return chosen.map(({ name, client }) => ({
    label: name,
    address: client,
    connect: presetConnect(client, directory, flags),
  }));
}
