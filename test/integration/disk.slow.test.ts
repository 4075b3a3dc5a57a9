/** What the disk can do to a replica of a running cluster: be full, be damaged, be read by another engine. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertRefused } from '../support/bad-start.js';
import { makeCluster, startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { eventually } from '../support/cluster-deadline.js';
import { ClusterLoad } from '../support/cluster-load.js';
import { skip } from '../support/skip.js';

const OTHERS = [0, 1, 2] as const;
const WITHIN_MS = 30_000;
const MIB = 1_048_576;

/** Mounts a disk of this size in memory; returns why it can't, or undefined. */
function mountDisk(folder: string, sizeMib: number): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'none', folder], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

describe('a replica whose disk is full', function () {
  this.timeout(90_000);
  const DISK_MIB = 24;
  let cluster: TestCluster;
  let disk = '';

  before(async function () {
    // What is set aside for batches must fit on the small disk.
    const parameters = { checkpointInterval: 4, windowSize: 8, snapshotInterval: 64 };
    cluster = await makeCluster({
      replicas: 4,
      parameters,
      settings: () => ({ 'storage.logBytesMax': 16 * MIB, 'agreement.pipeline': 4 }),
    });
    disk = join(cluster.directory, 'replica-3', 'disk');
    mkdirSync(disk, { mode: 0o700 });
    const refusal = mountDisk(disk, DISK_MIB);
    if (refusal !== undefined) {
      disk = '';
      skip(this, `no disk can be mounted here (${refusal}); a store that is full is tested in test/unit/storage`);
    }
    cpSync(join(cluster.directory, 'replica-3', 'data'), join(disk, 'data'), { recursive: true });
    for (const replica of OTHERS) {
      cluster.start(replica);
    }
    cluster.start(3, { PBFT_DATA_DIRECTORY: join(disk, 'data') });
    await cluster.waitReady();
  });
  after(async () => {
    if (disk !== '') {
      // Lazily: it goes when the replica has closed its files.
      execFileSync('umount', ['-l', disk]);
    }
    await cluster?.stop();
  });

  it('ST-04: stops and says so, harms nobody else, and goes on when there is room again', async () => {
    const load = new ClusterLoad(cluster, { prefix: 'full', through: OTHERS, callers: 4 });
    for (let index = 0; index < 4 * DISK_MIB && cluster.isRunning(3); index++) {
      // Random, or the engine would compress it.
      await cluster.client(index % 3).put(`large-${index}`, randomBytes(MIB / 2));
    }
    await eventually(() => !cluster.isRunning(3), { withinMs: WITHIN_MS, describe: () => cluster.logs(3) });
    assert.match(cluster.logs(3), /disk is full/);
    await load.progress(50);
    const onFullDisk = await cluster.start(3, { PBFT_DATA_DIRECTORY: join(disk, 'data') }).ended;
    assert.match(onFullDisk.text, /^it ended with code 1: .*(?:disk is full|no space left)/i);
    execFileSync('mount', ['-o', 'remount,size=512m', disk]);
    cluster.start(3, { PBFT_DATA_DIRECTORY: join(disk, 'data') });
    await cluster.waitReady([3], WITHIN_MS);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await awaitAgreement(cluster);
    await load.verify(3);
  });
});

describe('a replica whose files are damaged', function () {
  this.timeout(90_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ replicas: 4 });
    const load = new ClusterLoad(cluster, { prefix: 'before', through: [0, 1, 2, 3], callers: 8, puts: 300 });
    await load.done;
    await awaitAgreement(cluster);
    await cluster.kill(3, 'SIGTERM');
  });
  after(() => cluster?.stop());

  /** A copy of replica 3's data, in which one file is damaged. */
  const copyWith = (name: RegExp, damage: (file: string) => void): string => {
    const copy = join(cluster.directory, 'replica-3', 'copy');
    rmSync(copy, { recursive: true, force: true });
    cpSync(join(cluster.directory, 'replica-3', 'data'), copy, { recursive: true });
    const store = join(copy, 'store');
    const files = readdirSync(store).filter((file) => name.test(file));
    const sizeOf = (file: string): number => statSync(join(store, file)).size;
    const [largest] = files.sort((left, right) => sizeOf(right) - sizeOf(left));
    assert.ok(largest !== undefined, `no file like ${name} in ${readdirSync(store).join(' ')}`);
    damage(join(store, largest));
    return copy;
  };

  const flipMiddle = (file: string): void => {
    const bytes = readFileSync(file);
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
    writeFileSync(file, bytes);
  };

  const assertDamageIsSaid = (copy: string): Promise<void> =>
    assertRefused(cluster, {
      replica: 3,
      says: [/damaged/, /Don't make it anew/],
      environment: { PBFT_DATA_DIRECTORY: copy },
      folder: join(cluster.directory, 'replica-3', 'data'),
    });

  it('ST-03: does not start on a write-ahead log with a flipped byte, and says what to do', () =>
    assertDamageIsSaid(copyWith(/\.(?:log|sst|ldb)$/, flipMiddle)));

  it('ST-03: does not start without the file CURRENT', () => assertDamageIsSaid(copyWith(/^CURRENT$/, rmSync)));

  it('ST-03: does not start on a manifest with a flipped byte', () =>
    assertDamageIsSaid(copyWith(/^MANIFEST/, flipMiddle)));

  it('goes on with the files that were not damaged', async () => {
    cluster.start(3);
    await cluster.waitReady([3]);
    await awaitAgreement(cluster);
  });
});

describe('a replica that has no RocksDB', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let environment: Readonly<Record<string, string>>;

  before(async () => {
    cluster = await makeCluster({ replicas: 4 });
    const hook = join(cluster.directory, 'without-rocksdb.cjs');
    writeFileSync(hook, WITHOUT_ROCKSDB);
    environment = { NODE_OPTIONS: `--require ${hook}` };
    for (const replica of OTHERS) {
      cluster.start(replica);
    }
    cluster.start(3, environment);
    await cluster.waitReady();
  });
  after(() => cluster?.stop());

  it('uses LevelDB, says so in one line, and agrees with the others', async () => {
    await cluster.client(3).put('key', 'value');
    await awaitAgreement(cluster);
    assert.equal((await cluster.status(3)).storageEngine, 'leveldb');
    const lines = cluster.logs(3).split('\n');
    const warnings = lines.filter((line) => line.includes('"level":"warn"') && line.includes('LevelDB'));
    assert.equal(warnings.length, 1, cluster.logs(3));
    assert.match(warnings[0] ?? '', /using LevelDB: RocksDB can't be used.*the package rocksdb is not installed/);
  });

  it('does not start on data that RocksDB wrote, and says with what it would', async function () {
    if ((await cluster.status(2)).storageEngine !== 'rocksdb') {
      skip(this, 'RocksDB can not be used here');
    }
    await cluster.kill(2, 'SIGTERM');
    await assertRefused(cluster, { replica: 2, says: [/made with rocksdb/, /not installed/], environment });
  });
});

/** As where the optional dependency could not be installed. */
const WITHOUT_ROCKSDB = `
const Module = require('node:module');
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request === 'rocksdb') {
    throw Object.assign(new Error("Cannot find module 'rocksdb'"), { code: 'MODULE_NOT_FOUND' });
  }
  return resolveFilename.call(this, request, ...rest);
};
`;
