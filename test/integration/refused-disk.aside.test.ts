/**
 * A disk that the operating system keeps a replica from using: another user's files, a file system that is read-only, a disk
 * that is too small. Each is called by its name, with what to do; none is called damage.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCluster, type TestCluster } from '../support/cluster.js';
import { skip } from '../support/skip.js';

const PROGRAM = join(import.meta.dirname, '../../bin/pbft.js');
/** A user that owns nothing. */
const NOBODY = 65_534;
const WITHIN_MS = 30_000;

describe('a disk that a replica may not use', function () {
  this.timeout(90_000);
  let cluster: TestCluster;
  let data: string;
  const mounted: string[] = [];

  before(async function () {
    if (process.getuid?.() !== 0) {
      skip(this, 'other users and mounts take root; what the errors mean is tested in test/unit/storage');
    }
    cluster = await makeCluster({ replicas: 1 });
    data = join(cluster.directory, 'replica-0', 'data');
    cluster.start(0);
    await cluster.waitReady();
    await cluster.client(0).put('key', 'value');
    await cluster.kill(0, 'SIGTERM');
  });
  after(async () => {
    for (const folder of mounted) {
      execFileSync('umount', ['-l', folder]);
    }
    await cluster?.stop();
  });

  /** Runs the program, and gives what it said and how it ended. */
  function run(command: readonly string[], options: { readonly user?: number } = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...command], {
      encoding: 'utf8',
      timeout: WITHIN_MS,
      ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
    });
    return { status, text: stdout + stderr };
  }

  /** A start, and the validation before it, end with 1 and these words, and call nothing damaged. */
  function assertBothRefuse(
    says: readonly RegExp[],
    options: Parameters<typeof run>[1] & { readonly set?: string } = {},
  ): void {
    const { set, ...others } = options;
    const flags = ['--config', cluster.configurationFile(0), ...(set === undefined ? [] : ['--set', set])];
    for (const command of [['config', 'validate'], ['start']]) {
      const { status, text } = run([...command, ...flags], others);
      assert.equal(status, 1, text);
      for (const words of says) {
        assert.match(text, words, command.join(' '));
      }
      assert.doesNotMatch(text, /damaged|from its peers|unexpected error|\n\s+at /);
    }
  }

  it("FU-01: says whose file it may not read, and as which user it runs, where the store is another user's", () => {
    const copy = mkdtempSync(join(tmpdir(), 'pbft-nobodys-'));
    cpSync(cluster.directory, copy, { recursive: true });
    const own = execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, copy], { stdio: 'pipe' });
    assert.equal(own.length, 0);
    const config = join(copy, 'replica-0', 'config.yaml');
    for (const [path, mode] of [
      ['store/CURRENT', 0o600],
      ['reached.json', 0o600],
      ['store', 0o700],
    ] as const) {
      const file = join(copy, 'replica-0', 'data', path);
      chownSync(file, 0, 0);
      chmodSync(file, mode);
      for (const command of ['validate', 'start']) {
        const line = command === 'start' ? ['start'] : ['config', 'validate'];
        const { status, text } = run([...line, '--config', config], { user: NOBODY });
        assert.equal(status, 1, text);
        assert.match(text, new RegExp(`data/${path}: this process may not use it \\(EACCES\\); give .*user ${NOBODY}`));
        assert.doesNotMatch(text, /damaged|from its peers/);
      }
      chownSync(file, NOBODY, NOBODY);
    }
    rmSync(copy, { recursive: true });
  });

  it('FU-01: says that the file system is read-only', function () {
    const disk = join(cluster.directory, 'read-only');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', disk], { stdio: 'pipe' });
    } catch {
      skip(this, 'no disk can be mounted here');
    }
    mounted.push(disk);
    cpSync(data, join(disk, 'data'), { recursive: true });
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    assertBothRefuse([/read-only\/data: the file system is read-only \(EROFS\)/, /mount it for writing/], {
      set: `dataDirectory=${join(disk, 'data')}`,
    });
  });

  it('says that what is set aside for batches does not fit on the disk', function () {
    const [disk] = mounted;
    if (disk === undefined) {
      skip(this, 'no disk can be mounted here');
    }
    execFileSync('mount', ['-o', 'remount,rw', disk]);
    assertBothRefuse([/storage\.logBytesMax is 1073741824 bytes and the file system of \S+ has 67108864 in all/], {
      set: `dataDirectory=${join(disk, 'data')}`,
    });
  });

  it('FU-01: goes on where it may again', async () => {
    const aside = `${data}-aside`;
    renameSync(data, aside);
    renameSync(aside, data);
    cluster.start(0);
    await cluster.waitReady();
    assert.equal((await cluster.client(0).get('key')).value, 'value');
  });
});
