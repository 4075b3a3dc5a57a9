/**
 * The door of a port: who comes in, who has to go for it, and who goes because nothing ever came from it. What is closed
 * is counted each time and told at most once in a while, with the address and what to do.
 *
 * Pure but for the timers that it is given: the callers open and close sockets.
 */
import { addressGroup, ConnectionPlaces, type PlaceLimits, type Standing } from './connection-places.js';

/** Why a connection was closed at the door. */
export type DoorReason =
  /** Nothing came from it in time. */
  | 'silent'
  /** A new connection took its place. */
  | 'displaced'
  /** There was no place for it. */
  | 'refused'
  /** The system gave no descriptor for it. */
  | 'accept_failed';

/** The clock, as ports/timer-service.ts has it. */
export interface DoorTimers {
  elapsedMs(): number;
  startTimer(delayMs: number, fire: () => void): { cancel(): void };
}

/** A line for the operator. */
export interface DoorWarning {
  readonly reason: DoorReason;
  /** Whose connection it was; empty where nobody knows. */
  readonly address: string;
  /** How many more were closed since the last line. */
  readonly omitted: number;
  /** Connections that are open now. */
  readonly open: number;
  /** What happened, and what to do. */
  readonly text: string;
}

/** What a door is made with. */
export interface PortDoorOptions<C> {
  readonly limits: PlaceLimits;
  /** The settings that hold the limits, such as `clients.connectionsMax`. */
  readonly settings: { readonly max: string; readonly ofAddressMax: string };
  /** How long a connection may say nothing after it was made; undefined where the port sees to that itself. */
  readonly silentMs: number | undefined;
  readonly isOperator: (address: string) => boolean;
  readonly timers: DoorTimers;
  /** Whether anything worth reading came from it. */
  readonly hasSpoken: (connection: C) => boolean;
  readonly close: (connection: C) => void;
  /** Told of each connection that is closed here. */
  readonly onClosed: (reason: DoorReason) => void;
  /** Told how many are open, when that changes. */
  readonly onOpen: (count: number) => void;
  readonly onWarning: (warning: DoorWarning) => void;
}

/** Between two lines for the operator. */
const WARNING_INTERVAL_MS = 10_000;

interface Guest {
  readonly address: string;
  readonly silence: { cancel(): void } | undefined;
}

/** The door of one port. */
export class PortDoor<C> {
  private readonly options: PortDoorOptions<C>;
  private readonly places: ConnectionPlaces<C>;
  private readonly guests = new Map<C, Guest>();
  private warnedAtMs = Number.NEGATIVE_INFINITY;
  private omitted = 0;

  constructor(options: PortDoorOptions<C>) {
    this.options = options;
    this.places = new ConnectionPlaces(options.limits);
  }

  /** Lets a connection in, closing another for it where that is due; false where there is no place: it is closed. */
  enter(connection: C, address: string): boolean {
    const { silentMs, timers, isOperator, close } = this.options;
    const admission = this.places.admit(connection, { address, isOperator: isOperator(address) });
    if (admission.kind === 'refused') {
      this.note('refused', address, this.refusalText(admission.reason));
      close(connection);
      return false;
    }
    if (admission.displaced !== undefined) {
      this.displace(admission.displaced);
    }
    const silence =
      silentMs === undefined ? undefined : timers.startTimer(silentMs, () => this.onSilence(connection, address));
    this.guests.set(connection, { address, silence });
    this.options.onOpen(this.guests.size);
    return true;
  }

  /** It is closed; harmless for one that never had a place. */
  leave(connection: C): void {
    this.places.release(connection);
    this.guests.get(connection)?.silence?.cancel();
    if (this.guests.delete(connection)) {
      this.options.onOpen(this.guests.size);
    }
  }

  /** Notes what a connection does now. */
  setStanding(connection: C, standing: Standing): void {
    this.places.setStanding(connection, standing);
  }

  /** All that are open. */
  all(): readonly C[] {
    return [...this.guests.keys()];
  }

  /** The system could not accept a connection. */
  noteAcceptFailure(error: Error): void {
    const text = `a connection could not be accepted (${error.message}): the limit of file descriptors is too low for this load`;
    this.note('accept_failed', '', `${text}; raise it (ulimit -n, LimitNOFILE)`);
  }

  private displace(connection: C): void {
    const address = this.guests.get(connection)?.address ?? '';
    const { max, ofAddressMax } = this.options.settings;
    this.note(
      'displaced',
      address,
      `the least used connection was closed for a new one: ${addressGroup(address)} or the port has all the places it may have; ` +
        `look at what connects from there, or raise \`${max}\` or \`${ofAddressMax}\``,
    );
    this.leave(connection);
    this.options.close(connection);
  }

  private onSilence(connection: C, address: string): void {
    if (!this.options.hasSpoken(connection)) {
      this.note('silent', address, `a connection that said nothing for ${this.options.silentMs} ms was closed`);
      this.leave(connection);
      this.options.close(connection);
    }
  }

  private refusalText(reason: 'address' | 'all'): string {
    const { max, ofAddressMax } = this.options.settings;
    return reason === 'address'
      ? `a connection was refused: its address has all the places it may have and uses them; raise \`${ofAddressMax}\` or \`${max}\`, or let its callers share connections`
      : `a connection was refused: every place is taken and used; raise \`${max}\``;
  }

  private note(reason: DoorReason, address: string, text: string): void {
    this.options.onClosed(reason);
    const nowMs = this.options.timers.elapsedMs();
    if (nowMs - this.warnedAtMs < WARNING_INTERVAL_MS) {
      this.omitted++;
      return;
    }
    this.warnedAtMs = nowMs;
    this.options.onWarning({ reason, address, omitted: this.omitted, open: this.guests.size, text });
    this.omitted = 0;
  }
}
