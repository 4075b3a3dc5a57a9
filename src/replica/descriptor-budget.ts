/**
 * Compares the limit of open files with what the settings may use, before anything is opened (FU-07). A process that has
 * used up its descriptors can neither accept a connection nor open a table of its store: so what callers may take is
 * lowered until the store, the peers and a margin have theirs, and where not even the least fits, nothing starts.
 */
import type { ReplicaConfiguration } from '../config/settings.js';
import { PENDING_CONNECTIONS_MAX } from '../network/transport-options.js';
import { ENGINE_FILES_MAX } from '../storage/leveldb-engine.js';
import { StartError } from './start-error.js';

/** How many descriptors each use gets at the most. */
export interface DescriptorBudget {
  readonly clientConnections: number;
  readonly httpConnections: number;
  /** Connections to the peer port that have proven nothing. */
  readonly pendingConnections: number;
  readonly storeFiles: number;
}

/** A budget, and what there is to say of it. */
export interface FittedBudget {
  readonly budget: DescriptorBudget;
  /** Undefined where everything fits. */
  readonly warning: string | undefined;
}

/** Node itself, its threads, the log, name look-ups, files that are read and closed; measured: 40 in an idle replica. */
const MARGIN = 72;
/** A link, its successor, and one that asks for it. */
const DESCRIPTORS_OF_PEER = 3;
/** Below these a replica is of no use to anybody. LevelDB takes no lower number of files. */
const LEAST: DescriptorBudget = { clientConnections: 32, httpConnections: 8, pendingConnections: 16, storeFiles: 74 };
const REMEDY = 'raise the limit (`ulimit -n`, `LimitNOFILE=` with systemd, `--ulimit nofile=` with containers)';

/** The limit of open files of this process; undefined where there is none or nobody knows. Node raises it to the hard one. */
export function readDescriptorLimit(): number | undefined {
  // Without it the report looks up names of the network.
  Object.assign(process.report, { excludeNetwork: true });
  const report: unknown = process.report.getReport();
  const limits = report as { readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } } };
  const soft = limits.userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

/** Fits the settings into a limit. Throws a StartError where not even the least fits. */
export function fitDescriptors(
  { clients, http }: Pick<ReplicaConfiguration, 'clients' | 'http'>,
  peerCount: number,
  limit: number | undefined,
): FittedBudget {
  const wanted: DescriptorBudget = {
    clientConnections: clients.connectionsMax,
    httpConnections: http.connectionsMax,
    pendingConnections: PENDING_CONNECTIONS_MAX,
    storeFiles: ENGINE_FILES_MAX,
  };
  const fixed = MARGIN + DESCRIPTORS_OF_PEER * peerCount;
  const needed = fixed + sumOf(wanted);
  if (limit === undefined || needed <= limit) {
    return { budget: wanted, warning: undefined };
  }
  const least: DescriptorBudget = {
    clientConnections: Math.min(LEAST.clientConnections, wanted.clientConnections),
    httpConnections: Math.min(LEAST.httpConnections, wanted.httpConnections),
    pendingConnections: LEAST.pendingConnections,
    storeFiles: LEAST.storeFiles,
  };
  if (fixed + sumOf(least) > limit) {
    throw new StartError(
      `this process may open ${limit} files, and a replica needs ${fixed + sumOf(least)} at the least ` +
        `(${needed} with these settings): ${REMEDY}`,
    );
  }
  const share = (limit - fixed - sumOf(least)) / (sumOf(wanted) - sumOf(least));
  const between = (low: number, high: number): number => low + Math.floor(share * (high - low));
  const budget: DescriptorBudget = {
    clientConnections: between(least.clientConnections, wanted.clientConnections),
    httpConnections: between(least.httpConnections, wanted.httpConnections),
    pendingConnections: between(least.pendingConnections, wanted.pendingConnections),
    storeFiles: between(least.storeFiles, wanted.storeFiles),
  };
  const warning =
    `this process may open ${limit} files, the settings may use ${needed}: \`clients.connectionsMax\` is lowered to ` +
    `${budget.clientConnections}, \`http.connectionsMax\` to ${budget.httpConnections}, the store's files to ` +
    `${budget.storeFiles}; ${REMEDY} or lower the settings`;
  return { budget, warning };
}

/** The configuration with the numbers of a budget. */
export function withBudget<C extends Pick<ReplicaConfiguration, 'clients' | 'http'>>(
  configuration: C,
  { clientConnections, httpConnections }: DescriptorBudget,
): C {
  const { clients, http } = configuration;
  return {
    ...configuration,
    clients: {
      ...clients,
      connectionsMax: clientConnections,
      connectionsReserved: Math.min(clients.connectionsReserved, Math.floor(clientConnections / 4)),
    },
    http: { ...http, connectionsMax: httpConnections },
  };
}

function sumOf({ clientConnections, httpConnections, pendingConnections, storeFiles }: DescriptorBudget): number {
  return clientConnections + httpConnections + pendingConnections + storeFiles;
}
