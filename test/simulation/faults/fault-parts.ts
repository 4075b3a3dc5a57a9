/** What faults amount to: how they add up on one link, and what is left of them when some replicas are healed. */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LinkCondition } from '../machine/link-condition.js';
import type { Direction, FaultEffect } from './fault.js';

/** What a direction is like under one fault. */
export function conditionUnder(effect: Extract<FaultEffect, { directions: unknown }>): Partial<LinkCondition> {
  switch (effect.kind) {
    case 'weather':
      return effect.condition;
    case 'clog':
      return { isClogged: true };
    default:
      return { isBlocked: true };
  }
}

/** The worse of two conditions, in each respect. */
export function worse(left: LinkCondition, right: Partial<LinkCondition>): LinkCondition {
  return {
    delayMinMs: Math.max(left.delayMinMs, right.delayMinMs ?? 0),
    delayMeanMs: Math.max(left.delayMeanMs, right.delayMeanMs ?? 0),
    loss: Math.max(left.loss, right.loss ?? 0),
    duplication: Math.max(left.duplication, right.duplication ?? 0),
    isOrdered: left.isOrdered && (right.isOrdered ?? true),
    isBlocked: left.isBlocked || (right.isBlocked ?? false),
    isClogged: left.isClogged || (right.isClogged ?? false),
  };
}

/** What is left of a fault for the replicas that are not healed; undefined for nothing. */
export function withoutHealed(effect: FaultEffect, healed: ReadonlySet<ReplicaId>): FaultEffect | undefined {
  const isLeft = ([from, to]: Direction): boolean => !healed.has(from) || !healed.has(to);
  switch (effect.kind) {
    case 'weather':
    case 'clog':
    case 'partition':
    case 'isolation':
    case 'deafness':
    case 'muteness': {
      const directions = effect.directions.filter(isLeft);
      return directions.length === 0 ? undefined : { ...effect, directions };
    }
    case 'breaks': {
      const pairs = effect.pairs.filter(isLeft);
      return pairs.length === 0 ? undefined : { ...effect, pairs };
    }
    case 'crash':
    case 'crashAll':
    case 'pause': {
      const replicas = effect.replicas.filter((replica) => !healed.has(replica));
      return replicas.length === 0 ? undefined : { ...effect, replicas };
    }
    case 'selectiveLoss':
    case 'toppling':
      // Primaries come and go in the healed quorum too, and messages go between its replicas: they end.
      return undefined;
    case 'clock':
      // A clock that is off within the drift is no fault.
      return effect;
    default:
      return healed.has(effect.replica) ? undefined : effect;
  }
}
