/**
 * Loads all files of a replica and checks them against each other: settings, genesis, keys, certificate. `pbft init`
 * ends with it, `pbft config validate` is it, and a replica begins with it.
 */

import { join } from 'node:path';
import { checkAgainstGenesis } from '../config/checks.js';
import { type Genesis, type GenesisTools, loadGenesis } from '../config/genesis.js';
import {
  type ConfigurationSources,
  type LoadedConfiguration,
  loadConfiguration,
} from '../config/load-configuration.js';
import type { ReplicaConfiguration } from '../config/settings.js';
import { sha256 } from '../crypto/hash.js';
import { loadTlsPair, type TlsPair } from '../crypto/key-files.js';
import { computeKeyPin, modulusBytes, readPublicKey } from '../crypto/keys.js';
import { loadReplicaKeys, type ReplicaKeys } from '../crypto/replica-keys.js';
import { computeQuorumSizes, isReplicaCountAllowed } from '../protocol/quorum.js';
import { defined } from '../util/assert.js';
import { ConfigurationError } from '../util/configuration-error.js';
import type { DescriptorBudget } from './descriptor-budget.js';

/** What reading a genesis needs, from the rooms that config may not enter. */
export const genesisTools: GenesisTools = {
  hash: sha256,
  readPublicKey,
  computeKeyPin,
  modulusBytes,
  isReplicaCountAllowed,
  computeQuorumSizes,
};

/** The file's name in a cluster's folder. */
export const GENESIS_FILE = 'genesis.json';

/** Loads the genesis of a cluster's folder. Throws a ConfigurationError. */
export function loadClusterGenesis(directory: string): Genesis {
  return loadGenesis(join(directory, GENESIS_FILE), genesisTools);
}

/** All that a replica starts from. */
export interface ReplicaFiles extends LoadedConfiguration {
  readonly genesis: Genesis;
  readonly keys: ReplicaKeys;
  /** TLS of the client port, undefined for plaintext. */
  readonly clientTls: TlsPair | undefined;
  /** What each use of descriptors may take; undefined where it was not compared with the limit yet. */
  readonly budget?: DescriptorBudget;
}

function loadClientTls({ clients, keyFilePolicy }: ReplicaConfiguration): TlsPair | undefined {
  const { tlsKeyFile, tlsCertificateFile } = clients;
  if (tlsKeyFile === undefined || tlsCertificateFile === undefined) {
    return undefined;
  }
  return loadTlsPair({ keyFile: tlsKeyFile, certificateFile: tlsCertificateFile, policy: keyFilePolicy });
}

/** Loads and checks everything. `nowMs` judges the certificate's validity. Throws a ConfigurationError. */
export function loadReplicaFiles(sources: ConfigurationSources, nowMs = Date.now()): ReplicaFiles {
  const loaded = loadConfiguration(sources);
  const { configuration, file } = loaded;
  const genesis = loadGenesis(configuration.genesisFile, genesisTools);
  const [problem, ...others] = checkAgainstGenesis(configuration, genesis).map((fault) => ({ file, ...fault }));
  if (problem !== undefined) {
    throw new ConfigurationError(problem, others);
  }
  const own = defined(genesis.replicas[configuration.replica], 'the id was checked against the genesis');
  const keys = loadReplicaKeys(
    {
      signingKeyFile: configuration.signingKeyFile,
      tlsKeyFile: configuration.tls.keyFile,
      tlsCertificateFile: configuration.tls.certificateFile,
      tlsAuthorityFile: configuration.tls.authorityFile,
      policy: configuration.keyFilePolicy,
    },
    {
      clusterId: genesis.clusterId,
      replica: own.id,
      signingKey: own.signingKey,
      tlsKeyPin: own.tlsKeyPin,
      nowMs,
    },
  );
  return { ...loaded, genesis, keys, clientTls: loadClientTls(configuration) };
}
