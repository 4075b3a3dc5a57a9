/** The protocol's core with the real pure functions, from what the store gave back. */
import { Core } from '../../protocol/core.js';
import type { RecoveredState } from '../../protocol/log-record.js';
import type { SignedRequest } from '../../protocol/messages.js';
import { encodeBatch } from '../../wire/batch-codec.js';
import type { WireLimits } from '../../wire/limits.js';
import { decodeNullBatch } from '../execution/batch-bodies.js';
import type { Costs } from '../execution/operation-cost.js';
import type { ReplicaRuntimeOptions } from '../replica-runtime-options.js';

/** So many that two lives have none in common, and that one life never comes to the end of the safe integers. */
const STATUS_NUMBERS = 2 ** 48;

/** Makes the core of one replica. */
export function createCore(
  options: Pick<ReplicaRuntimeOptions, 'identity' | 'consensus' | 'local' | 'hash' | 'timers'>,
  limits: WireLimits,
  costs: Costs,
  recovered: RecoveredState,
): Core {
  const { identity, consensus, local, hash, timers } = options;
  const { replica, sizes } = identity;
  const costOf = (request: SignedRequest): number => costs.ofRequest(request);
  const nullBatch = decodeNullBatch(limits, hash);
  const firstStatusNumber = 1 + Math.floor(timers.random() * STATUS_NUMBERS);
  return new Core(
    { replica, sizes, consensus, local, hash, nullBatch, encodeBatch, costOf, firstStatusNumber },
    recovered,
  );
}
