import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAuthorityFile } from '../../../../src/cli/input/authority-file.js';
import { initializeCluster } from '../../../../src/replica/initialize.js';

describe("the authority's file", function () {
  this.timeout(30_000);
  let directory: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-authority-'));
    await initializeCluster({ directory: join(directory, 'cluster'), replicaCount: 1 });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const pathOf = (...parts: readonly string[]): string => join(directory, 'cluster', ...parts);

  it('is read where it holds certificates of authorities, one or more', () => {
    const bytes = readFileSync(pathOf('client-0', 'ca.crt'));
    assert.deepEqual(readAuthorityFile(pathOf('client-0', 'ca.crt')), bytes);
    const two = join(directory, 'two.crt');
    writeFileSync(two, Buffer.concat([bytes, Buffer.from('# and again\n'), bytes]));
    assert.equal(readAuthorityFile(two).length, 2 * bytes.length + 12);
  });

  it('has words of its own for whatever else it is', () => {
    const write = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const cases: readonly (readonly [string, RegExp])[] = [
      [join(directory, 'missing.crt'), /missing\.crt does not exist\nName the authority's certificate/],
      [directory, /is a folder/],
      [write('empty', ''), /holds no certificate/],
      [write('text', 'hello'), /holds no certificate/],
      [write('broken', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), /can not be read/],
      [pathOf('ca', 'ca.key'), /holds a key, not a certificate/],
      [pathOf('replica-0', 'tls.crt'), /holds the certificate of "pbft replica 0", which is no authority/],
    ];
    for (const [file, message] of cases) {
      assert.throws(() => readAuthorityFile(file), message, file);
    }
  });
});
