/**
 * The identity record of a data directory: a small file that says which replica of which cluster it is of, and how it is
 * stored. Votes are bound to one replica's memory: a directory under another identity would let a replica contradict
 * itself, so every difference is refused.
 */
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Digest } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { ENGINE_NAMES, type EngineName } from './engine-name.js';

/** The version of the layout of files and keys. Another one is refused. */
export const FORMAT_VERSION = 2;

/** Whose data it is. */
export interface DirectoryIdentity {
  readonly clusterId: Digest;
  readonly replica: ReplicaId;
  /** SHA-256 of the signing key's SPKI DER. */
  readonly keyFingerprint: Digest;
}

/** What the record says. */
export interface IdentityRecord {
  readonly formatVersion: number;
  readonly engine: EngineName;
  readonly clusterId: string;
  readonly replica: number;
  readonly keyFingerprint: string;
  /** False from the first opening's beginning to its end: the store may be there in part, and nothing was voted yet. */
  readonly isComplete: boolean;
  /** The folder of the engine's files: another one after a conversion, whose last step is to name it here. */
  readonly storeFolder: string;
}

/** The store's folder in a new data directory. */
export const STORE_FOLDER = 'store';

/** What the record can name as the store's folder. */
const STORE_FOLDERS: ReadonlySet<string> = new Set([STORE_FOLDER, ...ENGINE_NAMES.map(convertedFolder)]);

/** The folder that a conversion to this engine fills. */
export function convertedFolder(engine: EngineName): string {
  return `${STORE_FOLDER}-${engine}`;
}

/** The record's text: JSON, so that an operator can read it. */
export function encodeIdentity(record: IdentityRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** The record in this text, or what is wrong with it. Fields that a newer format adds don't matter. */
export function decodeIdentity(text: string): Result<IdentityRecord, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return failed('it is not JSON');
  }
  const fields = new Map<string, unknown>(typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []);
  const formatVersion = fields.get('formatVersion');
  const engine = ENGINE_NAMES.find((name) => name === fields.get('engine'));
  const clusterId = fields.get('clusterId');
  const replica = fields.get('replica');
  const keyFingerprint = fields.get('keyFingerprint');
  const isComplete = fields.get('isComplete');
  const storeFolder = fields.get('storeFolder');
  if (typeof formatVersion !== 'number') {
    return failed('it has no formatVersion');
  }
  if (formatVersion !== FORMAT_VERSION) {
    return failed(`it has format version ${formatVersion} and this program reads version ${FORMAT_VERSION}`);
  }
  if (engine === undefined) {
    return failed(`its engine is none of ${ENGINE_NAMES.join(', ')}`);
  }
  if (typeof clusterId !== 'string' || typeof replica !== 'number' || typeof keyFingerprint !== 'string') {
    return failed('clusterId, replica or keyFingerprint is missing');
  }
  if (typeof isComplete !== 'boolean') {
    return failed('isComplete is missing');
  }
  if (typeof storeFolder !== 'string' || !STORE_FOLDERS.has(storeFolder)) {
    return failed(`its storeFolder is none of ${[...STORE_FOLDERS].join(', ')}`);
  }
  return ok({ formatVersion, engine, clusterId, replica, keyFingerprint, isComplete, storeFolder });
}

/** Every difference between whose the directory is and who asks for it, with both values; undefined for none. */
export function describeDifference(
  record: Pick<IdentityRecord, 'clusterId' | 'replica' | 'keyFingerprint'>,
  asked: DirectoryIdentity,
): string | undefined {
  const differences: string[] = [];
  const compare = (name: string, found: string | number, wanted: string | number): void => {
    if (found !== wanted) {
      differences.push(`its ${name} is ${found} and the configuration's is ${wanted}`);
    }
  };
  compare('cluster id', record.clusterId, asked.clusterId);
  compare('replica', record.replica, asked.replica);
  compare('signing key fingerprint', record.keyFingerprint, asked.keyFingerprint);
  return differences.length === 0 ? undefined : differences.join('; ');
}
