import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClusterFile,
  clusterFilePath,
  readClusterFile,
  removeClusterFile,
  writeClusterFile,
} from '../../../../src/cli/cluster/cluster-file.js';
import { commandLineOf, isReplicaProcess, isSupervisorAlive } from '../../../../src/cli/cluster/process-identity.js';

const REPLICA = {
  id: 0,
  name: 'replica-0',
  pid: process.pid,
  client: '127.0.0.1:1',
  peer: '127.0.0.1:2',
  http: '127.0.0.1:3',
  configurationFile: '/nowhere/config.yaml',
  logFile: null,
  byzantine: null,
};
const FILE: ClusterFile = {
  format: 'pbft-cluster/1',
  clusterId: 'aa',
  clusterName: 'pbft',
  startedAt: '2026-01-01T00:00:00.000Z',
  supervisor: null,
  replicas: [REPLICA],
};

describe('cluster.json', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-cluster-file-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is read as it was written, and nothing else is left in the folder', () => {
    writeClusterFile(directory, FILE);
    writeClusterFile(directory, { ...FILE, supervisor: { pid: 77, commandLine: 'node x' } });
    assert.deepEqual(readClusterFile(directory), { ...FILE, supervisor: { pid: 77, commandLine: 'node x' } });
    assert.deepEqual(readdirSync(directory), ['cluster.json']);
  });

  it('may be missing', () => {
    assert.equal(readClusterFile(directory), undefined);
    removeClusterFile(directory);
  });

  it('is refused in any other form, above all with a process id that means a group or everyone', () => {
    const broken: readonly unknown[] = [
      '',
      'null',
      { ...FILE, format: 'pbft-cluster/2' },
      { ...FILE, replicas: {} },
      { ...FILE, supervisor: { pid: 0, commandLine: 'x' } },
      { ...FILE, replicas: [{ ...REPLICA, id: 1 }] },
      { ...FILE, replicas: [{ ...REPLICA, configurationFile: undefined }] },
      ...[-1, 0, 1, 1.5, '7', null].map((pid) => ({ ...FILE, replicas: [{ ...REPLICA, pid }] })),
    ];
    for (const content of broken) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(clusterFilePath(directory), text);
      assert.throws(() => readClusterFile(directory), { name: 'CommandError' }, text);
    }
  });
});

describe('the identity of a process', () => {
  it('is its command line, not its id', () => {
    const own = commandLineOf(process.pid);
    assert.ok(own?.includes('mocha'));
    assert.equal(isReplicaProcess(REPLICA), false);
    assert.equal(isSupervisorAlive({ ...FILE, supervisor: { pid: process.pid, commandLine: own ?? '' } }), true);
    assert.equal(isSupervisorAlive({ ...FILE, supervisor: { pid: process.pid, commandLine: 'node other' } }), false);
    assert.equal(isSupervisorAlive(FILE), false);
  });

  it('is nothing where no process has the id', () => {
    assert.equal(commandLineOf(2 ** 30), undefined);
    assert.equal(isReplicaProcess({ ...REPLICA, pid: 2 ** 30 }), false);
  });
});
