/**
 * How far the store of a data directory had come: a small file beside the store, against files that were taken away or put
 * back from an older copy. The engines open such a store without a word, and a chain of records can't show that its end
 * is missing.
 *
 * 1. It is a lower bound: what it names was durable when it was written. It is written at each opening, some seconds after
 *    votes were written, and when the store is closed; never on a vote's way.
 * 2. A store below it is refused. What was lost above it, and a whole data directory from an older copy, shows by what
 *    peers hold of this replica.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failed, ok, type Result } from '../util/result.js';
import { syncPath } from './directory-files.js';
import { numberOfManifest, readManifestName } from './manifest.js';

/** What the file says. */
export interface Reached {
  /** The number of the newest group of the log; 0 before the first. */
  readonly logGroup: number;
  readonly files: StoreFiles;
}

/** The engine's files that only grow, or whose numbers do. */
export interface StoreFiles {
  /** The folder that they are in: after a conversion nothing is known of the new one's. */
  readonly folder: string;
  /** The manifest's name and size. */
  readonly manifest: string;
  readonly manifestBytes: number;
  /** The number of the newest write-ahead log. */
  readonly newestLog: number;
}

/** The file's text: JSON, so that an operator can read it. */
export function encodeReached({ logGroup, files }: Reached): string {
  return `${JSON.stringify({ logGroup, files }, undefined, 2)}\n`;
}

/** What the text says, or what is wrong with it. */
export function decodeReached(text: string): Result<Reached, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return failed('it is not JSON');
  }
  const outer = fieldsOf(parsed);
  const inner = fieldsOf(outer.get('files'));
  const logGroup = outer.get('logGroup');
  const folder = inner.get('folder');
  const manifest = inner.get('manifest');
  const manifestBytes = inner.get('manifestBytes');
  const newestLog = inner.get('newestLog');
  if (typeof folder !== 'string' || typeof manifest !== 'string') {
    return failed('folder or manifest is missing');
  }
  if (!isCount(logGroup) || !isCount(manifestBytes) || !isCount(newestLog)) {
    return failed('a number is missing');
  }
  return ok({ logGroup, files: { folder, manifest, manifestBytes, newestLog } });
}

/** The files of an open store. They are synced first: after a power failure they are still so. */
export async function readStoreFiles(directory: string, folder: string): Promise<StoreFiles> {
  const path = join(directory, folder);
  const manifest = (await readManifestName(path)) ?? '';
  await syncPath(join(path, manifest));
  const { size: manifestBytes } = await stat(join(path, manifest));
  await syncPath(path);
  return { folder, manifest, manifestBytes, newestLog: Math.max(0, ...(await listLogs(path))) };
}

/** The numbers of the write-ahead logs in a store's folder, ascending. */
export async function listLogs(folder: string): Promise<readonly number[]> {
  return (await readdir(folder))
    .flatMap((name) => (/^\d+\.log$/.test(name) ? [Number.parseInt(name, 10)] : []))
    .sort((left, right) => left - right);
}

/** Says which file of a store is older than it had been; undefined for none. `sizeBytes`: that of the manifest now. */
export function findOlderFile(
  { manifest, manifestBytes, newestLog }: StoreFiles,
  now: { readonly manifest: string; readonly sizeBytes: number; readonly newestLog: number },
): string | undefined {
  if (numberOfManifest(now.manifest) < numberOfManifest(manifest)) {
    return `it is an older one, ${now.manifest}, and had been ${manifest}`;
  }
  if (now.manifest === manifest && now.sizeBytes < manifestBytes) {
    return `${manifest} has ${now.sizeBytes} bytes and had ${manifestBytes}`;
  }
  return now.newestLog < newestLog
    ? `the newest write-ahead log is number ${now.newestLog} and had been ${newestLog}`
    : undefined;
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
