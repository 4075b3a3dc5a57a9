/**
 * The connections at a listener by their remote address and port. Those that have not proven who they are, are bounded
 * in number and in time: where there are too many, the oldest goes of the address that has the most, so that a flood
 * from one machine displaces itself.
 */
import type { TimerHandle, TimerService } from '../ports/timer-service.js';
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

  constructor(limits: PendingLimits, timers: TimerService) {
    this.limits = limits;
    this.timers = timers;
  }

  /** Takes in a new connection, and ends one where there are too many. */
  add(connection: C): void {
    const deadline = this.timers.startTimer(this.limits.deadlineMs, () => {
      connection.close({ reason: 'timeout', text: `no handshake within ${this.limits.deadlineMs} ms` });
    });
    this.entries.set(connection.key, { connection, deadline });
    const pending = [...this.entries.values()].filter((entry) => entry.deadline !== undefined);
    if (pending.length > this.limits.countMax) {
      this.oldestOfBusiest(pending)?.close({ reason: 'throttled', text: 'too many connections without a handshake' });
    }
  }

  /** The connection with this key. */
  get(key: string): C | undefined {
    return this.entries.get(key)?.connection;
  }

  /** It has proven who it is: it has no deadline any more. */
  prove(key: string): void {
    const entry = this.entries.get(key);
    entry?.deadline?.cancel();
    if (entry !== undefined) {
      entry.deadline = undefined;
    }
  }

  /** It is gone. Another one that has taken its key since is left alone. */
  remove(connection: C): void {
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

  private oldestOfBusiest(pending: readonly Entry<C>[]): C | undefined {
    const counts = new Map<string, number>();
    for (const { connection } of pending) {
      counts.set(connection.address, (counts.get(connection.address) ?? 0) + 1);
    }
    const most = Math.max(...counts.values());
    return pending.find(({ connection }) => counts.get(connection.address) === most)?.connection;
  }
}
