/** HTTP/2 by hand against a port: what no gRPC library would send. Every call resolves, whatever the port does. */
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { gzipSync } from 'node:zlib';

/** A port, and with which TLS; none for plaintext. */
export interface RawTarget {
  readonly port: number;
  readonly tls?: { readonly keyPem: string; readonly certificatePem: string; readonly authorityPem: string };
  /** A method of the port. */
  readonly path: string;
}

/** A body and the encoding that it claims. */
export interface OddMessage {
  readonly encoding: string;
  readonly body: Uint8Array;
}

const MIB = 1_048_576;
/** A port that neither answers nor closes is left alone after this. */
const PATIENCE_MS = 10_000;

function prefixed(flag: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Compressed and oddly framed gRPC messages, a bomb of 256 MiB among them. */
export function oddMessages(): readonly OddMessage[] {
  const nonsense = Buffer.from('nonsense');
  return [
    { encoding: 'gzip', body: prefixed(1, gzipSync(new Uint8Array(256 * MIB))) },
    { encoding: 'gzip', body: prefixed(1, Buffer.from('not gzip at all')) },
    { encoding: 'identity', body: prefixed(1, nonsense) },
    { encoding: 'snappy', body: prefixed(1, nonsense) },
    { encoding: 'identity', body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]) },
    { encoding: 'identity', body: Buffer.from([7]) },
  ];
}

/** Opens a session; its errors are nobody's, nor are those of its socket once the session is gone. */
function openSession({ port, tls }: RawTarget): ClientHttp2Session {
  const createConnection = (): Socket => {
    const socket =
      tls === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({
            host: '127.0.0.1',
            port,
            ALPNProtocols: ['h2'],
            key: tls.keyPem,
            cert: tls.certificatePem,
            ca: tls.authorityPem,
            checkServerIdentity: () => undefined,
          });
    return socket.on('error', () => undefined);
  };
  const session = connectHttp2(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, { createConnection });
  session.on('error', () => undefined);
  return session;
}

function openRequest(session: ClientHttp2Session, path: string, encoding: string) {
  const request = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    'grpc-encoding': encoding,
    te: 'trailers',
  });
  return request.on('error', () => undefined).resume();
}

/** Sends one message on a connection of its own and waits until the port has ended the call or the connection. */
export async function sendOdd(target: RawTarget, { encoding, body }: OddMessage): Promise<void> {
  const session = openSession(target);
  const request = openRequest(session, target.path, encoding);
  request.end(body);
  // Not `once` of node:events, which rejects where an error comes first.
  const closed = new Promise<void>((resolve) => request.once('close', () => resolve()));
  await Promise.race([closed, delay(PATIENCE_MS, undefined, { ref: false })]);
  session.destroy();
}

/** Says something on a plain TCP connection and waits until the port closes it. */
export async function sendPlain(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  const closed = new Promise<void>((resolve) => {
    socket
      .resume()
      .on('error', () => undefined)
      .once('close', resolve);
  });
  await Promise.race([closed, delay(PATIENCE_MS, undefined, { ref: false })]);
  socket.destroy();
}

/** Opens streams and resets each at once, over as many connections as it takes; resolves with how many were opened. */
export async function resetRapidly(target: RawTarget, count: number): Promise<{ streams: number; sessions: number }> {
  let [streams, sessions] = [0, 0];
  while (streams < count) {
    const session = openSession(target);
    sessions++;
    while (streams < count && !session.closed && !session.destroyed) {
      for (let burst = 0; burst < 100 && !session.destroyed && !session.closed; burst++) {
        openRequest(session, target.path, 'identity').close(constants.NGHTTP2_CANCEL);
        streams++;
      }
      await delay(1);
    }
    session.destroy();
  }
  return { streams, sessions };
}
