/** The protocol's core with the real pure functions, from what the store gave back. */
import { Core } from '../protocol/core.js';
import type { RecoveredState } from '../protocol/log-record.js';
import type { SignedRequest } from '../protocol/messages.js';
import { encodeBatch } from '../wire/batch-codec.js';
import type { WireLimits } from '../wire/limits.js';
import { decodeNullBatch } from './batch-bodies.js';
import type { Costs } from './operation-cost.js';
import type { ReplicaRuntimeOptions } from './replica-runtime-options.js';

/** Makes the core of one replica. */
export function createCore(
  { identity, consensus, local, hash }: Pick<ReplicaRuntimeOptions, 'identity' | 'consensus' | 'local' | 'hash'>,
  limits: WireLimits,
  costs: Costs,
  recovered: RecoveredState,
): Core {
  const { replica, sizes } = identity;
  const costOf = (request: SignedRequest): number => costs.ofRequest(request);
  const nullBatch = decodeNullBatch(limits, hash);
  return new Core({ replica, sizes, consensus, local, hash, nullBatch, encodeBatch, costOf }, recovered);
}
