/** A connection at the peer port, from the first byte to the stream that it carries, and how it is ended at each stage. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TimerHandle, TimerService } from '../ports/timer-service.js';
import type { LinkStream } from './frame-stream.js';
import type { LinkEnd } from './link-end.js';
import type { Connection } from './pending-connections.js';
import { ReadGate } from './read-gate.js';
import { destroyLater } from './socket-end.js';
import { REFUSAL_GRACE_MS } from './transport-options.js';

/** Where a connection comes from, and how to end it. */
export interface ConnectionParts {
  readonly key: string;
  readonly address: string;
  readonly socket: Socket;
  readonly timers: TimerService;
  /** It ends before it was of any use. */
  readonly onUnused: (end: LinkEnd) => void;
}

/** A connection with what has come of it so far. */
export class IncomingConnection implements Connection {
  readonly gate = new ReadGate();
  tls: TLSSocket | undefined;
  stream: LinkStream | undefined;
  private readonly parts: ConnectionParts;
  private grace: TimerHandle | undefined;

  constructor(parts: ConnectionParts) {
    this.parts = parts;
  }

  get key(): string {
    return this.parts.key;
  }

  get address(): string {
    return this.parts.address;
  }

  close(end: LinkEnd): void {
    if (this.stream === undefined) {
      this.parts.onUnused(end);
      this.destroyUnused();
    } else {
      this.stream.end(end);
    }
  }

  /** One without TLS goes at once: a burst of them must not hold descriptors until the end of the turn. */
  private destroyUnused(): void {
    if (this.tls === undefined) {
      this.parts.socket.destroy();
    } else {
      this.destroy();
    }
  }

  /** Ends it when a status sent on it has had time to arrive. */
  destroySoon(): void {
    this.grace = this.parts.timers.startTimer(REFUSAL_GRACE_MS, () => this.destroy());
  }

  destroy(): void {
    this.grace?.cancel();
    destroyLater([this.parts.socket, this.tls], this.parts.timers);
  }
}
