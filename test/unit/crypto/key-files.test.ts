/** Reading key files: who else could have touched them, and errors that name the file (MK-02, MK-06). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthorityCertificate } from '../../../src/crypto/certificates.js';
import { sha256 } from '../../../src/crypto/hash.js';
import { loadCertificate, loadPrivateKey, loadTlsPair } from '../../../src/crypto/key-files.js';
import { computeKeyPin, generatePrivateKey, privatePem, publicBase64 } from '../../../src/crypto/keys.js';
import { utf8 } from '../../../src/util/bytes.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';
import { skip } from '../../support/skip.js';

describe('key files', () => {
  let directory: string;
  let key: KeyObject;
  let certificate: string;

  before(async () => {
    key = await generatePrivateKey();
    certificate = makeAuthorityCertificate({
      clusterId: sha256(utf8('cluster')),
      authorityKey: key,
      nowMs: Date.UTC(2026, 0, 1),
    });
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-key-files-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function write(name: string, text: string, mode: number): string {
    const file = join(directory, name);
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }

  function assertRefused(load: () => unknown, file: string, message: RegExp, remedy: RegExp): void {
    assert.throws(load, (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.equal(error.file, file);
      assert.match(error.message, message);
      assert.match(error.remedy, remedy);
      return true;
    });
  }

  it('give the private key where only its owner can touch them', () => {
    for (const mode of [0o600, 0o400]) {
      const file = write(`key-${mode}`, privatePem(key), mode);
      assert.equal(computeKeyPin(loadPrivateKey(file)), computeKeyPin(key));
    }
  });

  it('MK-06 of private keys are refused when group or others may do anything, with the command that puts it right', () => {
    for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777]) {
      const file = write(`key-${mode}`, privatePem(key), mode);
      assertRefused(() => loadPrivateKey(file), file, /open to others \(mode 0/, new RegExp(`chmod 600 ${file}`));
    }
  });

  it('MK-06 of private keys are refused when they are a symbolic link', () => {
    const target = write('target', privatePem(key), 0o600);
    const link = join(directory, 'link');
    symlinkSync(target, link);
    assertRefused(() => loadPrivateKey(link), link, /symbolic link/, /keyFilePolicy: mounted/);
    assert.equal(computeKeyPin(loadPrivateKey(link, 'mounted')), computeKeyPin(key));
  });

  it('MK-06 of private keys that an orchestrator mounts may be read by the group, and by nobody else', () => {
    const group = write('group', privatePem(key), 0o440);
    assertRefused(() => loadPrivateKey(group), group, /mode 0440/, /chmod/);
    assert.equal(computeKeyPin(loadPrivateKey(group, 'mounted')), computeKeyPin(key));
    for (const mode of [0o444, 0o460, 0o450]) {
      const file = write(`key-${mode}`, privatePem(key), mode);
      assertRefused(() => loadPrivateKey(file, 'mounted'), file, /open to others/, /chmod/);
    }
  });

  it('MK-06 of private keys are refused when they belong to another user', function () {
    if (process.getuid?.() !== 0) {
      skip(this, 'only root can give a file to another user');
    }
    const file = write('key', privatePem(key), 0o600);
    chownSync(file, 12_345, 12_345);
    for (const policy of ['strict', 'mounted'] as const) {
      assertRefused(() => loadPrivateKey(file, policy), file, /belongs to user 12345/, /chown 0 /);
    }
  });

  it('that are missing, folders, pipes or huge are refused by name', () => {
    const missing = join(directory, 'missing');
    assertRefused(() => loadPrivateKey(missing), missing, /missing/, /pbft init/);
    const folder = join(directory, 'folder');
    mkdirSync(folder);
    assertRefused(() => loadPrivateKey(folder), folder, /not a regular file/, /path/);
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    assertRefused(() => loadPrivateKey(pipe), pipe, /not a regular file/, /path/);
    const huge = write('huge', 'x'.repeat(70_000), 0o600);
    assertRefused(() => loadPrivateKey(huge), huge, /70000 bytes/, /path/);
  });

  it('MK-02 of the wrong kind are refused with the name of the file and a remedy', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cases: readonly [string, RegExp, RegExp][] = [
      [publicBase64(key), /something else/, /PKCS #8/],
      [certificate, /this is a certificate/, /PKCS #8/],
      [privatePem(ec.privateKey), /type ec/, /openssl genpkey/],
      [privatePem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /1024 bits/, /openssl genpkey/],
    ];
    for (const [text, message, remedy] of cases) {
      const file = write('private', text, 0o600);
      assertRefused(() => loadPrivateKey(file), file, message, remedy);
    }
    const noCertificate = write('certificate', privatePem(key), 0o600);
    assertRefused(() => loadCertificate(noCertificate), noCertificate, /no certificate/, /not its key/);
  });

  it('MK-06 never show a key in an error', () => {
    const file = write('key', privatePem(key).replaceAll('A', 'B'), 0o600);
    assert.throws(
      () => loadPrivateKey(file),
      (error) => {
        const line = privatePem(key).replaceAll('A', 'B').split('\n')[3] ?? 'x';
        return error instanceof ConfigurationError && !`${error.stack}${JSON.stringify(error)}`.includes(line);
      },
    );
  });

  it('of the client port may hold a key of any type, and must belong together', async () => {
    const certificateFile = write('tls.crt', certificate, 0o644);
    const keyFile = write('tls.key', privatePem(key), 0o600);
    const pair = loadTlsPair({ keyFile, certificateFile, policy: 'strict' });
    assert.deepEqual(pair, { keyPem: privatePem(key), certificatePem: certificate });
    const other = write('other.key', privatePem(generateKeyPairSync('ed25519').privateKey), 0o600);
    const files = { keyFile: other, certificateFile, policy: 'strict' } as const;
    assertRefused(() => loadTlsPair(files), other, /does not belong/, /pair/);
    const open = write('open.key', privatePem(key), 0o644);
    assertRefused(() => loadTlsPair({ ...files, keyFile: open }), open, /open to others/, /chmod/);
    const none = write('none.key', 'nothing', 0o600);
    assertRefused(() => loadTlsPair({ ...files, keyFile: none }), none, /no unencrypted private key/, /key/);
  });
});
