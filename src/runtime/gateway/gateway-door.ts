/** The gateway's door: what is told to a caller whose operation is not taken, before anything costly. */
import { failed, ok, type Result } from '../../util/result.js';
import type { Prepared, PreparedOperations } from '../execution/prepared-operations.js';
import type { SubmitFailure } from '../face.js';
import { laneOf, type WaitingCalls } from './waiting-calls.js';

/** What the door looks at. */
export interface DoorOptions {
  /** Consensus parameter: the longest encoded request. */
  readonly requestBytesMax: number;
  /** The most operations and bytes that wait to be put into a request. */
  readonly waitingOperationsMax: number;
  readonly waitingBytesMax: number;
  readonly operations: Pick<PreparedOperations, 'prepare' | 'remember'>;
  /** Consensus parameter: the most that a request costs. */
  readonly requestCostMax: number;
  /** Why the replica can't serve now; empty where it can. */
  readonly notReadyReasons: () => readonly string[];
}

/** More than everything but the operations takes in an encoded request, its signature included. */
export const REQUEST_OVERHEAD_BYTES = 1_024;

const RETRY_AFTER_MS = 250;
/** Of the places where operations wait, how many costly ones have at most. */
const COSTLY_SHARE = 1 / 2;

/** Too much waits here; nothing was taken. */
export const QUEUE_FULL: SubmitFailure = { code: 'queueFull', retryAfterMs: RETRY_AFTER_MS };

/** This replica can't serve; nothing was taken. */
export function notReady(reasons: readonly string[]): SubmitFailure {
  return { code: 'notReady', reasons, retryAfterMs: RETRY_AFTER_MS };
}

/** The operation as it was looked at where it is taken, or why it is not: cheap checks first. */
export function judgeAtDoor(
  operation: Uint8Array,
  waiting: Pick<WaitingCalls, 'size' | 'sizeBytes' | 'countIn'>,
  options: DoorOptions,
): Result<Prepared, SubmitFailure> {
  const reasons = options.notReadyReasons();
  if (reasons.length > 0) {
    return failed(notReady(reasons));
  }
  const sizeBytesMax = options.requestBytesMax - REQUEST_OVERHEAD_BYTES;
  if (operation.length > sizeBytesMax) {
    const description = `has ${operation.length} bytes, allowed are ${sizeBytesMax}`;
    return failed({ code: 'invalid', field: 'operation', description });
  }
  const isFull = waiting.size >= options.waitingOperationsMax;
  if (isFull || waiting.sizeBytes + operation.length > options.waitingBytesMax) {
    return failed(QUEUE_FULL);
  }
  const prepared = options.operations.prepare(operation);
  const { objection } = prepared;
  return objection === undefined ? judgeCost(prepared, waiting, options) : failed({ code: 'invalid', ...objection });
}

function judgeCost(
  prepared: Prepared,
  waiting: Pick<WaitingCalls, 'countIn'>,
  { requestCostMax, waitingOperationsMax }: DoorOptions,
): Result<Prepared, SubmitFailure> {
  const { cost } = prepared;
  if (cost > requestCostMax) {
    const description =
      `costs up to ${cost} to execute, allowed are ${requestCostMax}: ask for less at a time, with a smaller limit ` +
      'and a continuation, or for a read that is not ordered';
    return failed({ code: 'invalid', field: 'operation', description });
  }
  const isCrowded = laneOf(cost) === 'costly' && waiting.countIn('costly') >= waitingOperationsMax * COSTLY_SHARE;
  return isCrowded ? failed(QUEUE_FULL) : ok(prepared);
}
