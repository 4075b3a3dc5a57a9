/**
 * `cluster.json`: where the replicas of a running cluster are, and which processes they are. Written whole at each
 * start, taken away by an orderly stop. Other programs read it; nothing in it is secret.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../exit.js';
import type { TraitorKind } from './byzantine.js';

/** One replica in it. */
export interface ClusterFileReplica {
  readonly id: number;
  readonly name: string;
  readonly pid: number;
  /** `host:port` of each port. */
  readonly client: string;
  readonly peer: string;
  readonly http: string;
  /** Absolute. */
  readonly configurationFile: string;
  /** Absolute; null where the log goes to the terminal. */
  readonly logFile: string | null;
  /** How it betrays the others; null for a correct replica. */
  readonly byzantine: TraitorKind | null;
}

/** The whole file. */
export interface ClusterFile {
  readonly format: typeof CLUSTER_FORMAT;
  readonly clusterId: string;
  readonly clusterName: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** The process that holds the replicas together; null where each runs by itself. */
  readonly supervisor: { readonly pid: number; readonly commandLine: string } | null;
  readonly replicas: readonly ClusterFileReplica[];
}

/** The value of `format`. */
export const CLUSTER_FORMAT = 'pbft-cluster/1';

/** Where the file is. */
export function clusterFilePath(directory: string): string {
  return join(directory, 'cluster.json');
}

/** Writes the file whole or not at all. */
export function writeClusterFile(directory: string, file: ClusterFile): void {
  const path = clusterFilePath(directory);
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify(file, undefined, 2)}\n`);
  renameSync(partial, path);
}

/** Takes the file away. */
export function removeClusterFile(directory: string): void {
  rmSync(clusterFilePath(directory), { force: true });
}

/** Reads the file; undefined where there is none. Throws a CommandError where it is no such file. */
export function readClusterFile(directory: string): ClusterFile | undefined {
  const path = clusterFilePath(directory);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  const value = parse(text);
  if (!isClusterFile(value)) {
    throw new CommandError(`${path} is not what \`pbft cluster\` writes: remove it if no replica of this cluster runs`);
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isProcessId(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 1;
}

function isReplica(value: unknown): boolean {
  const texts = ['name', 'client', 'peer', 'http', 'configurationFile'] as const;
  return isRecord(value) && isProcessId(value['pid']) && texts.every((name) => typeof value[name] === 'string');
}

function isSupervisor(value: unknown): boolean {
  return value === null || (isRecord(value) && isProcessId(value['pid']) && typeof value['commandLine'] === 'string');
}

function isClusterFile(value: unknown): value is ClusterFile {
  return (
    isRecord(value) &&
    value['format'] === CLUSTER_FORMAT &&
    isSupervisor(value['supervisor']) &&
    Array.isArray(value['replicas']) &&
    value['replicas'].every((replica, id) => isReplica(replica) && replica.id === id)
  );
}
