/**
 * A copy of the checkout outside of it, in which bugs are planted one after the other. Dependencies are linked,
 * everything else that the simulator and the tests read is copied, once: what a compiler keeps of a file stays good for
 * all bugs that don't touch it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { assert } from '../../src/util/assert.js';

const COPIED = ['src', 'test', 'proto', 'docs', 'package.json', 'tsconfig.json'];

/** A copy of the checkout; at most one bug is planted in it at a time. */
export class PatchedCopy {
  /** Its folder. */
  readonly root: string;
  private planted: string | undefined;

  constructor(checkout: string) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'pbft-planted-')));
    for (const entry of COPIED.filter((each) => existsSync(join(checkout, each)))) {
      cpSync(join(checkout, entry), join(this.root, entry), { recursive: true });
    }
    symlinkSync(realpathSync(join(checkout, 'node_modules')), join(this.root, 'node_modules'));
  }

  /** Applies a patch; gives the reason where that isn't possible. Only src/ may be patched. */
  plant(patch: string): string | undefined {
    assert(this.planted === undefined, 'one bug is planted at a time');
    const path = resolve(patch);
    const { isApplied, errors } = this.apply([path]);
    this.planted = isApplied ? path : undefined;
    return isApplied ? undefined : `the patch does not apply: ${firstErrorOf(errors)}`;
  }

  /** Takes the bug out again, where one is planted. */
  restore(): void {
    if (this.planted !== undefined) {
      const { isApplied, errors } = this.apply(['--reverse', this.planted]);
      assert(isApplied, `what was planted can be taken out again: ${errors}`);
      this.planted = undefined;
    }
  }

  /** Deletes it. */
  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private apply(options: readonly string[]): { readonly isApplied: boolean; readonly errors: string } {
    // No context may differ: what the bug was written for is not there any more.
    const { status, stderr } = spawnSync('git', ['apply', '--include=src/*', '-v', ...options], {
      cwd: this.root,
      encoding: 'utf8',
      // The folder is in no repository, wherever temporary files are.
      env: { ...process.env, GIT_CEILING_DIRECTORIES: join(this.root, '..') },
    });
    return { isApplied: status === 0 && stderr.includes('Applied patch'), errors: stderr };
  }
}

function firstErrorOf(stderr: string): string {
  const line = stderr.split('\n').find((each) => /^(error: (?!while searching)|fatal: )/.test(each));
  return line ?? 'it changes nothing in src/';
}
