/** When certificates end. A replica whose certificate ended is refused by its peers at the next dial. */
import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * When a certificate, or the one of a chain that ends first, ends: milliseconds since 1970. Throws where the PEM text has
 * none that can be read; what a replica has loaded has.
 */
export function readExpiryMs(pem: string): number {
  const ends = [...pem.matchAll(CERTIFICATE)].map(([text]) => Date.parse(new X509Certificate(text).validTo));
  if (ends.length === 0) {
    throw new TypeError('there is no certificate in this text');
  }
  return Math.min(...ends);
}
