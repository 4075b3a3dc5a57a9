/** What is said of a cluster that serves: where, and what to try. */
import { basename } from 'node:path';
import { shellCommand } from '../../util/shell.js';
import type { Colours } from '../output/colours.js';
import { formatTable } from '../output/table.js';
import { TRAITOR_KINDS } from './byzantine.js';
import type { LocalCluster, Member } from './members.js';

/** How the person at the terminal calls this program: from a checkout or as an installed one. */
export function programName(scriptFile: string | undefined): string {
  return scriptFile !== undefined && basename(scriptFile) === 'pbft.js' ? 'npx --no pbft' : 'pbft';
}

/** What the report is about. */
export interface ClusterReport {
  readonly cluster: LocalCluster;
  /** Those that serve. */
  readonly serving: readonly Member[];
  /** As the person gave it. */
  readonly directory: string;
  readonly program: string;
  readonly isDetached: boolean;
}

function commandsOf({ serving, directory, program }: ClusterReport): readonly string[] {
  const [first] = serving;
  const last = serving.at(-1);
  if (first === undefined || last === undefined) {
    return [];
  }
  const trust = first.isClientTls ? ['-cacert', `${directory}/client-0/ca.crt`] : ['-plaintext'];
  const call = (method: string, request: object, address: string): string =>
    shellCommand('grpcurl', ...trust, '-d', JSON.stringify(request), address, `pbft.v1.KeyValueService/${method}`);
  return [
    call('Put', { key: 'greeting', text: 'hello' }, first.client),
    call('Get', { key: 'greeting' }, last.client),
    `${program} ${shellCommand('get', 'greeting', '--cluster', directory)}`,
    `${program} ${shellCommand('status', '--cluster', directory)}`,
    shellCommand('curl', `http://${first.http}/metrics`),
  ];
}

/** How one replica is started again by hand, after its end. */
export function restartCommand({ configurationFile }: Pick<Member, 'configurationFile'>, program: string): string {
  return `${program} ${shellCommand('start', '--config', configurationFile)}`;
}

/** A line for each traitor; a warning where there are more than the cluster tolerates. */
function traitorsOf({ members, genesis }: LocalCluster, colours: Colours): readonly string[] {
  const lines = members.flatMap(({ name, traitor }) =>
    traitor === undefined ? [] : [`${colours.red(`${name} is a traitor (${traitor})`)}: it ${TRAITOR_KINDS[traitor]}`],
  );
  const isTooMany = lines.length > genesis.quorumSizes.faultsMax;
  return isTooMany ? [...lines, colours.red('These are more than f: nothing is promised any more')] : lines;
}

/** A table of endpoints, and commands to copy. */
export function formatClusterReport(report: ClusterReport, colours: Colours): string {
  const { cluster, serving, directory, program, isDetached } = report;
  const { replicaCount, faultsMax, quorum } = cluster.genesis.quorumSizes;
  const count =
    serving.length === replicaCount
      ? `${colours.bold(`All ${replicaCount} replicas serve`)}; ${faultsMax} of them may fail in any way`
      : `${colours.bold(`${serving.length} of ${replicaCount} replicas serve`)}; ${quorum} are needed`;
  const table = formatTable(
    ['replica', 'callers', 'peers', 'metrics and health'],
    serving.map(({ id, name, client, peer, http }) => [colours.ofReplica(id, name), client, peer, `http://${http}`]),
    colours,
  );
  const commands = commandsOf(report);
  const stop = isDetached ? `${program} ${shellCommand('cluster', '--dir', directory, '--stop')}` : 'Ctrl-C';
  const [again] = cluster.members;
  return [
    '',
    `${count}. Cluster ${cluster.genesis.clusterName}, id ${cluster.genesis.clusterId}`,
    ...traitorsOf(cluster, colours),
    '',
    table,
    'Try',
    ...commands.map((command) => `  ${command}`),
    '',
    ...(again === undefined ? [] : [`Start one that ended again: ${restartCommand(again, program)}`]),
    `Stop: ${stop}`,
    '',
  ].join('\n');
}
