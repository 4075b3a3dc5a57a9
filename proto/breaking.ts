/**
 * Compares proto/ with what was released, by buf's FILE rules: the last release tag before this commit, or the git
 * reference in AGAINST. A released schema is a promise, and breaking it fails. Where there is no release yet (or the
 * clone is too shallow to know one), proto/ is compared with the last commit, and what differs is said but is no failure.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** What git prints, or undefined where it fails: no tag, no commit, no repository. */
function git(...parameters: string[]): string | undefined {
  try {
    return execFileSync('git', parameters, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Runs buf and returns whether nothing breaks against `reference`, which must name a commit. */
function keepsPromisesOf(reference: string): boolean {
  const scratch = mkdtempSync(join(tmpdir(), 'pbft-breaking-'));
  try {
    const archive = join(scratch, 'then.tar');
    execFileSync('git', ['archive', '--format=tar', `--output=${archive}`, reference, 'proto'], { cwd: root });
    const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
    const { status } = spawnSync(process.execPath, [buf, 'breaking', 'proto', '--against', `${archive}#subdir=proto`], {
      cwd: root,
      stdio: 'inherit',
    });
    return status === 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function main(): void {
  const chosen = process.env['AGAINST'];
  const release = chosen ?? git('describe', '--tags', '--abbrev=0', '--match', 'v*');
  if (release !== undefined) {
    const kept = keepsPromisesOf(release);
    console.log(`proto: ${kept ? 'nothing breaks' : 'breaks what was released'} since ${release}`);
    process.exitCode = kept ? 0 : 1;
    return;
  }
  const commit = git('rev-parse', 'HEAD');
  if (commit === undefined) {
    console.log('proto: no git history here, so there is nothing to compare with');
    return;
  }
  const kept = keepsPromisesOf(commit);
  console.log(`proto: no release to compare with; ${kept ? 'nothing breaks' : 'breaks'} since the last commit`);
}

main();
