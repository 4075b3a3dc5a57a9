/** Moves a replica's data to another storage engine, offline. */
import { type Conversion, type ConversionProgress, convertDirectory } from '../storage/conversion.js';
import type { EngineName } from '../storage/engine-name.js';
import type { ReplicaFiles } from './initialize-check.js';
import { dataDirectoryOptions } from './start-directory.js';
import { StartError } from './start-error.js';

export { ENGINE_NAMES, type EngineName } from '../storage/engine-name.js';
export type { ConversionProgress };

/** What was done, and what the configuration must say from now on. */
export interface ConvertedData extends Conversion {
  readonly directory: string;
  /** The configuration allows the new engine. */
  readonly isConfigured: boolean;
}

/** Converts the data of a replica that doesn't run. Rejects with a StartError; then the data is as it was. */
export async function convertData(
  files: ReplicaFiles,
  options: {
    readonly engine: EngineName;
    readonly keepsOld: boolean;
    readonly onProgress?: (progress: ConversionProgress) => void;
  },
): Promise<ConvertedData> {
  const { directory, identity } = dataDirectoryOptions(files);
  const converted = await convertDirectory({ directory, identity, ...options });
  if (!converted.ok) {
    throw new StartError(converted.error.message);
  }
  const wanted = files.configuration.storage.engine;
  return { ...converted.value, directory, isConfigured: wanted === 'auto' || wanted === options.engine };
}
