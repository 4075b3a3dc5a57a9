/** Which replicas a command may ask, and how: from its flags, the environment, or the folder of a cluster. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Endpoint, TlsOptions } from '../../client/caller.js';
import { type CallOptions, type Client, connect } from '../../client/client.js';
import { isLoopback, parseAddress } from '../../config/address.js';
import { loadConfiguration } from '../../config/load-configuration.js';
import { isInitialized } from '../../replica/initialize.js';
import { readClusterFile } from '../cluster/cluster-file.js';
import { loadLocalCluster } from '../cluster/members.js';
import type { Context } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { readAuthorityFile } from './authority-file.js';
import { addressText, DEFAULT_DIRECTORY, integerBetween, repeatable } from './flags.js';

/** A replica that may be asked. */
export interface Target extends Endpoint {
  readonly name: string;
}

/** The flags of every command that asks a replica. */
export interface ReachFlags {
  readonly cluster?: string;
  readonly replica?: readonly string[];
  readonly address?: readonly string[];
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
    .addOption(
      repeatable(
        new Option('--replica <id>', 'ask this replica, by id or name, and no other; as often as wanted'),
        (text) => text,
      ),
    )
    .addOption(
      repeatable(
        new Option('--address <host:port>', 'ask the replica that serves callers there; as often as wanted').conflicts([
          'cluster',
          'replica',
        ]),
        addressText,
      ),
    )
    .option('--ca <file>', 'the authority to trust: use TLS')
    .option('--server-name <name>', "the name in the replica's certificate, where it is not the host")
    .addOption(
      new Option('--timeout <ms>', 'how long to wait for the answer')
        .argParser(integerBetween(1, TIMEOUT_MAX_MS))
        .default(timeoutMs),
    );
}

interface Trust {
  readonly tls?: TlsOptions;
}

function tlsOf({ ca, serverName }: ReachFlags): Trust {
  if (ca === undefined && serverName !== undefined) {
    throw new CommandError('--server-name is for TLS: name the authority with --ca', EXIT.usage);
  }
  if (ca === undefined) {
    return {};
  }
  return { tls: { rootCertificates: readAuthorityFile(ca), ...(serverName === undefined ? {} : { serverName }) } };
}

/** Whether callers are served with TLS; `cluster.json` says where they are and its configuration says how. */
function isServedWithTls({ client, configurationFile }: Known, { environment }: Context): boolean {
  try {
    const { configuration } = loadConfiguration({ file: configurationFile, environment });
    return configuration.clients.tlsCertificateFile !== undefined;
  } catch {
    // The folder of a replica that is elsewhere may be gone; a new cluster serves with TLS beyond loopback.
    const parsed = parseAddress(client);
    return parsed !== undefined && !isLoopback(parsed);
  }
}

/** A cluster serves callers with certificates of its own authority. */
function presetTls(replica: Known, directory: string, flags: ReachFlags, context: Context): Trust {
  const authority = join(directory, 'client-0', 'ca.crt');
  if (flags.ca !== undefined || !existsSync(authority) || !isServedWithTls(replica, context)) {
    return tlsOf(flags);
  }
  return tlsOf({ ...flags, ca: authority });
}

interface Known {
  readonly id: number;
  readonly name: string;
  readonly client: string;
  readonly configurationFile: string;
}

/** Where the running replicas are; of a cluster that nobody started as a whole, where its configurations say. */
function endpointsOf(directory: string, { environment }: Context): readonly Known[] {
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
  const { address: addresses, replica: wanted } = flags;
  if (addresses !== undefined) {
    const tls = tlsOf(flags);
    return [...new Set(addresses)].map((address) => ({ name: address, address, ...tls }));
  }
  const directory = directoryOf(flags, context);
  const endpoints = endpointsOf(directory, context);
  const chosen = wanted === undefined ? endpoints : [...new Set(wanted.map((one) => endpointOf(one, endpoints)))];
  return chosen.map((replica) => ({
    name: replica.name,
    address: replica.client,
    ...presetTls(replica, directory, flags, context),
  }));
}

function endpointOf(wanted: string, endpoints: readonly Known[]): Known {
  const found = endpoints.find(({ id, name }) => wanted === String(id) || wanted === name);
  if (found === undefined) {
    const known = endpoints.map(({ id, name }) => `${id} (${name})`).join(', ');
    throw new CommandError(`there is no replica ${wanted}; there are ${known}`, EXIT.usage);
  }
  return found;
}

/** A call to a replica. */
export type Call<Answer> = (client: Client, options: Required<Omit<CallOptions, 'signal'>>) => Promise<Answer>;

/** Makes the call at one of the targets: at the one, or in turn as the client library does. Rejects with a ClientError. */
export async function ask<Answer>(targets: readonly Target[], timeoutMs: number, call: Call<Answer>): Promise<Answer> {
  const client = connect(targets);
  try {
    return await call(client, { timeoutMs });
  } finally {
    client.close();
  }
}
