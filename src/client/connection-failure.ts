/**
 * Why no connection came about, in words and as a reason: the RPC library's own words name neither what is wrong nor
 * what to do. Nothing of a call has left this machine in any of these cases.
 */

/** A replica that could not be reached. */
export interface Unreached {
  readonly address: string;
  /** Absent for plaintext. */
  readonly tls?: { readonly serverName?: string } | undefined;
}

/** What is said of it. */
export interface ConnectionFailure {
  readonly reason: ConnectionReason;
  readonly message: string;
}

/** Reasons of a connection that never was; part of the interface. */
export type ConnectionReason =
  /** Nobody listens, the name doesn't resolve, or the network doesn't get there. */
  | 'CONNECTION'
  /** TLS was spoken to a port that doesn't speak it. */
  | 'NOT_TLS'
  /** Plaintext was spoken to a port that hung up, as one that speaks TLS does. */
  | 'NOT_PLAINTEXT'
  /** The certificate is of no authority that is trusted. */
  | 'CERTIFICATE_UNTRUSTED'
  /** The certificate is not valid now. */
  | 'CERTIFICATE_EXPIRED'
  /** The certificate names others than the one that was asked. */
  | 'CERTIFICATE_NAME'
  /** It is a port for others than callers. */
  | 'NOT_FOR_CALLERS';

/** The library's words around a cause. */
function causeOf(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? Resolution note:.*$/s, '')
    .replace(/\s*\(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/, '')
    .trim();
}

/** Judges the library's words about a connection that failed. Total. */
export function judgeConnection(details: string, { address, tls }: Unreached): ConnectionFailure {
  const cause = causeOf(details);
  return (
    (tls === undefined ? judgePlaintext(cause, address) : judgeTls(cause, address, tls)) ?? unreached(cause, address)
  );
}

function unreached(cause: string, address: string): ConnectionFailure {
  // OpenSSL's own line: the reason stands behind the function's name.
  const alert = /:SSL routines:[^:]*:([^:\n]+)/.exec(cause)?.[1];
  const message =
    alert === undefined
      ? `nobody answers at ${address}: ${cause.replace(` ${address}`, '').replaceAll('\n', ' ')}`
      : `no TLS connection to ${address} came about: ${alert}`;
  return { reason: 'CONNECTION', message };
}

function judgePlaintext(cause: string, address: string): ConnectionFailure | undefined {
  if (/^Protocol error|^Session closed with error|HPE_|^Parse Error/.test(cause)) {
    return {
      reason: 'NOT_FOR_CALLERS',
      message: `what answers at ${address} does not speak gRPC: it is not a replica's port for callers`,
    };
  }
  if (/^Failed to connect|^Connection closed before|^Socket closed|ECONNRESET|EPIPE/.test(cause)) {
    const message = `${address} hung up on a connection without TLS: it may want TLS, be a port for replicas, or be full`;
    return { reason: 'NOT_PLAINTEXT', message };
  }
  return undefined;
}

function judgeTls(
  cause: string,
  address: string,
  tls: { readonly serverName?: string },
): ConnectionFailure | undefined {
  if (/wrong version number|packet length too long|unknown protocol|http request/.test(cause)) {
    return { reason: 'NOT_TLS', message: `${address} does not speak TLS: it serves plaintext` };
  }
  if (/unable to (?:verify|get)|self[- ]signed certificate|certificate signature failure|invalid CA/.test(cause)) {
    const message = `the certificate of ${address} is from no authority that is trusted here: another cluster's, or another's than was named`;
    return { reason: 'CERTIFICATE_UNTRUSTED', message };
  }
  if (/certificate has expired|certificate is not yet valid/.test(cause)) {
    return {
      reason: 'CERTIFICATE_EXPIRED',
      message: `${address}: its ${/certificate .*/.exec(cause)?.[0] ?? ''} (by this machine's clock)`,
    };
  }
  if (cause.includes('ERR_TLS_CERT_ALTNAME_INVALID') || cause.includes("does not match certificate's altnames")) {
    const names = /altnames: (.*)$/s.exec(cause.slice(cause.lastIndexOf('altnames:')))?.[1];
    const wanted = tls.serverName === undefined ? `the host of ${address}` : `"${tls.serverName}"`;
    return {
      reason: 'CERTIFICATE_NAME',
      message: `the certificate of ${address} does not name ${wanted}, but ${names ?? 'others'}`,
    };
  }
  if (/alert certificate required|alert bad certificate|alert handshake failure/.test(cause)) {
    const message = `${address} wants a certificate of who connects: it is a port for replicas, not for callers`;
    return { reason: 'NOT_FOR_CALLERS', message };
  }
  if (/disconnected before secure TLS|ECONNRESET|^Socket closed|^Failed to connect/.test(cause)) {
    return { reason: 'CONNECTION', message: `${address} hung up before TLS was set up` };
  }
  return undefined;
}
