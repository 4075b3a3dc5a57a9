/** The gateway's door: what is told to a caller whose operation is not taken, before anything costly. */
import type { StateMachine } from '../ports/state-machine.js';
import type { SubmitFailure } from './face.js';
import type { WaitingCalls } from './waiting-calls.js';

/** What the door looks at. */
export interface DoorOptions {
  readonly stateMachine: Pick<StateMachine, 'rejectOperation'>;
  /** Consensus parameter: the longest encoded request. */
  readonly requestBytesMax: number;
  /** The most operations and bytes that wait to be put into a request. */
  readonly waitingOperationsMax: number;
  readonly waitingBytesMax: number;
  /** Why the replica can't serve now; empty where it can. */
  readonly notReadyReasons: () => readonly string[];
}

/** More than everything but the operations takes in an encoded request, its signature included. */
export const REQUEST_OVERHEAD_BYTES = 1_024;

const RETRY_AFTER_MS = 250;

/** Too much waits here; nothing was taken. */
export const QUEUE_FULL: SubmitFailure = { code: 'queueFull', retryAfterMs: RETRY_AFTER_MS };

/** This replica can't serve; nothing was taken. */
export function notReady(reasons: readonly string[]): SubmitFailure {
  return { code: 'notReady', reasons, retryAfterMs: RETRY_AFTER_MS };
}

/** Why the operation is not taken, or undefined: cheap checks first. */
export function refuseAtDoor(
  operation: Uint8Array,
  waiting: Pick<WaitingCalls, 'size' | 'sizeBytes'>,
  options: DoorOptions,
): SubmitFailure | undefined {
  const reasons = options.notReadyReasons();
  if (reasons.length > 0) {
    return notReady(reasons);
  }
  const sizeBytesMax = options.requestBytesMax - REQUEST_OVERHEAD_BYTES;
  if (operation.length > sizeBytesMax) {
    const description = `has ${operation.length} bytes, allowed are ${sizeBytesMax}`;
    return { code: 'invalid', field: 'operation', description };
  }
  const isFull = waiting.size >= options.waitingOperationsMax;
  if (isFull || waiting.sizeBytes + operation.length > options.waitingBytesMax) {
    return QUEUE_FULL;
  }
  const objection = options.stateMachine.rejectOperation(operation);
  return objection && { code: 'invalid', ...objection };
}
