/**
 * A peer's message, from its lane to the core: judged when its turn comes, and charged to the peer when it was stepped.
 *
 * The figures are nominal, so that a run can be repeated: about what a message takes on a slow core, with the frame it
 * came in and its part of the turn.
 */
import type { Core } from '../../protocol/core.js';
import type { Effect } from '../../protocol/effects.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { CountedVerifier } from '../ingress/counted-verifier.js';
import type { Ingress } from '../ingress/ingress.js';
import type { Inbox } from './inbox.js';

/** Reading, decoding and screening a message, whatever comes of it. */
export const MESSAGE_US = 40;
/** Copying, decoding and hashing a KiB. */
export const KIBIBYTE_US = 2;
/** A signature check. */
export const CHECK_US = 50;
/** Looking through everything for what a Status says is missing. */
export const STATUS_US = 200;

/** What a reception connects. */
export interface ReceptionOptions {
  readonly core: Pick<Core, 'isBounded'>;
  readonly ingress: Pick<Ingress, 'judge'>;
  readonly inbox: Pick<Inbox, 'charge'>;
  readonly verifier: Pick<CountedVerifier, 'takeChecks'>;
}

/** Judges and charges. */
export class Reception {
  private wasServed = false;

  constructor(private readonly options: ReceptionOptions) {}

  /** The event in a peer's message, against the state of this moment; undefined where it is none or is not taken. */
  judge(peer: ReplicaId, bytes: Uint8Array): Event | undefined {
    const judged = this.options.ingress.judge(peer, bytes);
    this.wasServed = judged === 'served';
    return judged === 'served' ? undefined : judged;
  }

  /** The message that was judged last was stepped, where it was an event: the peer pays. */
  settle(
    message: { readonly peer: ReplicaId; readonly bytes: Uint8Array },
    event?: Event,
    effects: readonly Effect[] = [],
  ) {
    const { inbox, verifier } = this.options;
    const checks = verifier.takeChecks();
    const costUs =
      MESSAGE_US +
      KIBIBYTE_US * Math.floor(message.bytes.length / 1024) +
      CHECK_US * checks +
      (isStatus(event) ? STATUS_US : 0);
    inbox.charge(message.peer, { checks, costUs, isNew: this.wasServed || this.isNew(event, effects) });
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
