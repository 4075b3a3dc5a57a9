/**
 * Tells when a replica's certificates end: in the metrics, for an alert weeks before, and in the log at each start. They
 * are loaded once, so what is told is what is in use and not what lies in the files by now.
 */
import { readExpiryMs } from '../crypto/certificate-expiry.js';
import type { Logger } from '../ports/logger.js';
import type { CertificateKind, Metrics } from '../ports/metrics.js';
import type { ReplicaFiles } from './initialize-check.js';

const DAY_MS = 86_400_000;
/** The alert begins here too. */
const SOON_DAYS = 60;

/** Sets the metrics of the certificates in use, writes a line on them, and a warning of each that ends soon. */
export function tellExpiries(
  { keys, clientTls }: Pick<ReplicaFiles, 'keys' | 'clientTls'>,
  { metrics, logger, nowMs }: { readonly metrics: Metrics; readonly logger: Logger; readonly nowMs: number },
): void {
  const texts: readonly (readonly [CertificateKind, string | undefined])[] = [
    ['peer', keys.tls.certificatePem],
    ['authority', keys.tls.authorityPem],
    ['client', clientTls?.certificatePem],
  ];
  const expires: Record<string, string> = {};
  for (const [certificate, pem] of texts) {
    if (pem !== undefined) {
      const expiryMs = readExpiryMs(pem);
      const days = Math.floor((expiryMs - nowMs) / DAY_MS);
      metrics.set('pbft_certificate_expiry_timestamp_seconds', { certificate }, expiryMs / 1_000);
      expires[certificate] = new Date(expiryMs).toISOString();
      if (days < SOON_DAYS) {
        const fields = { certificate, expires: expires[certificate], days };
        logger.warn(fields, 'a certificate ends soon: make a new one for the same key with `pbft keys renew`');
      }
    }
  }
  logger.info({ expires }, 'the certificates in use');
}
