/** Egress: what leaves is signed, a few at a time, made durable, and sent. */
import type { Event } from '../../protocol/events.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { RoomOptions } from '../replica-runtime-options.js';
import { Egress } from './egress.js';
import { SigningQueue } from './signing-queue.js';

/** Signatures that are being made at one time: two cores' worth, and the next ones ready. */
const SIGNING_CONCURRENCY = 4;

/** What egress shows to the other rooms. */
export interface EgressRoom {
  readonly signing: SigningQueue;
  readonly sending: Egress;
}

/** Whom egress asks and tells. */
export interface EgressNeighbours {
  /** loop/loop.ts: takes what is signed as an event, and says when the disk has what a message depends on. */
  readonly loop: { submitEvent(event: Event): void; afterDurable(run: () => void): void };
  readonly execution: Pick<ExecutionRoom, 'bodies'>;
}

/** Makes it. */
export function createEgress(options: RoomOptions, { loop, execution }: EgressNeighbours): EgressRoom {
  const { bodies } = execution;
  const signing = new SigningQueue({ ...options, concurrencyMax: SIGNING_CONCURRENCY });
  const sending = new Egress({
    ...options,
    replica: options.identity.replica,
    signer: signing,
    afterDurable: (run) => loop.afterDurable(run),
    loadBatch: (sequence, digest, done) => bodies.load(sequence, digest, done),
    onSigned: (event) => loop.submitEvent(event),
  });
  return { signing, sending };
}
