/** What is said of a cluster that serves: where, and what to try. */
import { basename } from 'node:path';
import { isLoopback, parseAddress } from '../config/address.js';
import { TRAITOR_KINDS } from './cluster-byzantine.js';
import type { LocalCluster, Member } from './cluster-members.js';
import type { Colours } from './colours.js';
import { formatTable } from './table.js';

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
  const parsed = parseAddress(first.client);
  const isPlaintext = parsed !== undefined && isLoopback(parsed);
  const grpcurl = isPlaintext ? 'grpcurl -plaintext' : `grpcurl -cacert ${directory}/client-0/ca.crt`;
  return [
    `${grpcurl} -d '{"key":"greeting","text":"hello"}' ${first.client} pbft.v1.KeyValueService/Put`,
    `${grpcurl} -d '{"key":"greeting"}' ${last.client} pbft.v1.KeyValueService/Get`,
    `${program} get greeting --cluster ${directory}`,
    `${program} status --cluster ${directory}`,
    `curl http://${first.http}/metrics`,
  ];
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
  const stop = isDetached ? `${program} cluster --dir ${directory} --stop` : 'Ctrl-C';
  return [
    '',
    `${count}. Cluster ${cluster.genesis.clusterName}, id ${cluster.genesis.clusterId}`,
    ...traitorsOf(cluster, colours),
    '',
    table,
    'Try',
    ...commands.map((command) => `  ${command}`),
    '',
    `Stop: ${stop}`,
    '',
  ].join('\n');
}
