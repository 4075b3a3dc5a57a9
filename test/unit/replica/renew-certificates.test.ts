/** Renewing certificates: which keys, names, modes and ends they have, and what is refused with nothing written. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initializeCluster } from '../../../src/replica/initialize.js';
import { loadReplicaFiles } from '../../../src/replica/initialize-check.js';
import { type RenewOptions, renewCertificates } from '../../../src/replica/renew-certificates.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';

const YEAR_MS = 365 * 86_400_000;
const MADE_MS = Date.parse('2026-01-01T00:00:00Z');
/** Of ten years nine are over. */
const LATE_MS = MADE_MS + 9 * YEAR_MS;

describe('renewing certificates', () => {
  let base: string;
  let made: string;
  let other: string;
  let directory: string;

  before(async function () {
    this.timeout(60_000);
    base = mkdtempSync(join(tmpdir(), 'pbft-renew-'));
    [made, other] = [join(base, 'made'), join(base, 'other')];
    await initializeCluster({ directory: made, host: 'replicas.example.org', nowMs: MADE_MS });
    await initializeCluster({ directory: other, replicaCount: 1, nowMs: MADE_MS });
  });
  beforeEach(() => {
    directory = mkdtempSync(join(base, 'copy-'));
    cpSync(made, directory, { recursive: true });
  });
  after(() => rmSync(base, { recursive: true }));

  const pathOf = (name: string): string => join(directory, name);
  const certificateOf = (name: string) => new X509Certificate(readFileSync(pathOf(name)));
  const spkiOf = ({ publicKey }: X509Certificate): string =>
    publicKey.export({ type: 'spki', format: 'pem' }).toString();

  /** All files with their content. */
  function contents(): ReadonlyMap<string, string> {
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(pathOf(name)).isFile(),
    );
    return new Map(names.map((name) => [name, readFileSync(pathOf(name), 'latin1')]));
  }

  /** What is refused, and that nothing was written. */
  function refusalOf(options: Partial<RenewOptions> = {}): ConfigurationError {
    const before = contents();
    let refusal: ConfigurationError | undefined;
    try {
      renewCertificates({ directory, nowMs: LATE_MS, ...options });
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error));
      refusal = error;
    }
    assert.deepEqual(contents(), before, 'nothing is written');
    assert.ok(refusal !== undefined && refusal.remedy !== '');
    return refusal;
  }

  it('gives a replica ten more years, with the key that the genesis pins, its names, and the mode of the file', () => {
    const before = certificateOf('replica-2/tls.crt');
    const others = contents();
    chmodSync(pathOf('replica-2/tls.crt'), 0o640);
    const [renewed, ...more] = renewCertificates({ directory, replica: 2, nowMs: LATE_MS });
    const after = certificateOf('replica-2/tls.crt');
    assert.deepEqual(more, []);
    assert.deepEqual(renewed?.replica, { id: 2, name: 'replica-2' });
    assert.equal(renewed?.oldExpiryMs, MADE_MS + 10 * YEAR_MS);
    assert.equal(renewed?.expiryMs, LATE_MS + 10 * YEAR_MS);
    assert.equal(Date.parse(after.validTo), LATE_MS + 10 * YEAR_MS);
    assert.equal(spkiOf(after), spkiOf(before));
    assert.equal(after.subjectAltName, before.subjectAltName);
    assert.match(after.subjectAltName ?? '', /DNS:replicas\.example\.org/);
    assert.notEqual(after.serialNumber, before.serialNumber);
    assert.equal(statSync(pathOf('replica-2/tls.crt')).mode & 0o777, 0o640);
    const changed = [...contents()].filter(([name, content]) => others.get(name) !== content).map(([name]) => name);
    assert.deepEqual(changed, ['replica-2/tls.crt']);
  });

  it('is what a replica starts from, also when the old certificate had ended', () => {
    const endedMs = MADE_MS + 11 * YEAR_MS;
    const file = pathOf('replica-0/config.yaml');
    assert.throws(() => loadReplicaFiles({ file }, endedMs), ConfigurationError);
    assert.equal(renewCertificates({ directory, nowMs: endedMs }).length, 4);
    for (let replica = 0; replica < 4; replica++) {
      loadReplicaFiles({ file: pathOf(`replica-${replica}/config.yaml`) }, endedMs);
    }
  });

  it('needs neither private keys nor configuration of a replica, which are on its own machine', () => {
    for (const name of ['tls.key', 'signing.key', 'config.yaml', 'ca.crt']) {
      rmSync(pathOf(`replica-1/${name}`));
    }
    renewCertificates({ directory, replica: 1, nowMs: LATE_MS });
    assert.equal(Date.parse(certificateOf('replica-1/tls.crt').validTo), LATE_MS + 10 * YEAR_MS);
  });

  it('replaces the file that a link points to, not the link', () => {
    cpSync(pathOf('replica-3/tls.crt'), pathOf('elsewhere.crt'));
    rmSync(pathOf('replica-3/tls.crt'));
    symlinkSync(pathOf('elsewhere.crt'), pathOf('replica-3/tls.crt'));
    renewCertificates({ directory, replica: 3, nowMs: LATE_MS });
    assert.equal(Date.parse(certificateOf('elsewhere.crt').validTo), LATE_MS + 10 * YEAR_MS);
  });

  it('gives the authority twenty more years under its key; what it has signed stays valid, and so does each order of restarts', () => {
    const old = certificateOf('ca/ca.crt');
    const renewed = renewCertificates({ directory, authority: true, nowMs: LATE_MS });
    const now = certificateOf('ca/ca.crt');
    assert.equal(spkiOf(now), spkiOf(old));
    assert.equal(Date.parse(now.validTo), LATE_MS + 20 * YEAR_MS);
    assert.deepEqual(renewed.map(({ replica }) => replica?.id).sort(), [0, 1, 2, 3, undefined, undefined]);
    for (const name of ['client-0/ca.crt', 'replica-0/ca.crt', 'replica-3/ca.crt']) {
      assert.equal(certificateOf(name).fingerprint256, now.fingerprint256, name);
    }
    assert.ok(certificateOf('replica-0/tls.crt').verify(now.publicKey));
    loadReplicaFiles({ file: pathOf('replica-0/config.yaml') }, LATE_MS);
  });

  it("is refused without the authority's key, with another's, and with one that others can read", () => {
    cpSync(join(other, 'ca', 'ca.key'), pathOf('ca/ca.key'));
    assert.match(refusalOf().message, /the key does not belong to .*ca\.crt/);
    cpSync(join(made, 'ca', 'ca.key'), pathOf('ca/ca.key'));
    chmodSync(pathOf('ca/ca.key'), 0o644);
    assert.match(refusalOf().message, /open to others/);
    rmSync(pathOf('ca/ca.key'));
    const { message, remedy } = refusalOf();
    assert.match(message, /authority is not here/);
    assert.match(remedy, /Run this where the folder `ca` is kept/);
  });

  it('is refused for a certificate of another key, replica, cluster or authority, and writes none of the others then', () => {
    cpSync(pathOf('replica-1/tls.crt'), pathOf('replica-2/tls.crt'));
    assert.match(refusalOf().message, /the genesis pins/);
    cpSync(join(other, 'replica-0', 'tls.crt'), pathOf('replica-2/tls.crt'));
    assert.match(refusalOf().message, /the genesis pins/);
    cpSync(join(made, 'replica-2', 'tls.crt'), pathOf('replica-2/tls.crt'));
    cpSync(join(other, 'ca'), pathOf('ca'), { recursive: true });
    assert.match(refusalOf().message, /was not signed by/);
    assert.match(refusalOf({ authority: true }).message, /another authority/);
    cpSync(join(made, 'ca'), pathOf('ca'), { recursive: true });
    rmSync(pathOf('replica-2/tls.crt'));
    assert.match(refusalOf().message, /missing/);
  });

  it('is refused by an authority whose own certificate has ended, and says what comes first', () => {
    const lateMs = MADE_MS + 21 * YEAR_MS;
    assert.match(refusalOf({ nowMs: lateMs }).remedy, /keys renew --authority/);
    renewCertificates({ directory, authority: true, nowMs: lateMs });
    renewCertificates({ directory, nowMs: lateMs });
    loadReplicaFiles({ file: pathOf('replica-0/config.yaml') }, lateMs);
    assert.match(refusalOf({ replica: 4 }).message, /there is no replica 4/);
  });
});
