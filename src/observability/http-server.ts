/**
 * The HTTP endpoints of a replica: `/metrics` for Prometheus, `/livez` and `/readyz` for supervisors and load
 * balancers. Read-only, without authentication: on loopback unless the operator says otherwise (OP-08).
 *
 * 1. Header size, header and request time, idle time and the number of connections are bounded.
 * 2. Scrapes share renderings; a failing one is answered with 500 and harms nothing else.
 * 3. Nothing a caller sends is repeated in an answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import { describeListenError } from '../util/listen-error.js';
import { PortDoor } from '../util/port-door.js';
import { failed, ok, type Result } from '../util/result.js';
import { SharedRendering } from './shared-rendering.js';

/** What a scrape needs of a registry. */
export interface MetricsSource {
  readonly contentType: string;
  /** All metrics in Prometheus's text format. */
  metrics(): Promise<string>;
}

/** What is served, and where. */
export interface HttpServerOptions {
  /** An address to listen at; `127.0.0.1` by default. */
  readonly host?: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly registry: MetricsSource;
  /**
   * Why this replica can't serve callers now; empty where it can. Also asked before each rendering of the metrics, so
   * that a gauge that it sets is as of the scrape.
   */
  readonly readiness: () => readonly string[];
  /** What an operator should know of a replica that is ready; empty, or left out, for nothing. */
  readonly remarks?: () => readonly string[];
  /** Why this replica should be started again; empty where it is well. */
  readonly liveness: () => readonly string[];
  /** The most connections in all; 256 by default. */
  readonly connectionsMax?: number;
  /** The most of one address; 128 by default. */
  readonly connectionsOfAddressMax?: number;
  readonly metrics: Metrics;
  readonly timers: TimerService;
  /** Is told of scrapes that failed, and of connections that were closed for others. */
  readonly logger?: Logger;
}

/** A server that listens. */
export interface HttpServer {
  /** The port it listens at. */
  readonly port: number;
  /** Ends all connections and stops listening. */
  stop(done: () => void): void;
}

const LOOPBACK = '127.0.0.1';
const LOOPBACK_ADDRESS = /^(?:::ffff:)?127\.|^::1$/;
const PORT = { purpose: 'metrics and health', setting: 'listen.http' };
const CONNECTIONS_MAX = 256;
const CONNECTIONS_OF_ADDRESS_MAX = 128;
const CONNECTIONS_RESERVED = 2;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 15_000;
const PATHS = ['/metrics', '/livez', '/readyz'] as const;
const METHODS = 'GET, HEAD';
const TEXT = 'text/plain; charset=utf-8';

/** Listens; `done` is called once, with the server or with why it can't listen and what to do about it. */
export function startHttpServer(options: HttpServerOptions, done: (result: Result<HttpServer, Error>) => void): void {
  const { registry } = options;
  const host = options.host ?? LOOPBACK;
  const render = () => {
    options.readiness();
    return registry.metrics();
  };
  const rendering = new SharedRendering({ render, nowMs: () => performance.now() });
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => answer(request, response, options, rendering),
  );
  const door = guard(server, options);
  // A reader that doesn't read counts as idle: what waits for it is dropped.
  server.setTimeout(IDLE_TIMEOUT_MS, (socket) => socket.destroy());
  const onListenError = (error: NodeJS.ErrnoException) =>
    done(failed(describeListenError({ ...PORT, host, port: options.port }, error)));
  server.once('error', onListenError);
  server.listen(options.port, host, () => {
    server.off('error', onListenError);
    // Accepting can fail later, for want of descriptors: that connection is lost, the server stays.
    server.on('error', (error) => door.noteAcceptFailure(error));
    done(ok({ port: portOf(server), stop: (stopped) => stop(server, stopped) }));
  });
}

/** Bounds the connections: who waits for an answer keeps its place (FU-06). */
function guard(server: Server, { metrics, timers, logger, ...limits }: HttpServerOptions): PortDoor<Socket> {
  const port = 'http';
  const door = new PortDoor<Socket>({
    limits: {
      placesMax: limits.connectionsMax ?? CONNECTIONS_MAX,
      placesOfAddressMax: limits.connectionsOfAddressMax ?? CONNECTIONS_OF_ADDRESS_MAX,
      reservedForOperator: CONNECTIONS_RESERVED,
    },
    settings: { max: 'http.connectionsMax', ofAddressMax: 'http.connectionsOfAddressMax' },
    // The server's own time for headers runs from the connection on.
    silentMs: undefined,
    timers,
    isOperator: (address) => LOOPBACK_ADDRESS.test(address),
    hasSpoken: () => true,
    close: (socket) => socket.destroy(),
    onClosed: (reason) => metrics.increment('pbft_connections_closed_total', { port, reason }),
    onOpen: (count) => metrics.set('pbft_connections', { port }, count),
    onWarning: ({ text, ...fields }) => logger?.warn({ port, ...fields }, `http port: ${text}`),
  });
  server.prependListener('connection', (socket: Socket) => {
    if (door.enter(socket, socket.remoteAddress ?? '')) {
      socket.once('close', () => door.leave(socket));
    }
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    door.setStanding(socket, 'busy');
    response.once('close', () => door.setStanding(socket, 'idle'));
  });
  return door;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
  rendering: SharedRendering,
): void {
  const path = (request.url ?? '').split('?', 1)[0];
  if (hasBody(request)) {
    // Not read: the connection ends with the answer.
    response.setHeader('Connection', 'close');
    send(response, 413, TEXT, 'these endpoints take no body\n');
  } else if (!isPath(path)) {
    send(response, 404, TEXT, `not found; there are ${PATHS.join(' ')}\n`);
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', METHODS);
    send(response, 405, TEXT, `only ${METHODS}\n`);
  } else if (path === '/metrics') {
    rendering.get((result) => {
      if (result.ok) {
        send(response, 200, options.registry.contentType, result.value);
      } else {
        options.logger?.warn({ error: result.error }, 'the metrics could not be collected');
        send(response, 500, TEXT, 'the metrics could not be collected\n');
      }
    });
  } else {
    const [reasons, remarks] =
      path === '/livez' ? [options.liveness(), []] : [options.readiness(), options.remarks?.() ?? []];
    sendHealth(request, response, reasons, remarks);
  }
}

/** 200, `ok` and the remarks where there is no reason against it, else 503 and the reasons; one a line. */
function sendHealth(
  request: IncomingMessage,
  response: ServerResponse,
  reasons: readonly string[],
  remarks: readonly string[],
): void {
  const status = reasons.length === 0 ? 200 : 503;
  if (wantsJson(request)) {
    const body = { status: status === 200 ? 'ok' : 'unavailable', reasons, remarks };
    send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
  } else {
    const lines = status === 200 ? ['ok', ...remarks] : reasons;
    send(response, status, TEXT, `${lines.map((line) => line.replace(/\s+/g, ' ')).join('\n')}\n`);
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  const bytes = Buffer.from(body, 'utf8');
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  // Node leaves the body out where the method is HEAD.
  response.end(bytes);
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function isPath(path: string | undefined): path is (typeof PATHS)[number] {
  return PATHS.some((known) => known === path);
}

function wantsJson(request: IncomingMessage): boolean {
  return /\bapplication\/json\b/i.test(request.headers.accept ?? '');
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function stop(server: Server, done: () => void): void {
  server.close(() => done());
  server.closeAllConnections();
}
