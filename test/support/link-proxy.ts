/**
 * A TCP proxy on one link between two replicas, whose two directions can each be cut, delayed and throttled.
 *
 * 1. Bytes are never lost, added or reordered within a connection, as TCP promises: a direction that is cut holds what
 *    was sent, and its sender soon can't send any more; when it is open again, it goes on where it stopped.
 * 2. That a connection ended travels with its direction, behind its bytes: over one that is cut nobody learns of it.
 * 3. What is held of a connection is bounded.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How one direction of a link is. */
export interface DirectionCondition {
  /** Nothing passes. */
  readonly isCut?: boolean;
  /** From when a byte comes in to when it goes on; 0 by default. */
  readonly delayMs?: number;
  /** No limit by default. */
  readonly bytesPerSecond?: number;
}

const OPEN: DirectionCondition = {};
/** Held of one direction of one connection before its sender is made to wait. */
const HELD_BYTES_MAX = 1024 * 1024;

/** One direction of a link, for all its connections. */
export class LinkDirection {
  readonly pipes = new Set<Pipe>();
  /** The bytes that came out of it. */
  passedBytes = 0;
  #condition = OPEN;

  get condition(): DirectionCondition {
    return this.#condition;
  }

  /** Makes it so from now on, for what is on the way too. */
  set(condition: DirectionCondition): void {
    this.#condition = condition;
    for (const pipe of this.pipes) {
      pipe.pump();
    }
  }

  /** Opens it again. */
  restore(): void {
    this.set(OPEN);
  }
}

/** What one connection sends in one direction. */
class Pipe {
  readonly #direction: LinkDirection;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #held: { readonly bytes: Buffer; readonly arrivedMs: number }[] = [];
  #heldBytes = 0;
  /** When the bandwidth allows the next bytes. */
  #freeAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #isSinkFull = false;

  constructor(direction: LinkDirection, source: Socket, sink: Socket) {
    this.#direction = direction;
    this.#source = source;
    this.#sink = sink;
    direction.pipes.add(this);
    source.on('data', (bytes: Buffer) => {
      this.#held.push({ bytes, arrivedMs: performance.now() });
      this.#heldBytes += bytes.length;
      this.pump();
    });
    source.once('close', () => {
      this.#hasEnded = true;
      this.pump();
    });
    sink.on('drain', () => {
      this.#isSinkFull = false;
      this.pump();
    });
    sink.once('close', () => this.#end());
  }

  /** Passes on what may pass now. */
  pump(): void {
    clearTimeout(this.#timer);
    const { isCut = false, delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#direction.condition;
    for (let [next] = this.#held; next !== undefined && !isCut && !this.#isSinkFull; [next] = this.#held) {
      const nowMs = performance.now();
      const waitMs = Math.max(next.arrivedMs + delayMs, this.#freeAtMs) - nowMs;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        break;
      }
      this.#held.shift();
      this.#heldBytes -= next.bytes.length;
      this.#freeAtMs = nowMs + (1_000 * next.bytes.length) / bytesPerSecond;
      this.#direction.passedBytes += next.bytes.length;
      this.#isSinkFull = !this.#sink.write(next.bytes);
    }
    if (isCut || this.#heldBytes >= HELD_BYTES_MAX) {
      this.#source.pause();
    } else {
      this.#source.resume();
    }
    if (this.#hasEnded && this.#held.length === 0 && !isCut) {
      this.#sink.destroySoon();
      this.#end();
    }
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#direction.pipes.delete(this);
    this.#held.length = 0;
    this.#heldBytes = 0;
    // Whoever still sends sends into the void, until the other direction tells.
    this.#source.resume();
  }
}

/** The proxy. Whoever dials connects to `port`. */
export class LinkProxy {
  /** From who dials to who listens. */
  readonly towards = new LinkDirection();
  /** From who listens to who dials. */
  readonly back = new LinkDirection();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: () => number;

  /** `target`: the port of who listens, on this machine; asked for at each connection. */
  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((dialler) => this.#onConnection(dialler));
  }

  /** A proxy that accepts connections. */
  static async open(target: () => number): Promise<LinkProxy> {
    const proxy = new LinkProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections and accepts no more. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await closed;
  }

  #onConnection(dialler: Socket): void {
    const listener = connect({ host: '127.0.0.1', port: this.#target() });
    for (const socket of [dialler, listener]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // The close that follows it says all.
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    new Pipe(this.towards, dialler, listener);
    new Pipe(this.back, listener, dialler);
  }
}
