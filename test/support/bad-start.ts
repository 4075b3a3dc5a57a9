/** Starts that must be refused: how the process ends, what it says, and that it changed nothing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster } from './cluster.js';

/** A digest of every file below a folder, by path. */
function readFolder(folder: string): Readonly<Record<string, string>> {
  const digests = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    if (statSync(path).isFile()) {
      digests.set(name, createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
  }
  return Object.fromEntries(digests);
}

/** How a refused start is to be. */
export interface Refusal {
  readonly replica: number;
  /** What the last words must match, all of them: the thing and the remedy. */
  readonly says: readonly RegExp[];
  /** For this start only. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The folder whose files must stay as they are; the replica's by default. */
  readonly folder?: string;
}

/** Starts a replica, which must end with code 1 and these words, without a stack trace and without touching a file. */
export async function assertRefused(cluster: TestCluster, refusal: Refusal): Promise<void> {
  const { replica, says, environment = {}, folder = join(cluster.directory, `replica-${replica}`) } = refusal;
  const before = readFolder(folder);
  const from = cluster.logs(replica).length;
  const end = await cluster.start(replica, environment).ended;
  const said = cluster.logs(replica).slice(from);
  assert.match(end.text, /^it ended with code 1: /, said);
  for (const words of says) {
    assert.match(end.text, words, said);
  }
  assert.doesNotMatch(said, /\n\s+at /, 'no stack trace');
  assert.doesNotMatch(said, /unexpected error/);
  assert.deepEqual(readFolder(folder), before, 'no file is changed');
}
