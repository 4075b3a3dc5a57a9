/**
 * The client port: accepts connections, ends TLS, and decides who keeps a place (util/connection-places.ts), because
 * the RPC library has no limit of its own and shows nothing of a connection before its first call.
 */
import { createServer, isIPv4, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import type { PlaceLimits, Standing } from '../util/connection-places.js';
import { describeListenError } from '../util/listen-error.js';
import { PortDoor } from '../util/port-door.js';

/** Where to listen, and how many may connect. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly places: PlaceLimits;
  /** How long a connection may say nothing after it was made, TLS included. */
  readonly silentMs: number;
  /** Both in PEM; undefined for plaintext. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** Addresses of the operator beside loopback. */
  readonly operatorAddresses: readonly string[];
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly timers: TimerService;
  /** Takes over a connection whose TLS, if any, is done. */
  readonly onConnection: (socket: Socket) => void;
}

/** HTTP/2 begins with so many bytes. */
const PREFACE_BYTES = 24;
const SETTINGS = { max: 'clients.connectionsMax', ofAddressMax: 'clients.connectionsOfAddressMax' };

/** A connection as the system has it, and what TLS made of it. */
interface Connection {
  readonly socket: Socket;
  secured: TLSSocket | undefined;
}

/** A listening port. */
export class Listener {
  private readonly options: ListenerOptions;
  private readonly server: Server;
  private readonly tls: TlsServer | undefined;
  private readonly door: PortDoor<Connection>;
  /** By the peer's address and port. */
  private readonly connections = new Map<string, Connection>();

  /** Throws where the certificate or key can't be used. */
  constructor(options: ListenerOptions) {
    this.options = options;
    this.tls = options.tls === undefined ? undefined : this.createTls(options.tls);
    this.door = this.createDoor();
    this.server = createServer({ noDelay: true }, (socket) => this.accept(socket));
  }

  /** Begins to listen; `done` says that it does, or why it can't. */
  listen(done: (error: Error | undefined) => void): void {
    const { host, port } = this.options;
    const onError = (error: Error) =>
      done(describeListenError({ purpose: 'callers', host, port, setting: 'listen.client' }, error));
    this.server.once('error', onError);
    this.server.listen({ host, port }, () => {
      this.server.off('error', onError);
      // Accepting fails where file descriptors run out; the port stays open and the next connection is tried.
      this.server.on('error', (error) => this.door.noteAcceptFailure(error));
      done(undefined);
    });
  }

  /** `host:port` as bound; empty before. */
  get address(): string {
    const bound = this.server.address();
    return bound === null || typeof bound === 'string' ? '' : formatAddress(bound.address, bound.port);
  }

  /** Accepts no more; `done` when every connection is closed. */
  close(done: () => void): void {
    // An error here says that it wasn't listening: then there is nothing to close.
    this.server.close(() => done());
  }

  /** Closes what is still connected. */
  destroyConnections(): void {
    for (const connection of this.connections.values()) {
      this.destroy(connection);
    }
  }

  /** Closes one connection, named by its peer's `address:port`. */
  closeConnection(peer: string): void {
    const connection = this.connections.get(peer);
    if (connection !== undefined) {
      this.destroy(connection);
    }
  }

  /** Notes what the calls of a connection do, named by its peer's `address:port`. */
  setStanding(peer: string, standing: Standing): void {
    const connection = this.connections.get(peer);
    if (connection !== undefined) {
      this.door.setStanding(connection, standing);
    }
  }

  private createDoor(): PortDoor<Connection> {
    const { places, silentMs, timers, metrics, logger, operatorAddresses } = this.options;
    const port = 'client';
    return new PortDoor<Connection>({
      limits: places,
      settings: SETTINGS,
      silentMs,
      timers,
      isOperator: (address) => isLoopback(plainAddress(address)) || operatorAddresses.includes(plainAddress(address)),
      hasSpoken: ({ socket, secured }) =>
        (this.tls === undefined ? socket : secured) !== undefined && (secured ?? socket).bytesRead >= PREFACE_BYTES,
      close: (connection) => this.end(connection),
      onClosed: (reason) => metrics.increment('pbft_connections_closed_total', { port, reason }),
      onOpen: (count) => metrics.set('pbft_connections', { port }, count),
      onWarning: ({ text, ...fields }) =>
        logger[fields.reason === 'silent' ? 'info' : 'warn']({ port, ...fields }, `client port: ${text}`),
    });
  }

  /**
   * Closes one from outside of its own callbacks. One without finished TLS goes at once: a burst of connections that give
   * way must not hold descriptors until the end of the turn.
   */
  private end(connection: Connection): void {
    if (connection.secured === undefined) {
      connection.socket.destroy();
    } else {
      this.destroy(connection);
    }
  }

  /** In the next turn, TLS first: both at once from within a callback of TLS crash Node 20. */
  private destroy({ socket, secured }: Connection): void {
    this.options.timers.defer(() => {
      secured?.destroy();
      socket.destroy();
    });
  }

  private accept(socket: Socket): void {
    // A reset connection is nobody's fault here; the library hears of it by the close.
    socket.on('error', () => socket.destroy());
    const address = socket.remoteAddress ?? '';
    const connection: Connection = { socket, secured: undefined };
    if (!this.door.enter(connection, address)) {
      return;
    }
    const peer = `${address}:${socket.remotePort}`;
    this.connections.set(peer, connection);
    socket.once('close', () => {
      this.door.leave(connection);
      if (this.connections.get(peer) === connection) {
        this.connections.delete(peer);
      }
    });
    if (this.tls === undefined) {
      this.options.onConnection(socket);
    } else {
      this.tls.emit('connection', socket);
    }
  }

  /** A server that doesn't listen: it gets its connections from this port. */
  private createTls(tls: { readonly cert: Buffer; readonly key: Buffer }): TlsServer {
    const server = createTlsServer({ ...tls, ALPNProtocols: ['h2'], handshakeTimeout: 2 * this.options.silentMs });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => socket.destroy());
      const connection = this.connections.get(`${socket.remoteAddress}:${socket.remotePort}`);
      if (connection === undefined) {
        socket.destroy();
        return;
      }
      connection.secured = socket;
      this.options.onConnection(socket);
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}

/** Whether nobody but this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** An IPv4 address that came over IPv6 as what it is. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
