/**
 * The connections at a listener by their remote address and port. Those that have not proven who they are, are bounded
 * in number and in time. Which of them goes for a new one is the rule of every port (util/connection-places.ts): first
 * those that TLS hasn't proven, the oldest first, and no address takes what would leave others none.
 */
import type { TimerHandle, TimerService } from '../ports/timer-service.js';
import { ConnectionPlaces } from '../util/connection-places.js';
import type { LinkEnd } from './link-end.js';

/** What the table knows of a connection. */
export interface Connection {
  /** The remote address and port as grpc-js's getPeer() gives them. */
  readonly key: string;
  readonly address: string;
  /** Ends it, whatever stage it is in. */
  close(end: LinkEnd): void;
}

/** The bounds. */
export interface PendingLimits {
  readonly countMax: number;
  readonly deadlineMs: number;
}

interface Entry<C extends Connection> {
  readonly connection: C;
  /** Running until it is proven. */
  deadline: TimerHandle | undefined;
}

/** The connections of one listener. */
export class PendingConnections<C extends Connection> {
  private readonly limits: PendingLimits;
  private readonly timers: TimerService;
  private readonly entries = new Map<string, Entry<C>>();
  private readonly places: ConnectionPlaces<C>;

  constructor(limits: PendingLimits, timers: TimerService) {
    this.limits = limits;
    this.timers = timers;
    this.places = new ConnectionPlaces({
      placesMax: limits.countMax,
      placesOfAddressMax: limits.countMax,
      reservedForOperator: 0,
    });
  }

  /** How many have not proven who they are. */
  get pendingCount(): number {
    return this.places.size;
  }

  /** Takes in a new connection, and ends one where there are too many: another, or itself. */
  add(connection: C): void {
    const admission = this.places.admit(connection, { address: connection.address, isOperator: false });
    const tooMany: LinkEnd = { reason: 'throttled', text: 'too many connections without a handshake' };
    if (admission.kind === 'refused') {
      connection.close(tooMany);
      return;
    }
    const deadline = this.timers.startTimer(this.limits.deadlineMs, () => {
      connection.close({ reason: 'timeout', text: `no handshake within ${this.limits.deadlineMs} ms` });
    });
    this.entries.set(connection.key, { connection, deadline });
    admission.displaced?.close(tooMany);
  }

  /** The connection with this key. */
  get(key: string): C | undefined {
    return this.entries.get(key)?.connection;
  }

  /** TLS has proven it to hold a certificate of the cluster: it goes after those that hold none. */
  secure(connection: C): void {
    this.places.setStanding(connection, 'idle');
  }

  /** It has proven who it is: it has no deadline any more, and keeps its place. */
  prove(key: string): void {
    const entry = this.entries.get(key);
    if (entry !== undefined) {
      this.places.release(entry.connection);
    }
    entry?.deadline?.cancel();
    if (entry !== undefined) {
      entry.deadline = undefined;
    }
  }

  /** It is gone. Another one that has taken its key since is left alone. */
  remove(connection: C): void {
    this.places.release(connection);
    const entry = this.entries.get(connection.key);
    if (entry?.connection === connection) {
      entry.deadline?.cancel();
      this.entries.delete(connection.key);
    }
  }

  /** All, proven or not. */
  all(): readonly C[] {
    return [...this.entries.values()].map((entry) => entry.connection);
  }
}
