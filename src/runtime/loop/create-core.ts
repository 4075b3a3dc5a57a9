/** The protocol's core with the real pure functions, from what the store gave back. */
import { Core } from '../../protocol/core.js';
import type { SignedRequest } from '../../protocol/messages.js';
import { encodeBatch } from '../../wire/batch-codec.js';
import { decodeNullBatch } from '../execution/batch-bodies.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { RoomOptions } from '../replica-runtime-options.js';

/** So many that two lives have none in common, and that one life never comes to the end of the safe integers. */
const STATUS_NUMBERS = 2 ** 48;

/** Makes the core of one replica. */
export function createCore(options: RoomOptions, { operations }: Pick<ExecutionRoom, 'operations'>): Core {
  const { identity, consensus, local, hash, timers, limits, recovered } = options;
  const { replica, sizes } = identity;
  const costOf = (request: SignedRequest): number => operations.costOf(request);
  const nullBatch = decodeNullBatch(limits, hash);
  const firstStatusNumber = 1 + Math.floor(timers.random() * STATUS_NUMBERS);
  return new Core(
    { replica, sizes, consensus, local, hash, nullBatch, encodeBatch, costOf, firstStatusNumber },
    recovered,
  );
}
