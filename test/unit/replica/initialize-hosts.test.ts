import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initializeCluster } from '../../../src/replica/initialize.js';
import { loadReplicaFiles } from '../../../src/replica/initialize-check.js';
import { planCluster } from '../../../src/replica/initialize-plan.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'pbft-initialize-hosts-'));
});
afterEach(() => rmSync(base, { recursive: true }));

describe('the hosts of a new cluster', () => {
  it('stand at each replica in its addresses, its certificate and the addresses of its peers', async () => {
    const hosts = ['apple.example', '10.0.0.2', 'fd00::3', undefined];
    const { replicas } = await initializeCluster({ directory: join(base, 'cluster'), host: 'other.example', hosts });
    const loaded = replicas.map(({ configurationFile }) => loadReplicaFiles({ file: configurationFile }));
    const expected = ['apple.example', '10.0.0.2', 'fd00::3', 'other.example'];
    for (const [id, { configuration, clientTls }] of loaded.entries()) {
      assert.equal(configuration.listen.client.host, expected[id]);
      assert.equal(configuration.listen.peer.host, expected[id]);
      assert.equal(configuration.listen.http.host, '127.0.0.1');
      assert.deepEqual(
        Object.values(configuration.peers).map(({ host }) => host),
        expected,
      );
      assert.ok(clientTls);
      const certificate = new X509Certificate(clientTls.certificatePem);
      const names = expected.map((host) =>
        isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host),
      );
      assert.deepEqual(
        names.map((name) => name !== undefined),
        expected.map((_host, other) => other === id),
      );
    }
  });

  it('are loopback where nothing is said, also in brackets', () => {
    const plan = planCluster({ directory: base, hosts: ['[::1]', undefined, undefined, undefined] });
    assert.deepEqual(
      plan.replicas.map(({ listen }) => listen.client.host),
      ['::1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
    );
  });

  it('are one for each replica', () => {
    assert.throws(() => planCluster({ directory: base, hosts: ['a', 'b'] }), /2 hosts for 4 replicas/);
    assert.throws(() => planCluster({ directory: base, hosts: ['a', 'b', 'c', '::'] }), /`::` is no host/);
  });
});

describe('a folder in which no cluster can be made', () => {
  const refusalOf = async (directory: string): Promise<string> => {
    try {
      await initializeCluster({ directory, replicaCount: 1 });
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error));
      return error.message;
    }
    return assert.fail('it was made');
  };

  it('is refused at once, and in words', async () => {
    writeFileSync(join(base, 'file'), '');
    symlinkSync(join(base, 'nowhere', 'else'), join(base, 'dangling'));
    symlinkSync(join(base, 'circle'), join(base, 'circle'));
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /is empty/],
      [join(base, 'file'), /is a file and no folder|has this name/],
      [join(base, 'file', 'x', 'y'), /a part of this path is a file and no folder \(ENOTDIR\)/],
      ['/dev/null/x', /a part of this path is a file/],
      [join(base, 'dangling'), /has this name|no folder/],
      [join(base, 'dangling', 'x'), /no folder can be made there \(ENOENT\)/],
      [join(base, 'circle', 'x'), /links on this path lead in a circle \(ELOOP\)/],
      [join(base, 'x'.repeat(300)), /path is too long/],
    ];
    for (const [directory, message] of cases) {
      assert.match(await refusalOf(directory), message, directory);
    }
    assert.deepEqual(readdirSync(base).sort(), ['circle', 'dangling', 'file']);
  });

  it('is refused where the file system makes no folders', async function () {
    if (!existsSync('/proc/self')) {
      this.skip();
    }
    assert.match(await refusalOf('/proc/pbft/x/y'), /can not be written/);
    assert.match(await refusalOf('/proc/self/fd/x'), /can not be written/);
  });

  it('leaves none of the folders above it behind', async () => {
    mkdirSync(join(base, 'there'));
    await refusalOf(join(base, 'there', 'new', 'x'.repeat(300), 'y'));
    assert.deepEqual(readdirSync(join(base, 'there')), []);
  });
});
