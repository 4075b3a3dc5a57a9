import assert from 'node:assert/strict';
import { makeAuthorityCertificate, makeReplicaCertificate } from '../../../src/crypto/certificates.js';
import { generatePrivateKey } from '../../../src/crypto/keys.js';
import type { Logger } from '../../../src/ports/logger.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { tellExpiries } from '../../../src/replica/certificate-watch.js';
import type { Digest } from '../../../src/util/digest.js';
import { FakeMetrics } from '../runtime/fakes.js';

const CLUSTER = 'ab'.repeat(32) as Digest;
const DAY_MS = 86_400_000;
const MADE_MS = Date.parse('2026-01-01T00:00:00Z');
const TEN_YEARS_MS = 3_650 * DAY_MS;

describe('what is told of certificates', () => {
  let authorityPem: string;
  let peerPem: string;
  before(async function () {
    this.timeout(30_000);
    const authorityKey = await generatePrivateKey();
    const made = { clusterId: CLUSTER, authorityKey, nowMs: MADE_MS };
    authorityPem = makeAuthorityCertificate(made);
    peerPem = makeReplicaCertificate({ ...made, replica: replicaId(1), tlsKey: await generatePrivateKey() });
  });

  function tellAt(nowMs: number, clientPem?: string) {
    const metrics = new FakeMetrics();
    const lines: string[] = [];
    const at = (level: string) => (fields: object) => void lines.push(`${level} ${JSON.stringify(fields)}`);
    const logger: Logger = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
    const tls = { keyPem: '', certificatePem: peerPem, authorityPem };
    const keys = { signingKey: {} as never, signingKeyPin: CLUSTER, tls };
    const clientTls = clientPem === undefined ? undefined : { keyPem: '', certificatePem: clientPem };
    tellExpiries({ keys, clientTls }, { metrics, logger, nowMs });
    return { gauges: Object.fromEntries(metrics.gauges), lines };
  }

  it('is when each in use ends, in the metrics and in one line of the log', () => {
    const { gauges, lines } = tellAt(MADE_MS);
    assert.deepEqual(gauges, {
      'pbft_certificate_expiry_timestamp_seconds peer': (MADE_MS + TEN_YEARS_MS) / 1_000,
      'pbft_certificate_expiry_timestamp_seconds authority': (MADE_MS + 2 * TEN_YEARS_MS) / 1_000,
    });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^info .*"peer":"2035-12-30T00:00:00.000Z"/);
  });

  it('is, of a chain, when the one ends that ends first', () => {
    const { gauges } = tellAt(MADE_MS, `${authorityPem}${peerPem}`);
    const first = gauges['pbft_certificate_expiry_timestamp_seconds peer'];
    assert.equal(gauges['pbft_certificate_expiry_timestamp_seconds client'], first);
  });

  it('becomes a warning 60 days before the end, with what to do', () => {
    const early = tellAt(MADE_MS + TEN_YEARS_MS - 61 * DAY_MS).lines;
    const late = tellAt(MADE_MS + TEN_YEARS_MS - 59 * DAY_MS).lines;
    assert.equal(early.filter((line) => line.startsWith('warn')).length, 0);
    assert.deepEqual(
      late.map((line) => line.split(' ')[0]),
      ['warn', 'info'],
    );
    assert.match(late[0] ?? '', /"certificate":"peer".*"days":59/);
  });
});
