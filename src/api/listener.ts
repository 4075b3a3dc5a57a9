/**
 * The client port: accepts connections and counts them, in all and by address, because the RPC library has no limit of
 * its own. A connection above a limit is closed at once and counted.
 */
import { createServer, isIPv4, type Server, type Socket } from 'node:net';
import type { Metrics } from '../ports/metrics.js';
import { describeListenError } from '../util/listen-error.js';

/** Where to listen, and how many may connect. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly connectionsMax: number;
  /** From one address. */
  readonly connectionsOfAddressMax: number;
}

/** A listening port. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #metrics: Metrics;
  readonly #onConnection: (socket: Socket) => void;
  readonly #server: Server;
  /** By the peer's address and port. */
  readonly #sockets = new Map<string, Socket>();
  readonly #countOfAddress = new Map<string, number>();

  constructor(options: ListenerOptions, metrics: Metrics, onConnection: (socket: Socket) => void) {
    this.#options = options;
    this.#metrics = metrics;
    this.#onConnection = onConnection;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Begins to listen; `done` says that it does, or why it can't. */
  listen(done: (error: Error | undefined) => void): void {
    const { host, port } = this.#options;
    const onError = (error: Error) =>
      done(describeListenError({ purpose: 'callers', host, port, setting: 'listen.client' }, error));
    this.#server.once('error', onError);
    this.#server.listen({ host, port }, () => {
      this.#server.off('error', onError);
      // Accepting fails where file descriptors run out; the port stays open and the next connection is tried.
      this.#server.on('error', () => this.#metrics.increment('pbft_throttled_total', { reason: 'accept_failed' }));
      done(undefined);
    });
  }

  /** `host:port` as bound; empty before. */
  get address(): string {
    const bound = this.#server.address();
    return bound === null || typeof bound === 'string' ? '' : formatAddress(bound.address, bound.port);
  }

  /** Accepts no more; `done` when every connection is closed. */
  close(done: () => void): void {
    // An error here says that it wasn't listening: then there is nothing to close.
    this.#server.close(() => done());
  }

  /** Closes what is still connected. */
  destroyConnections(): void {
    for (const socket of this.#sockets.values()) {
      socket.destroy();
    }
  }

  /** Closes one connection, named by its peer's `address:port`. */
  closeConnection(peer: string): void {
    this.#sockets.get(peer)?.destroy();
  }

  #accept(socket: Socket): void {
    // A reset connection is nobody's fault here; the library hears of it by the close.
    socket.on('error', () => socket.destroy());
    const address = socket.remoteAddress ?? '';
    const count = this.#countOfAddress.get(address) ?? 0;
    const { connectionsMax, connectionsOfAddressMax } = this.#options;
    if (this.#sockets.size >= connectionsMax || count >= connectionsOfAddressMax) {
      this.#metrics.increment('pbft_throttled_total', { reason: 'connections' });
      socket.destroy();
      return;
    }
    const peer = `${address}:${socket.remotePort}`;
    this.#sockets.set(peer, socket);
    this.#countOfAddress.set(address, count + 1);
    socket.once('close', () => {
      this.#sockets.delete(peer);
      const left = (this.#countOfAddress.get(address) ?? 1) - 1;
      if (left === 0) {
        this.#countOfAddress.delete(address);
      } else {
        this.#countOfAddress.set(address, left);
      }
    });
    this.#onConnection(socket);
  }
}

/** Whether nobody but this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
