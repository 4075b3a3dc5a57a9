/**
 * Looks at a data directory and changes nothing: whose it is, whether it has never been used or is complete, and what is
 * missing. Opening begins with it (data-directory.ts), and `pbft config validate` is it.
 *
 * A replica that lost its memory of its votes must not vote (FU-01). What has neither the mark of a first start
 * nor everything that a later one needs is refused, and nothing is made in its place: mostly a volume isn't mounted.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreError } from '../ports/key-value-store.js';
import { failed, ok, type Result } from '../util/result.js';
import { errorCodeOf } from '../util/system-error.js';
import { judgeBirthMark } from './birth-mark.js';
import { DIRECTORY_FILES, IGNORED_FILES, isFolder, isThere, pathIn, readText } from './directory-files.js';
import {
  convertedFolder,
  type DirectoryIdentity,
  decodeIdentity,
  describeDifference,
  type IdentityRecord,
  STORE_FOLDER,
} from './directory-identity.js';
import { ENGINE_NAMES, type EngineName } from './engine-name.js';
import { decodeReached, type Reached } from './reached.js';
import { corruptError, NEVER_ANEW } from './store-error.js';
import { checkAccess, checkDescriptors, findEarlierLife, findStoreDamage } from './store-files.js';

/**
 * Why a data directory isn't opened. `refused`: it is another's, or of another kind; `lost`: what was in it is gone, as a
 * whole or in part; `inUse`: another process has it.
 */
export interface DataDirectoryError {
  readonly code: StoreError['code'] | 'refused' | 'lost' | 'inUse';
  /** Says what is wrong, with the values that differ, and what to do. */
  readonly message: string;
}

/** What a data directory is to be opened for. */
export interface InspectedDirectory {
  readonly directory: string;
  readonly identity: DirectoryIdentity;
}

/** The identity record; undefined where the birth mark is there and a first start has not begun. */
export async function readRecord({
  directory,
  identity,
}: InspectedDirectory): Promise<Result<IdentityRecord | undefined, DataDirectoryError>> {
  const names = await listNames(directory);
  if (!names.ok) {
    return names;
  }
  const mark = await judgeMark(directory, identity);
  if (!mark.ok) {
    return mark;
  }
  const path = pathIn(directory, 'identity');
  const text = await readText(path);
  if (text === undefined) {
    const others = names.value.filter((name) => name !== DIRECTORY_FILES.birthMark);
    return judgeWithoutIdentity(directory, others, mark.value);
  }
  const record = decodeIdentity(text);
  if (!record.ok) {
    return refused(`${path} can't be used: ${record.error}. Start the replica with the version of pbft that wrote it`);
  }
  const difference = describeDifference(record.value, identity);
  if (difference !== undefined) {
    return refused(
      `${directory} belongs to another replica: ${difference}. ` +
        "Give this replica its own data directory; never start it on another's",
    );
  }
  if (!record.value.isComplete && !mark.value) {
    const what = `${path} says that the first start wasn't finished, and its mark ${DIRECTORY_FILES.birthMark} is missing`;
    return lost(`${directory} is partly missing: ${what}`);
  }
  return record;
}

/** How far the store of this record had come, and whether all of it is there. Nothing is known before the first start. */
export async function inspectStore(
  directory: string,
  record: IdentityRecord,
): Promise<Result<Reached | undefined, DataDirectoryError>> {
  const folder = join(directory, record.storeFolder);
  await checkDescriptors(directory);
  await checkAccess(directory);
  if (await isFolder(folder)) {
    await checkAccess(folder);
  }
  const path = pathIn(directory, 'reached');
  const text = await readText(path);
  if (text === undefined && !record.isComplete) {
    const life = await findEarlierLife(folder);
    return life === undefined ? ok(undefined) : failed(corruptError(life));
  }
  const reached = text === undefined ? failed('it is missing') : decodeReached(text);
  if (!reached.ok) {
    return failed(corruptError(`${path} can't be used: ${reached.error}`));
  }
  const { files } = reached.value;
  const damage = await findStoreDamage({
    folder,
    engine: record.engine,
    reached: files.folder === record.storeFolder ? files : undefined,
    isHalfOpened: await isThere(pathIn(directory, 'opening')),
  });
  return damage === undefined ? reached : failed(corruptError(damage));
}

/** Folders of stores that the record doesn't name: what conversions left. */
export async function findOtherStores(directory: string, { storeFolder }: IdentityRecord): Promise<readonly string[]> {
  const folders = [STORE_FOLDER, ...ENGINE_NAMES.map((engine: EngineName) => convertedFolder(engine))];
  const others = folders.filter((folder) => folder !== storeFolder).map((folder) => join(directory, folder));
  const found = await Promise.all(others.map(isFolder));
  return others.filter((_, index) => found[index]);
}

async function listNames(directory: string): Promise<Result<readonly string[], DataDirectoryError>> {
  try {
    const found = await stat(directory);
    if (!found.isDirectory()) {
      return refused(`${directory} is no folder; \`dataDirectory\` must name one`);
    }
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') {
      throw error;
    }
    return lost(`the data directory ${directory} is missing`);
  }
  return ok((await readdir(directory)).filter((name) => !IGNORED_FILES.has(name)));
}

/** Whether the mark is there. Another's is refused. */
async function judgeMark(directory: string, identity: DirectoryIdentity): Promise<Result<boolean, DataDirectoryError>> {
  const path = pathIn(directory, 'birthMark');
  const text = await readText(path);
  if (text === undefined) {
    return ok(false);
  }
  const judged = judgeBirthMark(text, identity);
  return judged.ok
    ? ok(true)
    : refused(
        `${path} is not the mark that \`pbft init\` made for this replica: ${judged.error}. ` +
          'Put the data folder there that was made for this replica; never make a mark by hand',
      );
}

/** Nothing says whose it is: it must be new, with the mark and nothing else. */
function judgeWithoutIdentity(
  directory: string,
  others: readonly string[],
  isMarked: boolean,
): Result<undefined, DataDirectoryError> {
  const [other] = others.filter((name) => name !== `${DIRECTORY_FILES.identity}.new`);
  if (other !== undefined) {
    const what = `${pathIn(directory, 'identity')} is missing and ${other} is there`;
    return lost(`${directory} is partly missing: ${what}`);
  }
  return isMarked ? ok(undefined) : lost(`the data directory ${directory} is empty`);
}

function lost(what: string): Result<never, DataDirectoryError> {
  return failed({
    code: 'lost',
    message:
      `${what}. Is the volume mounted that it is on? If it is, what this replica voted is lost. ${NEVER_ANEW}. ` +
      `Before a first start, bring the data folder that \`pbft init\` made, with its ${DIRECTORY_FILES.birthMark}`,
  });
}

function refused(message: string): Result<never, DataDirectoryError> {
  return failed({ code: 'refused', message });
}
