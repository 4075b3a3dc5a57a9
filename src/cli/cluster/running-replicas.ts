/**
 * Which replicas of a folder run: those that `cluster.json` names, and those that somebody started by hand, also in the
 * place of one that `cluster.json` names and that has ended. A data directory names the process that has it open.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../../util/configuration-error.js';
import type { Context } from '../context.js';
import { CommandError } from '../exit.js';
import { readClusterFile } from './cluster-file.js';
import { loadLocalCluster } from './members.js';
import { hasOpen, isReplicaProcess } from './process-identity.js';

/** A replica's process. */
export interface RunningReplica {
  readonly name: string;
  readonly pid: number;
}

/** In a data directory: the process that has it open, only to be named (src/storage/data-directory.ts). */
const PROCESS_FILE = 'process-id';

/** Looks at the processes again each time. Throws a CommandError where `cluster.json` is none. */
export function findRunningReplicas(directory: string, context: Context): readonly RunningReplica[] {
  const started = (readClusterFile(directory)?.replicas ?? []).filter(isReplicaProcess);
  const known = new Set(started.map(({ pid }) => pid));
  const byHand = dataDirectoriesOf(directory, context).flatMap(({ name, dataDirectory }) => {
    const pid = findHolder(dataDirectory);
    return pid === undefined || known.has(pid) ? [] : [{ name, pid }];
  });
  return [...started.map(({ name, pid }) => ({ name, pid })), ...byHand];
}

/** None where the folder is no cluster's any more: then only `cluster.json` can name its processes. */
function dataDirectoriesOf(directory: string, { environment }: Context) {
  try {
    return loadLocalCluster(directory, environment).members;
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof CommandError) {
      return [];
    }
    throw error;
  }
}

function findHolder(dataDirectory: string): number | undefined {
  try {
    const text = readFileSync(join(dataDirectory, PROCESS_FILE), 'utf8');
    const pid = /^[0-9]{1,10}\n$/.test(text) ? Number(text) : 0;
    // The file may be left over, and the id another's by now.
    return pid > 1 && hasOpen(pid, realpathSync(dataDirectory)) ? pid : undefined;
  } catch {
    // Missing, or another user's.
    return undefined;
  }
}
