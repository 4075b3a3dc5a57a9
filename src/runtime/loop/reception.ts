/**
 * What waited, from its lane to the core: judged when its turn comes, against the state of that moment. A peer's message is
 * charged to the peer when it was stepped.
 *
 * The figures are nominal, so that a run can be repeated: about what a message takes on a slow core, with the frame it
 * came in and its part of the turn.
 */
import type { Core } from '../../protocol/core.js';
import type { Effect } from '../../protocol/effects.js';
import type { Event } from '../../protocol/events.js';
import type { CatchUpRoom } from '../catch-up/room.js';
import type { ClientTable } from '../execution/client-table.js';
import type { PreparedOperations } from '../execution/prepared-operations.js';
import type { IngressRoom } from '../ingress/room.js';
import type { PeerMessage, QueueItem } from './driver.js';
import type { Inbox } from './inbox.js';

/** Reading, decoding and screening a message, whatever comes of it. */
export const MESSAGE_US = 40;
/** Copying, decoding and hashing a KiB. */
export const KIBIBYTE_US = 2;
/** A signature check. */
export const CHECK_US = 50;
/** Looking at an operation, which is done before signatures are checked. */
export const OPERATION_US = 2;
/** Looking through everything for what a Status says is missing. */
export const STATUS_US = 200;

/** Whom a reception asks. */
export interface ReceptionOptions {
  readonly core: Pick<Core, 'isBounded' | 'screenRequest'>;
  readonly ingress: Pick<IngressRoom, 'messages' | 'verifier'>;
  readonly catchUp: {
    readonly fetcher: Pick<CatchUpRoom['fetcher'], 'onAnswer'>;
    readonly fetchServer: Pick<CatchUpRoom['fetchServer'], 'serve'>;
  };
  readonly table: Pick<ClientTable, 'isSettled'>;
  readonly operations: Pick<PreparedOperations, 'takeLooks'>;
  readonly inbox: Pick<Inbox, 'charge'>;
}

/** Judges and charges. */
export class Reception {
  /** Whether the message that was judged last was no event, and taken all the same. */
  private wasServed = false;

  constructor(private readonly options: ReceptionOptions) {}

  /** The event in what waited; undefined where it is none or is not taken. */
  admit(item: QueueItem): Event | undefined {
    switch (item.kind) {
      case 'event':
        return item.event;
      case 'message':
        return this.judge(item);
      case 'request':
        return this.options.table.isSettled(item.request) ||
          this.options.core.screenRequest(item.request, item.request.bytes.length) !== undefined
          ? undefined
          : { kind: 'requestReceived', request: item.request, from: 'local' };
    }
  }

  /** The message that was judged last was stepped, where it was an event: the peer pays. */
  settle(message: PeerMessage, event?: Event, effects: readonly Effect[] = []): void {
    const { inbox, ingress, operations } = this.options;
    const checks = ingress.verifier.takeChecks();
    const costUs =
      MESSAGE_US +
      KIBIBYTE_US * Math.floor(message.bytes.length / 1024) +
      CHECK_US * checks +
      OPERATION_US * operations.takeLooks() +
      (isStatus(event) ? STATUS_US : 0);
    inbox.charge(message.peer, { checks, costUs, isNew: this.wasServed || this.isNew(event, effects) });
  }

  /** Questions and answers of peers who catch up go past the core. */
  private judge({ peer, bytes }: PeerMessage): Event | undefined {
    const { ingress, catchUp, operations } = this.options;
    // What own callers' operations took since is not the peer's to pay.
    operations.takeLooks();
    const judged = ingress.messages.judge(peer, bytes);
    this.wasServed = false;
    switch (judged?.kind) {
      case 'fetch':
        this.wasServed = catchUp.fetchServer.serve(peer, judged.id, judged.what);
        return undefined;
      case 'fetchAnswer':
        this.wasServed = catchUp.fetcher.onAnswer(peer, judged.id, judged.answer);
        return undefined;
      default:
        return judged;
    }
  }

  /** Whether the core took it, and can be told it only so often. */
  private isNew(event: Event | undefined, effects: readonly Effect[]): boolean {
    return event !== undefined && !effects.some(isRejection) && this.isBounded(event);
  }

  private isBounded(event: Event): boolean {
    switch (event.kind) {
      case 'prePrepareReceived':
        return this.options.core.isBounded(event.prePrepare);
      case 'messageReceived':
        return this.options.core.isBounded(event.message);
      default:
        // Requests by their clients' windows, certificates by what they certify, evidence by kind and replica.
        return true;
    }
  }
}

function isStatus(event: Event | undefined): boolean {
  return event?.kind === 'messageReceived' && event.message.message.type === 'status';
}

function isRejection(effect: Effect): boolean {
  return effect.kind === 'note' && effect.note.kind === 'rejected';
}
