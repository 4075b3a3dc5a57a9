/** Everything besides the software that a figure depends on, found out where it can be. */
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { loadGenesis } from '../../src/config/genesis.js';
import { genesisTools } from '../../src/replica/initialize-check.js';
import type { TestCluster } from '../support/cluster.js';
import { readMetric } from '../support/cluster-checks.js';
import { medianOf } from './latency.js';
import type { BenchOptions } from './options.js';

/** The machine, as it was when the run began. */
export interface MachineSettings {
  readonly node: string;
  readonly v8: string;
  readonly system: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Of the last minute, 5 and 15 minutes. */
  readonly loadAverage: readonly number[];
}

/** The cluster and what carries it. */
export interface ClusterSettings {
  readonly replicaCount: number;
  readonly faultsMax: number;
  readonly quorum: number;
  readonly signingKeyBits: number;
  readonly peerTls: 'mutual TLS';
  readonly clientTls: 'none, loopback';
  readonly storageEngine: string;
  /** False where a replica runs with a setting that gives up durability. */
  readonly isSynced: boolean;
  readonly fileSystem: string;
  /** The median of a few writes of 4 KiB to the replicas' file system. */
  readonly fdatasyncMs: number;
  /** Of the genesis. */
  readonly parameters: unknown;
  readonly version: string;
  readonly commit: string;
}

/** The load. */
export interface LoadSettings {
  readonly callers: number;
  readonly loop: 'closed' | 'open';
  readonly ratePerSecond: number | null;
  readonly connectionsOfReplica: 1;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly windowSeconds: number;
  readonly rounds: number;
  readonly isSmoke: boolean;
}

const FSYNC_PROBES = 32;
const FSYNC_PROBE_BYTES = 4_096;

/** As statfs(2) numbers them. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs: a sync costs nothing'],
  [0x6969, 'nfs'],
]);

/** The machine now. */
export function readMachine(): MachineSettings {
  return {
    node: process.version,
    v8: process.versions.v8,
    system: `${type()} ${release()}, ${process.arch}`,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: loadavg(),
  };
}

/** The cluster, which must run. */
export async function readClusterSettings(cluster: TestCluster): Promise<ClusterSettings> {
  const genesis = loadGenesis(join(cluster.directory, 'genesis.json'), genesisTools);
  const statuses = await Promise.all(cluster.replicas.map(({ id }) => cluster.status(id)));
  const unsafe = await Promise.all(
    cluster.replicas.map(({ id }) => readMetric(cluster, id, { name: 'pbft_unsafe_mode' })),
  );
  const bits = genesis.replicaKeys.map((key) => key.asymmetricKeyDetails?.modulusLength ?? 0);
  return {
    replicaCount: genesis.replicas.length,
    faultsMax: genesis.quorumSizes.faultsMax,
    quorum: genesis.quorumSizes.quorum,
    signingKeyBits: Math.max(...bits),
    peerTls: 'mutual TLS',
    clientTls: 'none, loopback',
    storageEngine: [...new Set(statuses.map(({ storageEngine }) => storageEngine))].join(', '),
    isSynced: unsafe.every((mode) => mode === 0),
    fileSystem: fileSystemOf(cluster.directory),
    fdatasyncMs: measureSyncMs(cluster.directory),
    parameters: genesis.parameters,
    version: statuses[0]?.version ?? 'unknown',
    commit: readCommit(),
  };
}

/** The load that these choices make. */
export function loadSettingsOf(options: BenchOptions, keyBytes: number): LoadSettings {
  const { callers, ratePerSecond, valueBytes, windowMs, rounds, isSmoke } = options;
  return {
    callers,
    loop: ratePerSecond === undefined ? 'closed' : 'open',
    ratePerSecond: ratePerSecond ?? null,
    connectionsOfReplica: 1,
    keyBytes,
    valueBytes,
    windowSeconds: windowMs / 1_000,
    rounds,
    isSmoke,
  };
}

function fileSystemOf(directory: string): string {
  const { type: number } = statfsSync(directory);
  return FILE_SYSTEMS.get(number) ?? `number 0x${number.toString(16)}`;
}

function measureSyncMs(directory: string): number {
  const file = join(directory, 'sync-probe');
  const descriptor = openSync(file, 'w');
  const bytes = Buffer.alloc(FSYNC_PROBE_BYTES, 1);
  const tookMs: number[] = [];
  try {
    for (let probe = 0; probe < FSYNC_PROBES; probe++) {
      const startMs = performance.now();
      writeSync(descriptor, bytes);
      fdatasyncSync(descriptor);
      tookMs.push(performance.now() - startMs);
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  return medianOf(tookMs);
}

function readCommit(): string {
  try {
    const parameters = ['describe', '--always', '--dirty', '--abbrev=12'];
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', parameters, { cwd: import.meta.dirname, encoding: 'utf8', stdio }).trim();
  } catch {
    return 'unknown';
  }
}
