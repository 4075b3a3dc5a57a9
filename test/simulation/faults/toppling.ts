/** Cutting primaries off in the middle of what they do, so that views change with batches under way. */
import type { SimulatedReplica } from '../cluster/simulated-replica.js';
import type { Random } from '../kernel/random.js';
import type { Direction, FaultEffect } from './fault.js';

/** Some hear the last of a primary for so long more than others. */
const STAGGER_MS_MAX = 30;

/** Cuts off the primary of the highest view, from some replicas a little sooner than from the others. */
export function drawCuts(
  replicas: readonly SimulatedReplica[],
  random: Random,
): readonly { readonly afterMs: number; readonly cut: FaultEffect }[] {
  const view = Math.max(0, ...replicas.map((replica) => replica.status()?.view ?? 0));
  const primary = replicas[view % replicas.length];
  if (primary === undefined) {
    return [];
  }
  const others = replicas.filter(({ id }) => id !== primary.id).map(({ id }) => id);
  const sooner = others.filter(() => random.chance(0.5));
  const later = random.between(0, STAGGER_MS_MAX);
  return [
    { afterMs: 0, peers: sooner },
    { afterMs: later, peers: others },
  ].map(({ afterMs, peers }) => ({
    afterMs,
    cut: { kind: 'muteness', directions: peers.map((peer): Direction => [primary.id, peer]) },
  }));
}
