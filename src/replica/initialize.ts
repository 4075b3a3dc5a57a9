/**
 * Makes a new cluster: keys, certificates, genesis and a folder for each replica, ready to start on this machine or to
 * be carried to others. Overwrites nothing (initialize-files.ts) and ends by loading what it wrote as a replica would.
 *
 * The order is forced: the genesis holds the keys, the cluster id is the genesis's digest, certificates name it.
 */
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isLoopback } from '../config/address.js';
import { GENESIS_FORMAT, type Genesis, type GenesisFile, parseGenesis } from '../config/genesis.js';
import { makeAuthorityCertificate, makeReplicaCertificate } from '../crypto/certificates.js';
import { computeKeyPin, generatePrivateKey, privatePem, publicBase64 } from '../crypto/keys.js';
import { replicaId } from '../protocol/identifiers.js';
import { encodeBirthMark } from '../storage/birth-mark.js';
import { DIRECTORY_FILES } from '../storage/directory-files.js';
import { defined } from '../util/assert.js';
import { utf8 } from '../util/bytes.js';
import type { Digest } from '../util/digest.js';
import { GENESIS_FILE, genesisTools, loadReplicaFiles } from './initialize-check.js';
import { DATA_FOLDER, formatNewConfiguration } from './initialize-config-text.js';
import { NewFolder, PRIVATE_MODE, PUBLIC_MODE } from './initialize-files.js';
import { type InitializedReplica, type InitializeOptions, type Plan, planCluster } from './initialize-plan.js';

/** How far it is. */
export interface InitializeProgress {
  readonly step: 'keys' | 'certificates' | 'files' | 'checks';
  readonly completed: number;
  readonly total: number;
}

/** A cluster that was made. Paths are absolute. */
export interface InitializedCluster {
  readonly directory: string;
  readonly clusterId: Digest;
  readonly clusterName: string;
  readonly genesisFile: string;
  readonly authorityDirectory: string;
  readonly clientDirectory: string;
  readonly replicas: readonly InitializedReplica[];
}

const CLIENT_NAME = 'client-0';

/**
 * Whether a cluster was made in this folder.
 *
 * @example
 * ```ts
 * import { isInitialized } from 'pbft';
 *
 * console.log(isInitialized('/nowhere')); //> false
 * ```
 */
export function isInitialized(directory: string): boolean {
  return existsSync(join(directory, GENESIS_FILE));
}

/** All private keys of a new cluster. */
interface NewKeys {
  readonly authority: KeyObject;
  readonly client: KeyObject;
  readonly replicas: readonly { readonly signing: KeyObject; readonly tls: KeyObject }[];
}

type Report = (progress: InitializeProgress) => void;

async function generateKeys(replicaCount: number, report: Report): Promise<NewKeys> {
  const total = 2 * replicaCount + 2;
  let completed = 0;
  const generate = async (): Promise<KeyObject> => {
    const key = await generatePrivateKey();
    completed += 1;
    report({ step: 'keys', completed, total });
    return key;
  };
  const pairs = Array.from({ length: replicaCount }, async () => {
    const [signing, tls] = await Promise.all([generate(), generate()]);
    return { signing, tls };
  });
  const [authority, client, replicas] = await Promise.all([generate(), generate(), Promise.all(pairs)]);
  return { authority, client, replicas };
}

function formatGenesis(plan: Plan, keys: NewKeys): Uint8Array {
  const content: GenesisFile = {
    format: GENESIS_FORMAT,
    clusterName: plan.clusterName,
    application: plan.application,
    parameters: plan.parameters,
    replicas: keys.replicas.map(({ signing, tls }, id) => ({
      id,
      name: defined(plan.names[id], 'there is a name a replica'),
      signingKey: publicBase64(signing),
      tlsKeyPin: computeKeyPin(tls),
    })),
    clients: [{ name: CLIENT_NAME, key: publicBase64(keys.client) }],
  };
  return utf8(`${JSON.stringify(content, undefined, 2)}\n`);
}

/** A file to be written. */
interface NewFile {
  readonly name: string;
  readonly content: string;
  readonly mode: number;
}

function publicFile(name: string, content: string): NewFile {
  return { name, content, mode: PUBLIC_MODE };
}

function privateFile(name: string, key: KeyObject): NewFile {
  return { name, content: privatePem(key), mode: PRIVATE_MODE };
}

function formatReplicaFiles(plan: Plan, keys: NewKeys, genesis: Genesis, report: Report): NewFile[] {
  const { clusterId } = genesis;
  const { nowMs } = plan;
  const authority = { clusterId, authorityKey: keys.authority, nowMs };
  const authorityPem = makeAuthorityCertificate(authority);
  const peers = plan.replicas.map(({ listen }) => listen.peer);
  const files = keys.replicas.flatMap(({ signing, tls }, id) => {
    const { listen } = defined(plan.replicas[id], 'there is a plan a replica');
    const folder = `replica-${id}`;
    const hosts = [listen.client.host];
    const certificate = makeReplicaCertificate({ ...authority, replica: replicaId(id), tlsKey: tls, hosts });
    report({ step: 'certificates', completed: id + 1, total: keys.replicas.length });
    const clientTls = !isLoopback(listen.client);
    const { names, clusterName, applicationFile } = plan;
    return [
      privateFile(`${folder}/signing.key`, signing),
      privateFile(`${folder}/tls.key`, tls),
      publicFile(`${folder}/tls.crt`, certificate),
      publicFile(`${folder}/ca.crt`, authorityPem),
      {
        name: `${folder}/${DATA_FOLDER}/${DIRECTORY_FILES.birthMark}`,
        content: encodeBirthMark({ clusterId, replica: replicaId(id), keyFingerprint: computeKeyPin(signing) }),
        mode: PRIVATE_MODE,
      },
      publicFile(
        `${folder}/config.yaml`,
        formatNewConfiguration({ replica: id, names, clusterName, listen, peers, clientTls, applicationFile }),
      ),
    ];
  });
  return [
    privateFile('ca/ca.key', keys.authority),
    publicFile('ca/ca.crt', authorityPem),
    privateFile(`${CLIENT_NAME}/client.key`, keys.client),
    publicFile(`${CLIENT_NAME}/ca.crt`, authorityPem),
    ...files,
  ];
}

async function fillFolder(folder: NewFolder, plan: Plan, report: Report): Promise<Digest> {
  const keys = await generateKeys(plan.replicas.length, report);
  const genesisBytes = formatGenesis(plan, keys);
  const genesis = parseGenesis(genesisBytes, join(plan.directory, GENESIS_FILE), genesisTools);
  const files = formatReplicaFiles(plan, keys, genesis, report);
  const folders = plan.replicas.flatMap(({ id }) => [`replica-${id}`, `replica-${id}/${DATA_FOLDER}`]);
  for (const name of ['ca', CLIENT_NAME, ...folders]) {
    folder.makeDirectory(name);
  }
  for (const [index, { name, content, mode }] of files.entries()) {
    folder.write(name, content, mode);
    report({ step: 'files', completed: index + 1, total: files.length });
  }
  folder.write(GENESIS_FILE, genesisBytes, PUBLIC_MODE);
  for (const { id, configurationFile } of plan.replicas) {
    loadReplicaFiles({ file: configurationFile }, plan.nowMs);
    report({ step: 'checks', completed: id + 1, total: plan.replicas.length });
  }
  return genesis.clusterId;
}

/**
 * Makes a new cluster. Rejects with a ConfigurationError where the options don't fit, the folder is not free, or it
 * can't be written; what was made is then removed again.
 *
 * @example
 * ```ts
 * import { initializeCluster } from 'pbft';
 *
 * const { replicas } = await initializeCluster({
 *   directory: 'my-cluster',
 *   names: ['Apple', 'MS', 'Google', 'IBM'],
 *   basePort: 9400,
 * });
 * for (const { name, listen } of replicas) {
 *   console.log(`${name} serves callers at port ${listen.client.port}`);
 * }
 * //> Apple serves callers at port 9400
 * //> MS serves callers at port 9401
 * //> Google serves callers at port 9402
 * //> IBM serves callers at port 9403
 * ```
 */
export async function initializeCluster(
  options: InitializeOptions,
  onProgress: Report = () => undefined,
): Promise<InitializedCluster> {
  const plan = planCluster(options);
  const folder = NewFolder.open(plan.directory);
  try {
    const clusterId = await fillFolder(folder, plan, onProgress);
    folder.complete();
    return {
      directory: plan.directory,
      clusterId,
      clusterName: plan.clusterName,
      genesisFile: join(plan.directory, GENESIS_FILE),
      authorityDirectory: join(plan.directory, 'ca'),
      clientDirectory: join(plan.directory, CLIENT_NAME),
      replicas: plan.replicas,
    };
  } catch (error) {
    folder.undo();
    throw error;
  }
}
