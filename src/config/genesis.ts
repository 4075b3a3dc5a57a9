/**
 * The genesis: what all replicas of a cluster agree on before the first message. The cluster id is the digest of the
 * file's very bytes, so a change of one byte is another cluster. No addresses stand in it.
 *
 * 1. n = 1 (for development) or at least 4; ids from 0 to n − 1 in order.
 * 2. No key twice: not between replicas, nor between replicas and clients, nor between signing and TLS.
 * 3. Keys meet the key policy; the cryptography comes in by argument, as everywhere outside its room.
 */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import type { ConsensusParameters } from '../protocol/parameters.js';
import type { QuorumSizes } from '../protocol/quorum.js';
import { defined } from '../util/assert.js';
import { fromHex } from '../util/bytes.js';
import { ConfigurationError, type ConfigurationProblem } from '../util/configuration-error.js';
import { type ClientId, clientIdOf, type Digest, digestBytes, digestOf, type Hash } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { describeFileFault } from '../util/system-error.js';
import {
  checkConsensusParameters,
  computeParametersDigest,
  consensusParametersSchema,
  type Fault,
} from './parameters.js';
import { problemsOf } from './problems.js';

/** What reading a genesis needs of other rooms: crypto/hash.ts, crypto/keys.ts and protocol/quorum.ts have it. */
export interface GenesisTools {
  readonly hash: Hash;
  /** Reads an SPKI public key, PEM or base64, and judges it by the key policy. Never throws. */
  readonly readPublicKey: (text: string) => Result<KeyObject, { readonly message: string; readonly remedy: string }>;
  /** SHA-256 of a key's SPKI DER. */
  readonly computeKeyPin: (key: KeyObject) => Digest;
  /** The length of a key's signatures. */
  readonly modulusBytes: (key: KeyObject) => number;
  readonly isReplicaCountAllowed: (replicaCount: number) => boolean;
  readonly computeQuorumSizes: (replicaCount: number) => QuorumSizes;
}

/** A replica as the genesis names it. */
export interface GenesisReplica {
  readonly id: ReplicaId;
  readonly name: string;
  readonly signingKey: KeyObject;
  /** SHA-256 of its TLS key's SPKI DER. */
  readonly tlsKeyPin: Digest;
}

/** A client that is known from the start. */
export interface GenesisClient {
  readonly id: ClientId;
  readonly name: string;
  readonly key: KeyObject;
}

/** A genesis that passed every check. */
export interface Genesis {
  /** The file's bytes. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes; also the genesis digest that the header chain begins with. */
  readonly clusterId: Digest;
  readonly clusterName: string;
  /** The name of the state machine. */
  readonly application: string;
  readonly replicas: readonly GenesisReplica[];
  readonly clients: readonly GenesisClient[];
  readonly parameters: ConsensusParameters;
  readonly parametersDigest: Digest;
  /** The replicas' signing keys in the order of their ids, for the verifier. */
  readonly replicaKeys: readonly KeyObject[];
  /** The keys of all known clients; each replica is one too, under its signing key. */
  readonly clientKeys: ReadonlyMap<ClientId, KeyObject>;
  /** n, f and what follows from them. */
  readonly quorumSizes: QuorumSizes;
  /** The longest signature of a replica. */
  readonly signatureBytesMax: number;
}

/** The value of `format`. */
export const GENESIS_FORMAT = 'pbft-genesis/1';
const CLIENTS_MAX = 10_000;
const KEY_TEXT_MAX = 4_096;
const FILE_BYTES_MAX = 32 * 1024 * 1024;

/** Names of clusters, replicas and clients: letters, digits, space, dot, underscore and hyphen, 1 to 64. */
export const NAME_PATTERN = /^[\p{L}\p{N}](?:[\p{L}\p{N} ._-]{0,62}[\p{L}\p{N}._-])?$/u;

const name = z.string().regex(NAME_PATTERN, 'a name has 1 to 64 letters, digits, spaces, dots, underscores or hyphens');
const keyText = z.string().min(1).max(KEY_TEXT_MAX);

/** The file's form. */
export const genesisSchema = z.strictObject({
  format: z.literal(GENESIS_FORMAT),
  clusterName: name,
  application: name,
  parameters: consensusParametersSchema,
  replicas: z
    .array(
      z.strictObject({
        id: z.int().min(0),
        name,
        signingKey: keyText,
        tlsKeyPin: z.string().regex(/^[0-9a-f]{64}$/, 'a pin has 64 lowercase hexadecimal digits'),
      }),
    )
    .max(100),
  clients: z.array(z.strictObject({ name, key: keyText })).max(CLIENTS_MAX),
});

/** The file's content before its keys are read. */
export type GenesisFile = z.infer<typeof genesisSchema>;

function knownKeysAt(path: string): readonly string[] {
  const { shape } = genesisSchema;
  const objects: readonly [RegExp, object][] = [
    [/^$/, shape],
    [/^parameters$/, shape.parameters.shape],
    [/^replicas\.\d+$/, shape.replicas.element.shape],
    [/^clients\.\d+$/, shape.clients.element.shape],
  ];
  return Object.keys(objects.find(([pattern]) => pattern.test(path))?.[1] ?? {});
}

function throwProblems(problems: readonly ConfigurationProblem[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) {
    throw new ConfigurationError(first, others);
  }
}

function parseFile(bytes: Uint8Array, file: string): GenesisFile {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    const remedy = 'Restore the very file that `pbft init` made: its bytes are the cluster id';
    throw new ConfigurationError({ file, path: '', message: 'the genesis is not JSON in UTF-8', remedy });
  }
  const parsed = genesisSchema.safeParse(value, { reportInput: true });
  throwProblems(parsed.success ? [] : problemsOf(parsed.error, file, knownKeysAt));
  return genesisSchema.parse(value);
}

function checkReplicas(replicas: GenesisFile['replicas'], tools: GenesisTools): Fault[] {
  const faults: Fault[] = [];
  if (!tools.isReplicaCountAllowed(replicas.length)) {
    const message = `a cluster has 1 replica or 4 to 100, not ${replicas.length}`;
    const remedy = 'With fewer than 4 not even one may fail: f = floor((n − 1) / 3)';
    faults.push({ path: 'replicas', message, remedy });
  }
  replicas.forEach((replica, index) => {
    if (replica.id !== index) {
      const message = `the replica at place ${index} has id ${replica.id}`;
      faults.push({ path: `replicas.${index}.id`, message, remedy: 'Number the replicas from 0, in order' });
    }
  });
  return faults;
}

/** What must be unique, by value: where it stood first. */
function checkUnique(places: readonly { readonly path: string; readonly value: string }[], what: string): Fault[] {
  const first = new Map<string, string>();
  return places.flatMap(({ path, value }) => {
    const other = first.get(value);
    if (other === undefined) {
      first.set(value, path);
      return [];
    }
    return [{ path, message: `this ${what} is also at ${other}`, remedy: `Give each its own ${what}` }];
  });
}

/** A key with where it stands. */
interface PlacedKey {
  readonly path: string;
  readonly key: KeyObject;
  readonly pin: Digest;
}

function readKey(text: string, path: string, tools: GenesisTools): PlacedKey | Fault {
  const result = tools.readPublicKey(text);
  return result.ok ? { path, key: result.value, pin: tools.computeKeyPin(result.value) } : { path, ...result.error };
}

function readKeys(texts: readonly { readonly path: string; readonly text: string }[], tools: GenesisTools) {
  const keys: PlacedKey[] = [];
  const faults: Fault[] = [];
  for (const { path, text } of texts) {
    const read = readKey(text, path, tools);
    if ('key' in read) {
      keys.push(read);
    } else {
      faults.push(read);
    }
  }
  return { keys, faults };
}

function clientIdOfPin(pin: Digest): ClientId {
  return defined(clientIdOf(digestBytes(pin)), 'a pin has 32 bytes');
}

function pinOf(text: string): Digest {
  return defined(digestOf(fromHex(text) ?? new Uint8Array()), 'the schema checked the pin');
}

/** Reads a genesis from its bytes. Throws a ConfigurationError with all that is wrong; `file` is for its messages. */
export function parseGenesis(bytes: Uint8Array, file: string, tools: GenesisTools): Genesis {
  const content = parseFile(bytes, file);
  const { replicas, clients, parameters, application, clusterName } = content;
  const { keys, faults } = readKeys(
    [
      ...replicas.map(({ signingKey }, index) => ({ path: `replicas.${index}.signingKey`, text: signingKey })),
      ...clients.map(({ key }, index) => ({ path: `clients.${index}.key`, text: key })),
    ],
    tools,
  );
  const pins = replicas.map(({ tlsKeyPin }, index) => ({ path: `replicas.${index}.tlsKeyPin`, value: tlsKeyPin }));
  const named = replicas.map((replica, index) => ({ path: `replicas.${index}.name`, value: replica.name }));
  const namedClients = clients.map((client, index) => ({ path: `clients.${index}.name`, value: client.name }));
  const found = [
    ...checkReplicas(replicas, tools),
    ...checkConsensusParameters(parameters).map((fault) => ({ ...fault, path: `parameters.${fault.path}` })),
    ...faults,
    ...checkUnique([...keys.map(({ path, pin }) => ({ path, value: pin })), ...pins], 'key'),
    ...checkUnique(named, 'name'),
    ...checkUnique(namedClients, 'name'),
  ];
  throwProblems(found.map((fault) => ({ file, ...fault })));
  const replicaKeys = keys.slice(0, replicas.length);
  const knownClients = keys.slice(replicas.length);
  return {
    bytes,
    clusterId: tools.hash(bytes),
    clusterName,
    application,
    parameters,
    parametersDigest: computeParametersDigest(parameters, application, tools.hash),
    replicas: replicas.map((replica, index) => ({
      id: replicaId(replica.id),
      name: replica.name,
      signingKey: defined(replicaKeys[index], 'every key was read').key,
      tlsKeyPin: pinOf(replica.tlsKeyPin),
    })),
    clients: knownClients.map(({ key, pin }, index) => ({
      id: clientIdOfPin(pin),
      name: defined(clients[index], 'every key was read').name,
      key,
    })),
    replicaKeys: replicaKeys.map(({ key }) => key),
    clientKeys: new Map(keys.map(({ key, pin }) => [clientIdOfPin(pin), key])),
    quorumSizes: tools.computeQuorumSizes(replicas.length),
    signatureBytesMax: Math.max(...replicaKeys.map(({ key }) => tools.modulusBytes(key))),
  };
}

/** Reads a genesis file. Throws a ConfigurationError with all that is wrong. */
export function loadGenesis(file: string, tools: GenesisTools): Genesis {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const fault = describeFileFault(error, 'read', 'Name the genesis.json that `pbft init` made');
    throw new ConfigurationError({ file, path: '', ...fault, message: fault.message.replace('file', 'genesis') });
  }
  if (bytes.length > FILE_BYTES_MAX) {
    const message = `the genesis has ${bytes.length} bytes, allowed are ${FILE_BYTES_MAX}`;
    throw new ConfigurationError({ file, path: '', message, remedy: 'Correct the path' });
  }
  return parseGenesis(bytes, file, tools);
}
