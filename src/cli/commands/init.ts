/** `pbft init`: makes a new cluster's folder. */
import { type Command, Option } from 'commander';
import { formatAddress } from '../../config/address.js';
import { initializeCluster } from '../../replica/initialize.js';
import { defaultNames } from '../../replica/initialize-plan.js';
import { type Context, writeJson } from '../context.js';
import { type ApplicationFlags, applicationChoices, applicationOption } from '../input/application-choice.js';
import { directoryOption, integerBetween, jsonOption, markRepeatable, nameList } from '../input/flags.js';
import { type HostOf, hostChoices, hostOption } from '../input/host-choice.js';
import { formatTable } from '../output/table.js';

/** What says how a new cluster is to be; `pbft cluster` takes it too. */
export interface NewClusterFlags extends ApplicationFlags {
  readonly replicas?: number;
  readonly names?: readonly string[];
  readonly basePort?: number;
}

/** The flags of a new cluster. */
export function newClusterOptions(): readonly Option[] {
  return [
    new Option('--replicas <n>', 'how many replicas: 4 to 100, or 1 for development (4 by default)').argParser(
      integerBetween(1, 100),
    ),
    markRepeatable(
      new Option('--names <names>', 'their names instead, such as Apple,MS,Google,IBM').argParser(nameList),
    ),
    new Option(
      '--base-port <port>',
      'replica i serves callers at this + i, peers at + 100 + i, HTTP at + 200 + i (7400 by default)',
    ).argParser(integerBetween(1, 65_535)),
    applicationOption(),
  ];
}

/** The flags as the options of initialization. */
export function newClusterChoices({ replicas, names, basePort }: NewClusterFlags) {
  return {
    ...(replicas === undefined ? {} : { replicaCount: replicas }),
    ...(names === undefined ? {} : { names }),
    ...(basePort === undefined ? {} : { basePort }),
  };
}

interface InitFlags extends NewClusterFlags {
  readonly dir: string;
  readonly host?: readonly HostOf[];
  readonly clusterName?: string;
  readonly json?: boolean;
}

/** The names that the replicas will have. */
function namesOf({ names, replicas }: InitFlags): readonly string[] {
  return names ?? defaultNames(replicas);
}

/** Adds the command. */
export function addInit(program: Command, context: Context): void {
  const command = program
    .command('init')
    .description('make a new cluster: keys, certificates, genesis and a folder for each replica; overwrites nothing')
    .addOption(directoryOption());
  for (const option of newClusterOptions()) {
    command.addOption(option);
  }
  command
    .addOption(hostOption())
    .option('--cluster-name <name>', "the cluster's name")
    .addOption(jsonOption())
    .action(async (flags: InitFlags) => {
      const made = await initializeCluster({
        directory: flags.dir,
        ...newClusterChoices(flags),
        ...(await applicationChoices(flags)),
        ...hostChoices(flags.host ?? [], namesOf(flags)),
        ...(flags.clusterName === undefined ? {} : { clusterName: flags.clusterName }),
      });
      const replicas = made.replicas.map(({ id, name, configurationFile, listen }) => ({
        id,
        name,
        configurationFile,
        client: formatAddress(listen.client),
        peer: formatAddress(listen.peer),
        http: formatAddress(listen.http),
      }));
      if (flags.json === true) {
        const { directory, clusterId, clusterName, genesisFile } = made;
        writeJson(context, { directory, clusterId, clusterName, genesisFile, replicas });
        return;
      }
      context.out(`Made the cluster ${made.clusterName} in ${made.directory}, id ${made.clusterId}\n\n`);
      const rows = replicas.map((replica) => [replica.name, replica.client, replica.peer, `http://${replica.http}`]);
      context.out(formatTable(['replica', 'callers', 'peers', 'metrics and health'], rows, context.colours));
      context.out(
        `\nKeep ${made.authorityDirectory} offline: who has its key can make certificates for new replicas\n`,
      );
    });
}
