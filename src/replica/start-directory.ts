/** A replica's data directory: opened by a start, and only looked at where an operator asks whether a start would. */
import { replicaId } from '../protocol/identifiers.js';
import {
  type DataDirectory,
  type DataDirectoryOptions,
  type DirectoryReport,
  judgeDataDirectory,
  openDataDirectory,
} from '../storage/data-directory.js';
import type { ReplicaFiles } from './initialize-check.js';
import { StartError } from './start-error.js';

/** What the data directory is opened for. */
export function dataDirectoryOptions({ configuration, genesis, keys, budget }: ReplicaFiles): DataDirectoryOptions {
  return {
    directory: configuration.dataDirectory,
    engine: configuration.storage.engine,
    logBytesMax: configuration.storage.logBytesMax,
    ...(budget === undefined ? {} : { filesMax: budget.storeFiles }),
    identity: {
      clusterId: genesis.clusterId,
      replica: replicaId(configuration.replica),
      keyFingerprint: keys.signingKeyPin,
    },
  };
}

/** Opens the replica's data directory. Rejects with a StartError. */
export function openDirectory(files: ReplicaFiles): Promise<DataDirectory> {
  return new Promise((resolve, reject) => {
    openDataDirectory(dataDirectoryOptions(files), (result) =>
      result.ok ? resolve(result.value) : reject(new StartError(result.error.message)),
    );
  });
}

/** Looks at the data directory as a start does before it changes anything. Rejects with a StartError, with its words. */
export async function inspectDirectory(files: ReplicaFiles): Promise<DirectoryReport> {
  const judged = await judgeDataDirectory(dataDirectoryOptions(files));
  if (!judged.ok) {
    throw new StartError(judged.error.message);
  }
  return judged.value;
}
